"""Normalised discounted cumulative gain of an impression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.click.ranked import mean_over_ranked
from harness.click.ranks import TiedBlocks
from harness.ranking.ndcg import discounts

if TYPE_CHECKING:
    from harness.registry import FloatArray

CUTOFFS = (1, 5, 10)


def ndcg(blocks: TiedBlocks, k: int) -> FloatArray:
    """Sum of 1 / log2(rank + 1) over the positives within rank k, over the largest possible, `(n_impressions,)`.

    Tied candidates share the discounts of the ranks they span, as in scikit-learn.
    Source: Järvelin and Kekäläinen, ACM TOIS 20(4), 2002; ties: McSherry and Najork, ECIR 2008.
    """
    most = int((blocks.n_positives + blocks.n_negatives).max())
    gains = discounts(max(k, most))
    gains[k:] = 0.0
    ideal = np.cumsum(gains)[blocks.n_positives - 1]
    # Sums of shared discounts may pass the ideal by a rounding.
    return np.minimum(blocks.total(blocks.positives * blocks.expected_gain(gains)) / ideal, 1.0)


NDCGS = tuple(
    mean_over_ranked(
        name=f"nDCG@{k}",
        formula=f"mean over impressions of DCG@{k} / IDCG@{k}, DCG = sum over positives of 1 / log2(rank + 1); "
        "ties: mean over their orders",
        source="Järvelin and Kekäläinen 2002, ACM TOIS 20(4); ties: McSherry and Najork 2008, ECIR",
    )
    for k in CUTOFFS
)
