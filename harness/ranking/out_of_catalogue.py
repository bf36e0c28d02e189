"""Share of items that are not in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def out_of_catalogue_rate(sums: Mapping[str, FloatArray]) -> FloatArray:
    """Listed items that are not in the golds' catalogue, over all listed items; left out without a catalogue.

    Of all lists together, so a longer list weighs more; items are compared exactly, and one that is listed again counts
    again. RecLM-cgen's OOD@k counts them per list and divides by k: the same number where every list holds k items, a
    smaller one where lists are shorter.
    Source: Liao et al., Avoid Recommending Out-of-Domain Items, 2025, arXiv 2505.03336.
    """
    return sums["out_of_catalogue"] / sums["listed"]


OUT_OF_CATALOGUE_RATE = Metric(
    name="out_of_catalogue_rate",
    columns=("out_of_catalogue", "listed"),
    estimate=out_of_catalogue_rate,
    higher_is_better=False,
    formula="items listed that are not in the catalogue / items listed, over all lists together",
    source="Liao et al. 2025, arXiv 2505.03336",
)
