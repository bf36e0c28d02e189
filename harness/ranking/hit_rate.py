"""Hit rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ranking.ranks import Hits
from harness.registry import Metric, mean_of

if TYPE_CHECKING:
    from harness.registry import FloatArray

CUTOFFS = (1, 5, 10, 20)


def hit_rate(hits: Hits, k: int) -> FloatArray:
    """1 where any of the first k items listed is relevant, else 0, `(n_samples,)`.

    Source: Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms, ACM TOIS 22(1), 2004.
    """
    return (hits.total((hits.rank <= k).astype(float)) > 0).astype(float)


HIT_RATES = tuple(
    Metric(
        name=f"HR@{k}",
        columns=(f"HR@{k}",),
        estimate=mean_of(f"HR@{k}"),
        higher_is_better=True,
        formula=f"mean over samples of [any relevant item among the first {k} listed]",
        source="Deshpande and Karypis 2004, ACM TOIS 22(1)",
    )
    for k in CUTOFFS
)
