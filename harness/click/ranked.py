"""Means over the impressions that can be ranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from harness.registry import Metric

if TYPE_CHECKING:
    from harness.registry import FloatArray


def mean_over_ranked(name: str, formula: str, source: str) -> Metric:
    """The metric that is the mean of the column of its name over the impressions of which `ranked` is 1."""
    return Metric(
        name=name,
        columns=(name, "ranked"),
        terms=_terms(name),
        estimate=lambda sums: sums[name] / sums["ranked"],
        higher_is_better=True,
        formula=formula,
        source=source,
    )


def _terms(name: str) -> Callable[[Mapping[str, FloatArray]], Mapping[str, FloatArray]]:
    def terms(columns: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
        return {name: np.where(columns["ranked"] > 0, columns[name], 0.0), "ranked": columns["ranked"]}

    return terms
