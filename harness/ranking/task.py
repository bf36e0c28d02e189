"""The task `ranking`: how well do lists of recommended items, the best first, find the relevant ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.envelope import Envelope
from harness.ranking.hit_rate import CUTOFFS as HR_CUTOFFS
from harness.ranking.hit_rate import HIT_RATES, hit_rate
from harness.ranking.mrr import MRR, reciprocal_rank
from harness.ranking.ndcg import CUTOFFS as NDCG_CUTOFFS
from harness.ranking.ndcg import NDCGS, ndcg
from harness.ranking.out_of_catalogue import OUT_OF_CATALOGUE_RATE
from harness.ranking.ranks import Hits, find_hits
from harness.ranking.recall import CUTOFFS as RECALL_CUTOFFS
from harness.ranking.recall import RECALLS, recall
from harness.ranking.relevance import read_relevance
from harness.ranking.repeat import REPEAT_RATE
from harness.registry import Samples, Task

if TYPE_CHECKING:
    from harness.registry import FloatArray


def ranking_samples(golds: Envelope, predictions: Envelope) -> Samples:
    """The metrics of each list, and how many of its items are listed, repeated and not in the catalogue.

    Raises `HarnessError` for golds without a relevant item or with items of two kinds, and `SubmissionError` for a
    prediction that is no list of at most 1,000 items of that kind. An empty list is allowed: it finds nothing.
    """
    hits = find_hits(read_relevance(golds), predictions)
    columns = {f"HR@{k}": hit_rate(hits, k) for k in HR_CUTOFFS}
    columns |= {f"NDCG@{k}": ndcg(hits, k) for k in NDCG_CUTOFFS}
    columns |= {f"Recall@{k}": recall(hits, k) for k in RECALL_CUTOFFS}
    columns["MRR"] = reciprocal_rank(hits)
    return Samples(columns | _counts(hits), _notes(hits))


def _counts(hits: Hits) -> dict[str, FloatArray]:
    if not hits.listed.any():
        return {}  # shares of no items are undefined
    counts = {"listed": hits.listed.astype(float), "repeated": hits.repeated.astype(float)}
    if hits.out_of_catalogue is not None:
        counts["out_of_catalogue"] = hits.out_of_catalogue.astype(float)
    return counts


def _notes(hits: Hits) -> tuple[str, ...]:
    notes = []
    if empty := int((hits.listed == 0).sum()):
        notes.append(f"{empty:,} of {len(hits.listed):,} lists are empty and count as finding nothing")
    longest = int(hits.listed.max())
    if beyond := [str(k) for k in HR_CUTOFFS if k > longest > 0]:
        notes.append(f"no list holds more than {longest:,} items, fewer than @{' and @'.join(beyond)} look at")
    return tuple(notes)


RANKING = Task(
    name="ranking",
    version=1,
    summary="ordered lists of recommended items against the relevant ones",
    gold_output='an item or a list of items, all strings or all integers; optional settings {"catalogue": [all items]}',
    prediction_output="the list of recommended items, the best first, at most 1,000",
    metrics=(*HIT_RATES, *NDCGS, *RECALLS, MRR, OUT_OF_CATALOGUE_RATE, REPEAT_RATE),
    primary="NDCG@10",
    samples=ranking_samples,
    settings=True,
)
