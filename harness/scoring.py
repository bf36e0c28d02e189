"""Golds and predictions in, result out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from harness import __version__, intervals, registry
from harness.envelope import Envelope, read_golds, read_predictions
from harness.errors import HarnessError
from harness.result import MetricResult, Result

if TYPE_CHECKING:
    from harness.registry import FloatArray

_MOST_RESAMPLES = 100_000


def score(
    golds: str | os.PathLike[str],
    preds: str | os.PathLike[str],
    *,
    task: str | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    per_sample: bool = False,
) -> Result:
    """Score predictions against golds, each a JSON, a zip or a directory.

    `task` is needed only where the golds hold several. The interval is the central 95 % of `n_bootstrap` resamples (0:
    none), of users where the golds carry `user_id`, of samples otherwise. Nothing depends on the order of the items.
    Raises `HarnessError`, and of it `SubmissionError` for faults of the predictions.
    """
    if not 0 <= n_bootstrap <= _MOST_RESAMPLES or seed < 0:
        raise HarnessError(
            f"n_bootstrap is {n_bootstrap} and seed {seed}: give 0 to {_MOST_RESAMPLES:,} resamples and a seed from 0"
        )
    gold = read_golds(golds, task)
    prediction = read_predictions(preds, gold)
    declared = registry.get(gold.task)
    columns = declared.columns(gold, prediction)
    codes = intervals.cluster_codes(len(gold.ids), gold.users)
    resampled = intervals.bootstrap_means(columns, codes, n_bootstrap, np.random.default_rng(seed))
    return Result(
        task=declared.name,
        task_version=declared.version,
        golds_sha256=gold.sha256,
        predictions_sha256=prediction.sha256,
        n=len(gold.ids),
        n_clusters=int(codes.max()) + 1 if gold.users else None,
        cluster=declared.cluster if gold.users else None,
        primary=declared.primary,
        metrics={metric.name: _measure(metric, columns, codes, resampled) for metric in declared.metrics},
        level=intervals.LEVEL,
        n_bootstrap=n_bootstrap,
        seed=seed,
        harness_version=__version__,
        compat=tuple(sorted(declared.compat)),
        per_sample=_samples(gold, columns) if per_sample else None,
    )


def _measure(
    metric: registry.Metric,
    columns: Mapping[str, FloatArray],
    codes: np.ndarray[tuple[int], np.dtype[np.int64]],
    resampled: Mapping[str, FloatArray],
) -> MetricResult:
    value = float(metric.estimate({name: np.asarray(column.mean()) for name, column in columns.items()}))
    error = intervals.clustered_standard_error(metric.estimate, columns, codes)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample may leave a ratio undefined; the note says so
        values = metric.estimate(resampled)
    interval = intervals.percentile_interval(values) if error is not None else None
    note = None
    if error is None:
        note = "a single user or sample has no spread"
    elif interval is None and len(values):
        note = f"undefined in {int((~np.isfinite(values)).sum())} of {len(values)} resamples"
    return MetricResult(value, error, interval, metric.higher_is_better, note)


def _samples(golds: Envelope, columns: Mapping[str, FloatArray]) -> tuple[Mapping[str, str | float], ...]:
    users = golds.users or (None,) * len(golds.ids)
    return tuple(
        {
            "id": name,
            **({"user_id": user} if user is not None else {}),
            **{key: float(column[i]) for key, column in columns.items()},
        }
        for i, (name, user) in enumerate(zip(golds.ids, users, strict=True))
    )
