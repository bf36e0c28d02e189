"""Hit ratio of an impression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.click.ranked import mean_over_ranked
from harness.click.ranks import TiedBlocks

if TYPE_CHECKING:
    from harness.registry import FloatArray

CUTOFFS = (5, 10)


def hit_ratio(blocks: TiedBlocks, k: int) -> FloatArray:
    """Whether any positive is within rank k: 1 or 0, between them the probability over the orders of ties.

    `(n_impressions,)`. ONCE's code keeps the order of the file within ties, which can score equal scores as perfect.
    Source: Deshpande and Karypis, ACM TOIS 22(1), 2004; ties: McSherry and Najork, ECIR 2008.
    """
    value = np.zeros(len(blocks.n_positives))
    for rows, rank, probability in blocks.first_positive():
        value[rows] += probability * (rank <= k)
    return np.minimum(value, 1.0)  # a sum of probabilities may pass 1 by a rounding


HIT_RATIOS = tuple(
    mean_over_ranked(
        name=f"HitRatio@{k}",
        formula=f"mean over impressions of [any positive within rank {k}]; ties: mean over their orders",
        source="Deshpande and Karypis 2004, ACM TOIS 22(1); ties: McSherry and Najork 2008, ECIR",
    )
    for k in CUTOFFS
)
