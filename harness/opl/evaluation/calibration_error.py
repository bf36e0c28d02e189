"""Expected calibration error: whether what is said to happen with probability p happens with frequency p."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import checked_count, checked_shape


def expected_calibration_error(probability: ArrayLike, happened: ArrayLike, n_bins: int = 10) -> float:
    """sum_b |B_b| / n |mean of `probability` in B_b - mean of `happened` in B_b|, over bins of about equal numbers.

    Bins end at the quantiles of `probability`, so that many actions of small probability are told apart; equal ones
    share a bin. 0 is perfect, but needs n >> n_bins: noise alone gives about sqrt(p (1 - p) n_bins / n).

    Source: Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015;
    bins of equal numbers: Nguyen and O'Connor, Posterior calibration and exploratory analysis for natural language
    processing models, EMNLP 2015.

    Args:
        probability: in [0, 1], of any shape: for propensities, `(n_rounds, n_actions)`.
        happened: 0 or 1, of the same shape: for propensities, `np.eye(n_actions)[action]`.
        n_bins: at least 1.
    """
    shape = np.shape(probability)
    said = checked_shape("probability", probability, shape, "").ravel()
    seen = checked_shape("happened", happened, shape, "that of probability,").ravel()
    if not said.size or said.min() < 0 or said.max() > 1 or not np.isin(seen, (0, 1)).all():
        raise HarnessError("probability, happened: give numbers in [0, 1] and what came of each, 0 or 1")
    checked_count("n_bins", n_bins)
    edges = np.quantile(said, np.linspace(0, 1, n_bins + 1)[1:-1])
    apart = np.bincount(np.searchsorted(edges, said), said - seen)
    return float(np.abs(apart).sum() / said.size)
