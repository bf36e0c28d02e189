"""Finds what was swept, and gives each learner its look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tasks.opl.labels import ONLINE, PUBLISHED, REFERENCES, in_order
from tasks.opl.synthetic.report_published import published
from tasks.opl.synthetic.report_read import Fields, Setting
from tasks.opl.synthetic.report_words import SWEPT

_COLOURS = (0, 1, 2, 3, 4, 6, 7)
_ONLINE = 5  # as in the other report
MOST_COLOURED = len(_COLOURS) + 1


@dataclass(frozen=True)
class Panel:
    """Settings that differ in one field alone, ascending by it; `fixed` are the other fields."""

    fixed: Fields
    settings: list[Setting]


def sweeps(settings: Sequence[Setting]) -> dict[str, list[Panel]]:
    """Swept field -> its panels, each with at least two values."""
    found = {field: _panels(settings, field) for field in SWEPT}
    return {field: panels for field, panels in found.items() if panels}


def _panels(settings: Sequence[Setting], field: str) -> list[Panel]:
    groups: dict[tuple[object, ...], list[Setting]] = {}
    for setting in settings:
        if setting.fields[field] is not None:
            groups.setdefault(tuple(_others(setting, field).values()), []).append(setting)
    return [Panel(_others(group[0], field), group) for group in groups.values() if len(group) > 1]


def _others(setting: Setting, field: str) -> Fields:
    return {name: value for name, value in setting.fields.items() if name != field}


def learners(settings: Iterable[Setting]) -> list[str]:
    """Every learner of any of the settings, in the order of tables."""
    return in_order({name for setting in settings for name in setting.summaries} - set(REFERENCES))


def by_height(settings: Sequence[Setting]) -> list[str]:
    """Every learner by its mean optimality, the highest first, as lines lie in a figure."""
    return sorted(learners(settings), key=lambda name: -_mean(settings, name))


def counterpart(method: str, names: Sequence[str]) -> str | None:
    """The learner that stands for a method of the paper: the one trained as published, else ours of that name."""
    return next((name for name in (method + PUBLISHED, method) if name in names), None)


def colours(settings: Sequence[Setting]) -> dict[str, int]:
    """Learner -> colour on the whole page, for at most eight: the paper's methods, then the best of the others on average."""
    names = learners(settings)
    papers = [name for method in published().methods if (name := counterpart(method, names))]
    others = [name for name in by_height(settings) if name not in papers]
    online = [name for name in names if name.removesuffix(PUBLISHED) == ONLINE][:1]
    chosen = [name for name in [*papers, *others] if name not in online][: len(_COLOURS)]
    return dict(zip(in_order(chosen), _COLOURS, strict=False)) | dict.fromkeys(online, _ONLINE)


def _mean(settings: Sequence[Setting], name: str) -> float:
    found = [setting.summaries[name].optimality for setting in settings if name in setting.summaries]
    return sum(found) / len(found)


def paper_lines(field: str, panel: Panel, names: Sequence[str]) -> Mapping[str, list[tuple[float, float]]]:
    """Learner -> the paper's own line within the panel's range; nothing where the panel is of another setting."""
    low, high = (panel.settings[end].number(field) for end in (0, -1))
    found = {}
    for method, line in published().lines(field, panel.fixed).items():
        name, inside = counterpart(method, names), [(x, y) for x, y in line if low <= x <= high]
        if name and inside:
            found[name] = inside
    return found
