"""Mean reciprocal rank of the first positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.click.ranked import mean_over_ranked
from harness.click.ranks import TiedBlocks

if TYPE_CHECKING:
    from harness.registry import FloatArray


def reciprocal_rank(blocks: TiedBlocks) -> FloatArray:
    """1 / rank of the first positive, expected over the orders of ties, `(n_impressions,)`.

    ONCE's code calls this MRR0; its paper's MRR is LRAP, and MIND's is `MRR_mind`.
    Source: Voorhees, The TREC-8 Question Answering Track Report, 1999.
    """
    value = np.zeros(len(blocks.n_positives))
    for rows, rank, probability in blocks.first_positive():
        value[rows] += probability / rank
    return value


MRR = mean_over_ranked(
    name="MRR",
    formula="mean over impressions of 1 / rank of the first positive; ties: mean over their orders",
    source="Voorhees 1999, TREC-8; ties: McSherry and Najork 2008, ECIR",
)
