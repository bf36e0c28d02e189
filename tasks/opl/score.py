"""Scores every policy's predictions with the harness: scores.json for programs, table.txt for people."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from harness import HarnessError, MetricResult, Result, score
from store import Artifact, Attempt
from tasks.api import Context, Metrics, TaskError
from tasks.opl.config import ScoreConfig
from tasks.opl.labels import in_order, label
from tasks.opl.predict import ABOUT_FILE, GOLDS_FILE

SCORES_FILE, TABLE_FILE = "scores.json", "table.txt"
_HEAD = ("policy", "value", "95% interval", "vs logging", "optimality", "95% interval")


@dataclass(frozen=True)
class Inputs:
    """Golds and predictions."""

    predictions: Artifact


class About(BaseModel):
    """What the predictions say of themselves; `scale` is the reward of a probability gain of 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policies: list[str]
    n_contexts: int
    n_users: int
    n_actions: int
    scale: float | None = None


def run(config: ScoreConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes scores.json and table.txt; returns `value_<policy>`.

    Intervals are percentiles of a bootstrap that draws whole users; the seed is the same for all policies, so that they are
    compared on the same resamples.

    Raises:
        TaskError: the golds or predictions are unsound; the harness's own line.
    """
    about = About.model_validate(inputs.predictions.read_json(ABOUT_FILE))
    golds = inputs.predictions.path(GOLDS_FILE)
    names, results = in_order(about.policies), dict[str, Result]()
    with ctx.progress("scores", len(names)) as advance:
        for name in names:
            predictions = inputs.predictions.path(f"{name}.zip")
            try:
                results[name] = score(golds, predictions, n_bootstrap=config.n_bootstrap, seed=config.seed).only
            except HarnessError as error:
                raise TaskError(f"{inputs.predictions}: {error}") from None
            advance(1)
    out.write_json(SCORES_FILE, summary(about, results))
    out.path(TABLE_FILE).write_text(table(about, results), encoding="utf-8")
    return {f"value_{name}": result.metrics["policy_value"].value for name, result in results.items()}


def summary(about: About, results: dict[str, Result]) -> dict[str, object]:
    """All results as JSON: what they share once, then each policy's metrics."""
    first = next(iter(results.values()))
    shared = {name: value for name, value in first.to_dict().items() if name not in ("metrics", "predictions_sha256")}
    policies = {
        name: {
            "label": label(name),
            "predictions_sha256": result.predictions_sha256,
            "metrics": result.to_dict()["metrics"],
        }
        for name, result in results.items()
    }
    return shared | {
        "about": about.model_dump(),
        "order": list(results),
        "n_users": about.n_users,
        "policies": policies,
    }


def table(about: About, results: dict[str, Result]) -> str:
    """The scores as a table in plain text, below a few lines that say what they are."""
    first = next(iter(results.values()))
    rows = [_row(label(name), result) for name, result in results.items()]
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    lines = [_line(row, widths) for row in (_HEAD, *rows)]
    rule = "-" * len(lines[0])
    caption = [line for text in _caption(about, first) for line in textwrap.wrap(text, len(rule))]
    return "\n".join([*caption, "", lines[0], rule, *lines[1:]]) + "\n"


def _caption(about: About, result: Result) -> list[str]:
    gain = f"{about.scale:g} x the" if about.scale is not None else "the scaled"
    drawn = f"{result.n_bootstrap:,} resamples of users" if result.n_bootstrap else "no resamples, so none"
    return [
        f"Policies that choose one of {about.n_actions} prompts, on {about.n_contexts:,} contexts of {about.n_users:,} users held out.",
        f"value: mean expected reward, {gain} gain in simulated probability of a like over no prompt.",
        f"optimality: 0% is a uniform choice, 100% the best prompt for every context. Intervals: {drawn}.",
    ]


def _row(name: str, result: Result) -> tuple[str, ...]:
    value, gain, optimality = (
        result.metrics[metric] for metric in ("policy_value", "improvement_over_logging", "optimality")
    )
    return (
        name,
        fixed(value.value, 4),
        interval(value, 4),
        fixed(gain.value, 4, sign=True),
        fixed(100 * optimality.value, 1) + "%",
        interval(optimality, 1, scale=100),
    )


def fixed(value: float, digits: int, *, sign: bool = False) -> str:
    """A number with so many decimals, never `-0.0`; with `sign` a plus before what is above 0."""
    number = round(value, digits) + 0.0
    return f"{number:+.{digits}f}" if sign and number else f"{number:.{digits}f}"


def interval(metric: MetricResult, digits: int, *, scale: float = 1.0) -> str:
    """`[low, high]`, or `-` where there is none."""
    if metric.interval is None:
        return "-"
    low, high = (fixed(scale * bound, digits) for bound in metric.interval)
    return f"[{low}, {high}]"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    return "  ".join([first, *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))])
