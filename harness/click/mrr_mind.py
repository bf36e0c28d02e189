"""MIND's mean reciprocal rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.click.ranked import mean_over_ranked
from harness.click.ranks import TiedBlocks

if TYPE_CHECKING:
    from harness.registry import FloatArray


def mean_reciprocal_rank(blocks: TiedBlocks) -> FloatArray:
    """Mean of 1 / rank over the positives of an impression, expected over the orders of ties, `(n_impressions,)`.

    With several positives its best value is below 1 (0.75 with two); with one it is `MRR`.
    Source: Wu et al., MIND: A Large-scale Dataset for News Recommendation, ACL 2020.
    """
    most = int((blocks.n_positives + blocks.n_negatives).max())
    reciprocal_ranks = 1.0 / np.arange(1, most + 1)
    return blocks.total(blocks.positives * blocks.expected_gain(reciprocal_ranks)) / blocks.n_positives


MRR_MIND = mean_over_ranked(
    name="MRR_mind",
    formula="mean over impressions of the mean of 1 / rank over all positives; ties: mean over their orders",
    source="Wu et al. 2020, ACL (MIND); ties: McSherry and Najork 2008, ECIR",
)
