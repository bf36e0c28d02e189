"""ROUGE-1."""

from __future__ import annotations

from harness.registry import Metric, mean_of

ROUGE_1 = Metric(
    name="rouge-1",
    columns=("rouge-1",),
    estimate=mean_of("rouge-1"),
    higher_is_better=True,
    formula="mean of F = 2PR / (P + R), P and R the clipped unigram overlap over the tokens of prediction and gold",
    source="Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries",
)
