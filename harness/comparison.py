"""Several systems on the same golds: each one's scores, and how far each differs from the first, the baseline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import HarnessError, shown
from harness.intervals import percentile_interval
from harness.result import Result, Scores, as_json
from harness.scoring import Rouge, ScoredTask, Settings, Systems, open_systems

if TYPE_CHECKING:
    from harness.registry import FloatArray


ALPHA = 0.05


@dataclass(frozen=True)
class Difference:
    """A system's value of one metric minus the baseline's, on the same samples.

    `interval` and `p_value` are of the paired bootstrap and None where it is undefined or was not asked for. `p_holm`,
    of primary metrics alone, is adjusted for all comparisons on primary metrics that were made together. `better` says
    whether a difference that p (`p_holm` where there is one) puts below .05 is in the metric's good direction; None
    where it may as well be chance.
    """

    value: float
    interval: tuple[float, float] | None
    p_value: float | None
    better: bool | None
    p_holm: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The scores of each system, and by task, system and metric its difference from the baseline."""

    baseline: str
    systems: Mapping[str, Scores]
    differences: Mapping[str, Mapping[str, Mapping[str, Difference]]]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The comparison as JSON values."""
        return {
            "baseline": self.baseline,
            "systems": {name: scores.to_dict() for name, scores in self.systems.items()},
            "differences": {
                task: {name: {key: asdict(one) for key, one in metrics.items()} for name, metrics in systems.items()}
                for task, systems in self.differences.items()
            },
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """The comparison as JSON text, keys sorted, one line end at its end."""
        return as_json(self.to_dict())


def compare(
    golds: str | os.PathLike[str],
    preds: Mapping[str, str | os.PathLike[str]],
    *,
    task: str | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    allow_missing: bool = False,
    rouge: Rouge = "mean",
    per_sample: bool = False,
) -> Comparison:
    """Score the predictions of each named system, and compare all with the first; options as of `harness.score`.

    Differences are paired: both systems are taken on the same resamples of users or samples. With `allow_missing` a
    task that a system or the baseline lacks is not compared. Raises `HarnessError` where two systems answer different
    samples of a task, and as `harness.score` does.
    """
    settings = Settings(n_bootstrap, seed, per_sample, allow_missing, rouge)
    with open_systems(golds, preds, task, allow_missing) as systems:
        return compared(systems, settings)


def compared(
    systems: Systems,
    settings: Settings,
    see: Callable[[str, Mapping[str, ScoredTask]], None] = lambda task, scored: None,
) -> Comparison:
    """The comparison of opened systems; `see` is shown each task, scored for every system, while it is in memory."""
    baseline, *others = systems.predictions
    results: dict[str, dict[str, Result]] = {name: {} for name in systems.predictions}
    differences: dict[str, dict[str, dict[str, Difference]]] = {}
    for task, scored in systems.scored(settings):
        for name, one in scored.items():
            results[name][task] = one.result
        if baseline in scored:
            paired = {name: scored[name] for name in others if name in scored}
            differences[task] = {
                name: differences_of(one, scored[baseline], (name, baseline)) for name, one in paired.items()
            }
        see(task, scored)
    scores = {name: Scores(results[name], tuple(systems.missing[name])) for name in results}
    differences, n_tested = _with_holm(differences, scores[baseline])
    return Comparison(baseline, scores, differences, tuple(_too_few_resamples(n_tested, settings.n_bootstrap)))


def differences_of(system: ScoredTask, baseline: ScoredTask, names: tuple[str, str]) -> dict[str, Difference]:
    """The difference in each metric both have; raises `HarnessError` where they answer different samples."""
    _check_paired(system, baseline, names)
    return {
        metric: paired_difference(system, baseline, metric)
        for metric in system.result.metrics
        if metric in baseline.result.metrics
    }


def paired_difference(system: ScoredTask, baseline: ScoredTask, metric: str) -> Difference:
    """The difference in one metric between two scores of the same samples with the same settings.

    Both were resampled with the same draws, so d* = system* - baseline* is the paired bootstrap of the difference
    (Efron and Tibshirani 1993, chapter 16; for systems on one test set Koehn 2004, EMNLP).
    """
    ours, theirs = system.result.metrics[metric], baseline.result.metrics[metric]
    value = ours.value - theirs.value
    drawn = system.resampled[metric] - baseline.resampled[metric]
    spread = ours.standard_error is not None and theirs.standard_error is not None
    interval = percentile_interval(drawn) if spread else None
    p_value = two_sided_p(drawn) if interval is not None else None
    return Difference(value, interval, p_value, _better(value, p_value, ours.higher_is_better))


def _better(value: float, p_value: float | None, higher_is_better: bool) -> bool | None:
    return (value > 0) == higher_is_better if p_value is not None and p_value < ALPHA and value != 0 else None


def two_sided_p(drawn: FloatArray) -> float:
    """p = min(1, 2 (min(#{d* <= 0}, #{d* >= 0}) + 1) / (B + 1)) for B resampled differences d*, `(B,)`.

    The level at which the percentile interval would just reach 0 (Efron and Tibshirani 1993, section 15.4); the added
    one counts the sample itself, so p is never 0 (Davison and Hinkley 1997, section 4.2).
    """
    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * (beyond + 1) / (len(drawn) + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given: max over j <= i of (m - j + 1) p_(j), at most 1 (Holm 1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, (len(order) - rank) * p_values[index])
        adjusted[index] = min(1.0, largest)
    return adjusted


def _with_holm(
    differences: Mapping[str, Mapping[str, Mapping[str, Difference]]], baseline: Scores
) -> tuple[dict[str, dict[str, dict[str, Difference]]], int]:
    """The differences with the adjusted p-values of primary metrics, and how many of these there are."""
    primary = {task: baseline[task].primary for task in differences}
    found = {
        (task, name): metrics[primary[task]].p_value
        for task, systems in differences.items()
        for name, metrics in systems.items()
        if primary[task] in metrics
    }
    tested = {place: p_value for place, p_value in found.items() if p_value is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))

    def settled(task: str, name: str, metric: str, one: Difference) -> Difference:
        p_holm = adjusted.get((task, name)) if metric == primary[task] else None
        if p_holm is None:
            return one
        return replace(one, p_holm=p_holm, better=one.better if p_holm < ALPHA else None)

    return {
        task: {
            name: {metric: settled(task, name, metric, one) for metric, one in metrics.items()}
            for name, metrics in systems.items()
        }
        for task, systems in differences.items()
    }, len(adjusted)


def _too_few_resamples(n_tested: int, n_bootstrap: int) -> Iterator[str]:
    """Say where even the least p-value that the resamples allow would not survive the adjustment."""
    least = 2 * n_tested / (n_bootstrap + 1)
    if n_tested and least >= ALPHA:
        yield (
            f"{n_tested} comparisons of primary metrics: with {n_bootstrap:,} resamples no adjusted p can be below "
            f"{min(least, 1):.2g}; take at least {int(2 * n_tested / ALPHA * 5):,} (--n-bootstrap)"
        )


def _check_paired(system: ScoredTask, baseline: ScoredTask, names: tuple[str, str]) -> None:
    ours, theirs = system.golds.ids, baseline.golds.ids
    if ours != theirs:
        apart = sorted(set(ours) ^ set(theirs))
        raise HarnessError(
            f"{system.predictions.where}: {names[0]!r} and {names[1]!r} answer different samples of "
            f"{system.result.task}, {len(apart):,} of them only one of the two: {shown(apart)}; "
            "give both the same ids, or score each alone"
        )
