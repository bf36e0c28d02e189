"""Root mean squared error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def rmse(sums: Mapping[str, FloatArray]) -> FloatArray:
    """sqrt(mean of (prediction - gold)^2), in stars. Source: Salemi et al. 2023, LaMP, arXiv 2304.11406."""
    root: FloatArray = np.sqrt(sums["squared_error"] / sums["n"])
    return root


RMSE = Metric(
    name="RMSE",
    columns=("squared_error",),
    estimate=rmse,
    higher_is_better=False,
    formula="square root of the mean of (prediction - gold)^2, in stars",
    source="Salemi et al. 2023, LaMP, arXiv 2304.11406",
)
