"""Mean reciprocal rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.ranking.ranks import Hits
from harness.registry import Metric, mean_of

if TYPE_CHECKING:
    from harness.registry import FloatArray


def reciprocal_rank(hits: Hits) -> FloatArray:
    """1 / rank of the first relevant item in the whole list, 0 where none is listed, `(n_samples,)`.

    Source: Voorhees, The TREC-8 Question Answering Track Report, 1999.
    """
    value = np.zeros(len(hits.listed))
    np.maximum.at(value, hits.sample, 1.0 / hits.rank)
    return value


MRR = Metric(
    name="MRR",
    columns=("MRR",),
    estimate=mean_of("MRR"),
    higher_is_better=True,
    formula="mean over samples of 1 / rank of the first relevant item listed, 0 where none is",
    source="Voorhees 1999, TREC-8",
)
