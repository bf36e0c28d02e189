"""Label ranking average precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.click.ranked import mean_over_ranked
from harness.click.ranks import TiedBlocks

if TYPE_CHECKING:
    from harness.registry import FloatArray


def label_ranking_average_precision(blocks: TiedBlocks) -> FloatArray:
    """Mean over positives of the share of positives among the candidates that score as high or higher.

    `(n_impressions,)`. As scikit-learn has it, candidates tied with a positive all count as being above it: unlike the
    other metrics, this is no mean over the orders of ties. ONCE's tables call it MRR.
    Source: Tsoumakas, Katakis and Vlahavas, Mining Multi-label Data, 2010.
    """
    precision: FloatArray = (blocks.positives_above + blocks.positives) / (blocks.above + blocks.size)
    return blocks.total(blocks.positives * precision) / blocks.n_positives


LRAP = mean_over_ranked(
    name="LRAP",
    formula="mean over impressions of the mean over positives of |positives scored >= it| / |candidates scored >= it|",
    source="Tsoumakas et al. 2010; sklearn.metrics.label_ranking_average_precision_score",
)
