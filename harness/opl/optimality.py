"""Optimality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def optimality(sums: Mapping[str, FloatArray]) -> FloatArray:
    """(V(pi) - V_uniform) / (V_optimal - V_uniform): 1 is the best policy, 0 the uniform one, less is worse than that.

    Source: Kiyohara et al., OfflinePrompts, RecSys 2025, arXiv 2504.02646.
    """
    return (sums["value"] - sums["uniform"]) / (sums["optimal"] - sums["uniform"])


OPTIMALITY = Metric(
    name="optimality",
    columns=("value", "uniform", "optimal"),
    estimate=optimality,
    higher_is_better=True,
    formula="(V(pi) - V_uniform) / (V_optimal - V_uniform)",
    source="Kiyohara et al. 2025, arXiv 2504.02646",
)
