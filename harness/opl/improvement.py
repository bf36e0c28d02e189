"""Improvement over the logging policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def improvement_over_logging(sums: Mapping[str, FloatArray]) -> FloatArray:
    """V(pi) - V(pi_0), what was gained over the policy that wrote the log.

    Source: Thomas et al., High Confidence Policy Improvement, ICML 2015.
    """
    return (sums["value"] - sums["logging"]) / sums["n"]


IMPROVEMENT_OVER_LOGGING = Metric(
    name="improvement_over_logging",
    columns=("value", "logging"),
    estimate=improvement_over_logging,
    higher_is_better=True,
    formula="V(pi) - V(pi_0)",
    source="Thomas et al. 2015, ICML",
)
