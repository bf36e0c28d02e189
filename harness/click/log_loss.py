"""Log-loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from harness.click.candidates import Candidates
from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray

_EPS = float(np.finfo(np.float64).eps)


def impression_log_loss(candidates: Candidates) -> FloatArray:
    """Mean over the candidates of an impression of -ln(p) for a positive and -ln(1 - p) for a negative.

    `(n_impressions,)`, in nats. The score p is the probability of a click, held between eps and 1 - eps with eps = 2.2e-16
    as in scikit-learn, so that a sure mistake costs 36, not infinity.
    Source: Bishop, Pattern Recognition and Machine Learning, 2006, page 209.
    """
    p = np.clip(candidates.scores, _EPS, 1.0 - _EPS)
    losses = -np.log(np.where(candidates.labels == 1, p, 1.0 - p))
    return np.bincount(candidates.impression, weights=losses) / candidates.sizes


def _terms(columns: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
    return {"loss": columns["log_loss"] * columns["candidates"], "candidates": columns["candidates"]}


def _mean_over_candidates(sums: Mapping[str, FloatArray]) -> FloatArray:
    return sums["loss"] / sums["candidates"]


LOG_LOSS = Metric(
    name="log_loss",
    columns=("log_loss", "candidates"),
    terms=_terms,
    estimate=_mean_over_candidates,
    higher_is_better=False,
    formula="mean over all candidates of -y ln(p) - (1 - y) ln(1 - p), p held within [eps, 1 - eps]; "
    "left out where a score is outside [0, 1]",
    source="Bishop 2006, page 209; sklearn.metrics.log_loss",
)
