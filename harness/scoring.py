"""Golds and predictions in, results out."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness import __version__, intervals, registry
from harness.envelope import Envelope, EnvelopeFile, matched, open_golds, open_predictions
from harness.errors import HarnessError, MissingError, SelectionError, SubmissionError, shown
from harness.inputs import local
from harness.result import MetricResult, Result, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

Rouge = Literal["mean", "reference"]
_MOST_RESAMPLES = 100_000
_NOT_SCORED = (".jsonl", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class Settings:
    """How scores are made: resamples of the intervals, their seed, what is kept, and what is let pass."""

    n_bootstrap: int = 1000
    seed: int = 0
    per_sample: bool = False
    allow_missing: bool = False
    rouge: Rouge = "mean"

    def __post_init__(self) -> None:
        for name, most in (("n_bootstrap", _MOST_RESAMPLES), ("seed", (1 << 32) - 1)):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= most:
                raise HarnessError(f"{name} is {value!r}: give an integer from 0 to {most:,}")
        if self.rouge not in ("mean", "reference"):
            raise HarnessError(f"rouge is {self.rouge!r}: it is 'mean' or 'reference'")


@dataclass(frozen=True)
class ScoredTask:
    """One task's result with what it was made of; `resampled` holds each metric in each resample, `(n_bootstrap,)`.

    Resamples depend on golds, ids and seed alone, so those of two systems are paired.
    """

    golds: Envelope
    predictions: Envelope
    samples: registry.Samples
    result: Result
    resampled: Mapping[str, FloatArray]


def score(
    golds: str | os.PathLike[str],
    preds: str | os.PathLike[str],
    *,
    task: str | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    per_sample: bool = False,
    allow_missing: bool = False,
    rouge: Rouge = "mean",
) -> Scores:
    """Score predictions against golds, each a JSON, a zip, a directory, an `s3://` address or `-` (standard input).

    All tasks of the golds are scored, or `task` alone. The interval is the central 95 % of `n_bootstrap` resamples (0:
    none), of users where the golds carry `user_id`, of samples otherwise. Nothing depends on the order of the items,
    but for `rouge="reference"`, which replaces ROUGE's mean by the median of 1000 resamples that LaMP's own scorer
    reports after `numpy.random.seed(seed)`, samples in the order of the golds. With `allow_missing` tasks and ids
    without a prediction are left out, and the result says how many. Raises `HarnessError`, and of it `SubmissionError`
    for faults of the predictions.
    """
    settings = Settings(n_bootstrap, seed, per_sample, allow_missing, rouge)
    with open_systems(golds, {"": preds}, task, allow_missing) as systems:
        results = {name: scored[""].result for name, scored in systems.scored(settings)}
        return Scores(results, tuple(systems.missing[""]))


@dataclass(frozen=True)
class Systems:
    """Opened golds and the opened predictions of one or more systems; `missing` are the tasks a system lacks."""

    golds: EnvelopeFile
    predictions: Mapping[str, EnvelopeFile]
    tasks: tuple[str, ...]
    missing: Mapping[str, list[str]]

    def scored(self, settings: Settings) -> Iterator[tuple[str, dict[str, ScoredTask]]]:
        """Each task with its score for each system that has it; one task at a time is held in memory."""
        for task in self.tasks:
            golds = self.golds.read(task)
            having = [name for name in self.predictions if task not in self.missing[name]]
            yield task, {name: score_task(golds, self.predictions[name].read(task), settings) for name in having}


@contextmanager
def open_systems(
    golds: str | os.PathLike[str],
    preds: Mapping[str, str | os.PathLike[str]],
    task: str | None = None,
    allow_missing: bool = False,
) -> Iterator[Systems]:
    """Open golds and the predictions of each named system; raises `HarnessError`, `SubmissionError`."""
    _check_named(preds)
    locations = {name: _location(path, "predictions") for name, path in preds.items()}
    given = [_location(golds, "golds"), *locations.values()]
    if given.count("-") > 1:
        raise HarnessError("standard input can be one file only; give the others by name")
    with ExitStack() as stack:
        path, where = stack.enter_context(local(given[0], "golds"))
        gold_file = stack.enter_context(open_golds(path, where=where))
        files = {}
        for name, location in locations.items():
            path, where = stack.enter_context(local(location, "predictions"))
            files[name] = stack.enter_context(open_predictions(path, where=where))
        tasks = _tasks(gold_file, task)
        missing = {name: _missing(tasks, gold_file, file, task, allow_missing) for name, file in files.items()}
        scored = tuple(name for name in tasks if any(name not in lacking for lacking in missing.values()))
        yield Systems(gold_file, files, scored, missing)


def _check_named(preds: object) -> None:
    if not isinstance(preds, Mapping) or not preds or not all(isinstance(name, str) for name in preds):
        raise HarnessError(
            "systems are given by name, as in {'base': 'base.zip', 'tuned': 'tuned.zip'}; give at least one"
        )


def _location(path: object, kind: str) -> str:
    """The place of a file as text; raises `HarnessError` for what can be none."""
    location = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
    if not isinstance(location, str) or not location:
        raise HarnessError(f"{kind} {path!r:.60}: give the path of a file, an s3:// address, or -")
    error = SubmissionError if kind == "predictions" else HarnessError
    if location.lower().endswith(_NOT_SCORED):
        raise error(
            f"{kind} {location}: is not read as it is; make a zip of it first: "
            f"lampworks make-predictions TASK={location} -o preds.zip"
        )
    return location


def _tasks(golds: EnvelopeFile, task: str | None) -> list[str]:
    if task is not None:
        return [registry.canonical(task)]
    for name in golds.tasks:
        try:
            registry.canonical(name)
        except HarnessError as error:
            raise HarnessError(f"{golds.where}: {error}") from None
    return golds.tasks


def _missing(
    tasks: list[str], golds: EnvelopeFile, predictions: EnvelopeFile, task: str | None, allow_missing: bool
) -> list[str]:
    """The tasks of the golds that the predictions lack; raises where that is not allowed, and for tasks of no golds."""
    if task is not None:
        return []
    for name in predictions.tasks:
        if name not in golds.tasks:
            raise SubmissionError(
                f"{predictions.where}: its task is {name[:60]!r}, but the golds hold {shown(golds.tasks)}; "
                "give predictions for those"
            )
    missing = [name for name in tasks if name not in predictions.tasks]
    if missing and not allow_missing:
        raise MissingError(f"{predictions.where}: holds no {shown(missing)}; add what is missing")
    return missing


def score_task(golds: Envelope, predictions: Envelope, settings: Settings) -> ScoredTask:
    """Score one task; raises `HarnessError`, and `SubmissionError` for faults of the predictions."""
    gold, prediction = matched(golds, predictions, settings.allow_missing)
    declared = registry.get(gold.task)
    try:
        samples = declared.samples(gold, prediction)
    except SelectionError:
        if gold is golds:
            raise
        # Which samples to answer was the submitter's choice; the golds' own message is not for them.
        raise SubmissionError(
            f"{prediction.where}: the samples it answers cannot be scored by themselves; answer all of them"
        ) from None
    codes = intervals.cluster_codes(len(gold.ids), gold.users)
    metrics, resampled = measure(declared, samples, codes, settings)
    compat = []
    if settings.rouge == "reference" and {"rouge-1", "rouge-L"} <= metrics.keys():
        metrics = _with_reference_rouge(metrics, samples, gold, settings.seed)
        compat.append("reference_rouge")
    result = Result(
        task=declared.name,
        task_version=declared.version,
        golds_sha256=gold.sha256,
        predictions_sha256=prediction.sha256,
        n=len(gold.ids),
        n_golds=gold.size,
        n_clusters=int(codes.max()) + 1 if gold.users else None,
        cluster=declared.cluster if gold.users else None,
        primary=declared.primary,
        metrics=metrics,
        level=intervals.LEVEL,
        n_bootstrap=settings.n_bootstrap,
        seed=settings.seed,
        harness_version=__version__,
        compat=tuple(compat),
        notes=(*_missing_note(golds, gold), *samples.notes),
        per_sample=_per_sample(gold, samples.columns) if settings.per_sample else None,
    )
    return ScoredTask(gold, prediction, samples, result, resampled)


def values_of(task: registry.Task, samples: registry.Samples) -> dict[str, float]:
    """The bare value of each metric of the task that the samples allow."""
    n = len(next(iter(samples.columns.values())))
    return {
        metric.name: _value(metric, intervals.sums_of(metric.summands(samples.columns), n))
        for metric in _had(task, samples)
    }


def measure(
    task: registry.Task, samples: registry.Samples, codes: NDArray[np.int64], settings: Settings
) -> tuple[dict[str, MetricResult], dict[str, FloatArray]]:
    """Each metric's value, standard error and interval, and its values in the resamples, `(n_bootstrap,)`."""
    chosen = _had(task, samples)
    summands = {metric.name: metric.summands(samples.columns) for metric in chosen}
    # Columns that metrics share are resampled once.
    distinct = {id(column): column for terms in summands.values() for column in terms.values()}
    rng = np.random.default_rng(settings.seed)
    drawn = intervals.bootstrap_sums(
        {str(key): column for key, column in distinct.items()}, codes, settings.n_bootstrap, rng
    )
    metrics, resampled = {}, {}
    for metric in chosen:
        terms = summands[metric.name]
        with np.errstate(divide="ignore", invalid="ignore"):  # a resample may leave a ratio undefined; the note says so
            values = metric.estimate(
                {**{name: drawn[str(id(column))] for name, column in terms.items()}, "n": drawn["n"]}
            )
        resampled[metric.name] = values
        metrics[metric.name] = _measured(metric, terms, codes, values)
    return metrics, resampled


def _measured(
    metric: registry.Metric, terms: Mapping[str, FloatArray], codes: NDArray[np.int64], resampled: FloatArray
) -> MetricResult:
    sums = intervals.sums_of(terms, len(codes))
    error = intervals.clustered_standard_error(metric.estimate, terms, sums, codes)
    interval = intervals.percentile_interval(resampled) if error is not None else None
    note = None
    if error is None:
        note = "a single user or sample has no spread"
    elif interval is None and len(resampled):
        note = f"undefined in {int((~np.isfinite(resampled)).sum())} of {len(resampled)} resamples"
    return MetricResult(_value(metric, sums), error, interval, metric.higher_is_better, note)


def _had(task: registry.Task, samples: registry.Samples) -> list[registry.Metric]:
    return [metric for metric in task.metrics if set(metric.columns) <= samples.columns.keys()]


def _value(metric: registry.Metric, sums: Mapping[str, float]) -> float:
    return float(metric.estimate({name: np.asarray(value) for name, value in sums.items()}))


def _with_reference_rouge(
    metrics: Mapping[str, MetricResult], samples: registry.Samples, golds: Envelope, seed: int
) -> dict[str, MetricResult]:
    from harness.lamp.reference_rouge import reference_rouge

    order = np.argsort(np.array(golds.positions))
    medians = reference_rouge(samples.columns["rouge-1"][order], samples.columns["rouge-L"][order], seed)
    median = f"median of 1000 resamples as in LaMP's scorer, seed {seed}, samples in the order of the golds"
    replaced = dict(metrics)
    for name, value in zip(("rouge-1", "rouge-L"), medians, strict=True):
        mean = metrics[name]
        note = f"{median}; {mean.note}" if mean.note else median
        replaced[name] = MetricResult(value, mean.standard_error, mean.interval, mean.higher_is_better, note)
    return replaced


def _missing_note(read: Envelope, scored: Envelope) -> Iterator[str]:
    if missing := sorted(set(read.ids) - set(scored.ids)):
        share = 100 * len(missing) / read.size
        yield f"{len(missing):,} of {read.size:,} golds ({share:.1f} %) have no prediction and are not scored: {shown(missing)}"


def _per_sample(golds: Envelope, columns: Mapping[str, FloatArray]) -> tuple[Mapping[str, str | float | None], ...]:
    users = golds.users or (None,) * len(golds.ids)
    lists = {
        key: [None if math.isnan(value) else value for value in column.tolist()] for key, column in columns.items()
    }
    return tuple(
        {
            "id": name,
            **({"user_id": user} if user is not None else {}),
            **{key: values[row] for key, values in lists.items()},
        }
        for row, (name, user) in enumerate(zip(golds.ids, users, strict=True))
    )
