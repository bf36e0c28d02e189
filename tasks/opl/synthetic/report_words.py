"""What the fields of a run are called on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.opl.synthetic.report_read import Fields, Setting, Value, place

SWEPT: Mapping[str, tuple[str, str]] = {
    "n_rounds": ("Size of the log", "logged rounds"),
    "n_actions": ("Number of actions", "actions"),
    "reward_std": ("Reward noise", "standard deviation of a reward"),
    "beta": ("Logging policy", "inverse temperature of the logging policy"),
    "bandwidth": ("Kernel bandwidth", "bandwidth"),
}
"""Fields that are numbers to draw against: heading and axis."""
_TOLD = {
    "variant": "{} environment",
    "n_rounds": "{} rounds",
    "n_actions": "{} actions",
    "reward_std": "reward noise {}",
    "beta": "\N{GREEK SMALL LETTER BETA}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{}",
    "generator": "{} outputs",
    "logging": "logging policy by {}",
    "kernel": "{} kernel",
    "bandwidth": "bandwidth {}",
    "density": "{} density",
}


def plain(value: Value) -> str:
    """A value by itself."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,g}".replace("-", "\N{MINUS SIGN}") if abs(value) < 1e6 else f"{value:g}"
    if value is None:
        return "each learner\N{RIGHT SINGLE QUOTATION MARK}s own"
    return "Monte Carlo" if value == "monte_carlo" else value.replace("_", " ")


def told(field: str, value: Value) -> str:
    """A value with the word for its field."""
    if field == "compat":
        return "published defects" if value else "defects mended"
    return _TOLD.get(field, field.replace("_", " ") + " {}").format(plain(value))


def differing(settings: Sequence[Setting]) -> list[str]:
    """The fields that are not the same in all of the settings; of a single one, those that say most."""
    found = [field for field in settings[0].fields if len({one.fields[field] for one in settings}) > 1]
    return found or ["variant", "n_rounds", "n_actions"]


def title(fields: Fields, names: Sequence[str]) -> str:
    """The named fields of a setting in words, without those left to each learner."""
    found = [told(name, fields[name]) for name in names if fields[name] is not None]
    return ", ".join(found) or f"{', '.join(names)}: {plain(None)}"


def seeds_told(seeds: Sequence[int]) -> str:
    """`0 to 19` where none is left out, else every one."""
    whole = len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]} to {seeds[-1]}" if whole else ", ".join(map(str, seeds))


def field_values(settings: Sequence[Setting], field: str) -> str:
    """Every value of a field in the settings, ascending."""
    found = sorted({setting.fields[field] for setting in settings}, key=lambda value: place(field, value))
    return "; ".join(map(plain, found))
