"""Area under the ROC curve of each impression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.click.ranked import mean_over_ranked
from harness.click.ranks import TiedBlocks

if TYPE_CHECKING:
    from harness.registry import FloatArray


def auc(blocks: TiedBlocks) -> FloatArray:
    """Share of the pairs of a positive and a negative in which the positive scores higher, a tie being half a pair.

    `(n_impressions,)`. From the sum R of the positives' ranks, in integers and halves, so exact up to the division:
    (P N + P (P + 1) / 2 - R) / (P N), with P positives and N negatives.
    Source: Fawcett, An Introduction to ROC Analysis, Pattern Recognition Letters 27(8), 2006.
    """
    pairs = blocks.n_positives * blocks.n_negatives
    ranks = blocks.total(blocks.positives * (blocks.above + (blocks.size + 1) / 2))
    return (pairs + blocks.n_positives * (blocks.n_positives + 1) / 2 - ranks) / pairs


GAUC = mean_over_ranked(
    name="GAUC",
    formula="mean over impressions of the AUC within the impression; ties count half",
    source="Wu et al. 2020, ACL (MIND's AUC); Fawcett 2006",
)
