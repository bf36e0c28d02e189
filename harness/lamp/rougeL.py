"""ROUGE-L."""

from __future__ import annotations

from harness.registry import Metric, mean_of

ROUGE_L = Metric(
    name="rouge-L",
    columns=("rouge-L",),
    estimate=mean_of("rouge-L"),
    higher_is_better=True,
    formula="mean of F = 2PR / (P + R), P and R the longest common subsequence over the tokens of prediction and gold",
    source="Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries",
)
