"""The task `click`: do the scores of an impression's candidates rank those that were clicked first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.click.candidates import Candidates, read_candidates
from harness.click.gauc import GAUC, auc
from harness.click.hit_ratio import CUTOFFS as HIT_CUTOFFS
from harness.click.hit_ratio import HIT_RATIOS, hit_ratio
from harness.click.log_loss import LOG_LOSS, impression_log_loss
from harness.click.lrap import LRAP, label_ranking_average_precision
from harness.click.mrr import MRR, reciprocal_rank
from harness.click.mrr_mind import MRR_MIND, mean_reciprocal_rank
from harness.click.ndcg import CUTOFFS as NDCG_CUTOFFS
from harness.click.ndcg import NDCGS, ndcg
from harness.click.ranks import TiedBlocks, tied_blocks
from harness.envelope import Envelope
from harness.errors import SelectionError
from harness.registry import Samples, Task

if TYPE_CHECKING:
    from harness.registry import FloatArray


def click_samples(golds: Envelope, predictions: Envelope) -> Samples:
    """The metrics of each impression; all but `log_loss` are NaN where it has no positive or no negative.

    Raises `HarnessError` for golds that are no lists of labels, `SelectionError` where no impression has both, and
    `SubmissionError` for predictions that are not one finite number for each candidate.
    """
    candidates = read_candidates(golds, predictions)
    positives = candidates.positives
    ranked = (positives > 0) & (positives < candidates.sizes)
    if not ranked.any():
        raise SelectionError(
            f"{golds.where}: no impression holds both a positive and a negative, so nothing can be ranked; "
            "give impressions with clicked and unclicked candidates"
        )
    notes = []
    if left_out := int((~ranked).sum()):
        notes.append(
            f"{left_out:,} of {len(ranked):,} impressions lack a positive or a negative; only log_loss counts them"
        )
    columns = {}
    for name, values in _rank_metrics(tied_blocks(candidates.of(ranked))).items():
        columns[name] = np.full(len(ranked), np.nan)
        columns[name][ranked] = values
    columns["ranked"] = ranked.astype(np.float64)
    columns["candidates"] = candidates.sizes.astype(np.float64)
    if outside := _outside(candidates):
        notes.append(
            f"log_loss is left out: {outside:,} of {len(ranked):,} impressions {'has' if outside == 1 else 'have'} "
            "a score outside 0 to 1, no probability"
        )
    else:
        columns["log_loss"] = impression_log_loss(candidates)
    return Samples(columns, tuple(notes))


def _rank_metrics(blocks: TiedBlocks) -> dict[str, FloatArray]:
    columns = {
        "GAUC": auc(blocks),
        "MRR": reciprocal_rank(blocks),
        "MRR_mind": mean_reciprocal_rank(blocks),
        "LRAP": label_ranking_average_precision(blocks),
    }
    columns |= {f"nDCG@{k}": ndcg(blocks, k) for k in NDCG_CUTOFFS}
    return columns | {f"HitRatio@{k}": hit_ratio(blocks, k) for k in HIT_CUTOFFS}


def _outside(candidates: Candidates) -> int:
    """The number of impressions with a score that is no probability."""
    wrong = (candidates.scores < 0) | (candidates.scores > 1)
    return len(np.unique(candidates.impression[wrong]))


CLICK = Task(
    name="click",
    version=1,
    summary="scores of the candidates of an impression against the clicks",
    gold_output="a list of labels, 1 (clicked) or 0, one for each candidate of the impression",
    prediction_output="a list of scores, one for each candidate in their order; the highest is ranked first",
    metrics=(GAUC, MRR, MRR_MIND, LRAP, *NDCGS, *HIT_RATIOS, LOG_LOSS),
    primary="GAUC",
    samples=click_samples,
)
