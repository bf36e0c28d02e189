"""Policy value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def policy_value(sums: Mapping[str, FloatArray]) -> FloatArray:
    """V(pi) = E_x[sum_a pi(a|x) r(x, a)], exact over the actions.

    Source: Saito et al., Open Bandit Dataset and Pipeline, 2021, arXiv 2008.07146.
    """
    return sums["value"] / sums["n"]


POLICY_VALUE = Metric(
    name="policy_value",
    columns=("value",),
    estimate=policy_value,
    higher_is_better=True,
    formula="V(pi) = mean over contexts of sum_a pi(a|x) r(x, a)",
    source="Saito et al. 2021, arXiv 2008.07146",
)
