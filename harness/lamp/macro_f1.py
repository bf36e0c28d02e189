"""Macro F1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def macro_f1(n_labels: int) -> Metric:
    """Mean over all labels k of F1_k = 2 TP_k / (2 TP_k + FP_k + FN_k), 0 for a label neither in golds nor predicted.

    What is no label has no F1 of its own: predicted, it is a miss of the gold's label; in the golds, a false alarm of
    the predicted one. Source: Sokolova and Lapalme, Information Processing and Management 45(4), 2009.
    """

    def terms(columns: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
        found: dict[str, FloatArray] = {}
        for label in range(n_labels):
            gold, predicted = columns["gold_label"] == label, columns["predicted_label"] == label
            found[f"hits_{label}"] = (gold & predicted).astype(np.float64)
            # 2 TP + FP + FN is the number of times the label stands in golds and predictions together.
            found[f"counts_{label}"] = gold.astype(np.float64) + predicted
        return found

    def estimate(sums: Mapping[str, FloatArray]) -> FloatArray:
        hits = np.stack([sums[f"hits_{label}"] for label in range(n_labels)], axis=-1)
        counts = np.stack([sums[f"counts_{label}"] for label in range(n_labels)], axis=-1)
        # The mean over the last axis of a contiguous array: numpy adds in the same order as for a plain vector.
        mean: FloatArray = np.mean(2.0 * hits / (counts + (counts == 0)), axis=-1)
        return mean

    return Metric(
        name="f1",
        columns=("gold_label", "predicted_label"),
        terms=terms,
        estimate=estimate,
        higher_is_better=True,
        formula="mean over all labels of 2 TP / (2 TP + FP + FN), 0 for a label that occurs nowhere",
        source="Sokolova and Lapalme 2009, IP&M 45(4) (macro-averaged F1)",
    )
