"""Normalised discounted cumulative gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.ranking.ranks import Hits
from harness.registry import Metric, mean_of

if TYPE_CHECKING:
    from harness.registry import FloatArray

CUTOFFS = (5, 10, 20)


def discounts(n: int) -> FloatArray:
    """1 / log2(rank + 1) of the ranks 1 to n, `(n,)`."""
    ranks = np.arange(1.0, n + 1.0)
    return np.reciprocal(np.log2(ranks + 1.0))


def ndcg(hits: Hits, k: int) -> FloatArray:
    """Sum of 1 / log2(rank + 1) over the hits within rank k, over that of the best list, `(n_samples,)`.

    The best list has its first min(k, number of relevant items) places relevant, however short the list given is.
    With one relevant item it is 1 / log2(rank + 1), and NDCG@1 is HR@1 always.
    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, ACM TOIS 20(4), 2002, with the
    discount of Burges et al., ICML 2005.
    """
    gains = np.zeros(len(hits.rank))
    within = hits.rank <= k
    gains[within] = discounts(k)[hits.rank[within] - 1]
    ideal = np.cumsum(discounts(k))
    best: FloatArray = ideal[np.minimum(k, hits.relevant) - 1]
    return hits.total(gains) / best


NDCGS = tuple(
    Metric(
        name=f"NDCG@{k}",
        columns=(f"NDCG@{k}",),
        estimate=mean_of(f"NDCG@{k}"),
        higher_is_better=True,
        formula=f"mean over samples of DCG@{k} / IDCG@{k}, DCG = sum over hits of 1 / log2(rank + 1)",
        source="Järvelin and Kekäläinen 2002, ACM TOIS 20(4)",
    )
    for k in CUTOFFS
)
