"""Mean absolute error."""

from __future__ import annotations

from harness.registry import Metric, mean_of

MAE = Metric(
    name="MAE",
    columns=("absolute_error",),
    estimate=mean_of("absolute_error"),
    higher_is_better=False,
    formula="mean of |prediction - gold|, in stars",
    source="Salemi et al. 2023, LaMP, arXiv 2304.11406",
)
