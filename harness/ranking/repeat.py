"""Share of repeated items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def repeat_rate(sums: Mapping[str, FloatArray]) -> FloatArray:
    """Listed items that stood earlier in their own list, over all listed items.

    Of all lists together, so a longer list weighs more. RecLM-cgen's Repeat@k counts them per list and divides by k:
    the same number where every list holds k items, a smaller one where lists are shorter.
    Source: Liao et al., Avoid Recommending Out-of-Domain Items, 2025, arXiv 2505.03336.
    """
    return sums["repeated"] / sums["listed"]


REPEAT_RATE = Metric(
    name="repeat_rate",
    columns=("repeated", "listed"),
    estimate=repeat_rate,
    higher_is_better=False,
    formula="items listed again in the same list / items listed, over all lists together",
    source="Liao et al. 2025, arXiv 2505.03336",
)
