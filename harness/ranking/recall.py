"""Recall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ranking.ranks import Hits
from harness.registry import Metric, mean_of

if TYPE_CHECKING:
    from harness.registry import FloatArray

CUTOFFS = (5, 10, 20)


def recall(hits: Hits, k: int) -> FloatArray:
    """Share of a sample's relevant items that are among the first k listed, `(n_samples,)`.

    The divisor is the number of relevant items, also where that is more than k; with one relevant item it is HR@k.
    Source: Cremonesi, Koren and Turrin, Performance of Recommender Algorithms on Top-N Tasks, RecSys 2010.
    """
    return hits.total((hits.rank <= k).astype(float)) / hits.relevant


RECALLS = tuple(
    Metric(
        name=f"Recall@{k}",
        columns=(f"Recall@{k}",),
        estimate=mean_of(f"Recall@{k}"),
        higher_is_better=True,
        formula=f"mean over samples of |relevant among the first {k} listed| / |relevant|",
        source="Cremonesi et al. 2010, RecSys",
    )
    for k in CUTOFFS
)
