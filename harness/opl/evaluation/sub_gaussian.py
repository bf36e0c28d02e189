"""Weights under a power mean with 1, which makes the estimate's deviations sub-Gaussian."""

from __future__ import annotations

import numpy as np

from harness.opl.evaluation.arrays import FloatArray


def sub_gaussian_weight(weight: FloatArray, lambda_: float) -> FloatArray:
    """w / (1 - lambda + lambda w), `(n_rounds,)`: at most 1 / lambda, and 0 where w is.

    Source: Metelli, Russo and Restelli, Subgaussian and differentiable importance sampling for off-policy evaluation
    and learning, NeurIPS 2021, with exponent s = -1.
    """
    positive = weight > 0
    scale = np.where(positive, 1 - lambda_ + lambda_ * weight, 1.0)  # lambda = 1 would divide 0 by 0
    shrunk: FloatArray = weight / scale
    return shrunk
