"""Regret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def regret(sums: Mapping[str, FloatArray]) -> FloatArray:
    """V_optimal - V(pi), the mean of the simple regret over contexts.

    Source: Lattimore and Szepesvari, Bandit Algorithms, 2020, chapter 33.
    """
    return (sums["optimal"] - sums["value"]) / sums["n"]


REGRET = Metric(
    name="regret",
    columns=("value", "optimal"),
    estimate=regret,
    higher_is_better=False,
    formula="V_optimal - V(pi)",
    source="Lattimore and Szepesvari 2020, chapter 33 (simple regret)",
)
