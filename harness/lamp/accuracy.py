"""Accuracy."""

from __future__ import annotations

from harness.registry import Metric, mean_of

ACCURACY = Metric(
    name="accuracy",
    columns=("correct",),
    estimate=mean_of("correct"),
    higher_is_better=True,
    formula="share of samples whose predicted label is the gold label",
    source="Salemi et al. 2023, LaMP, arXiv 2304.11406",
)
