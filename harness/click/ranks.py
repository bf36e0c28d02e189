"""Ranks of the positives among tied candidates: the one sort that all ranking metrics of `click` share.

Candidates of equal score have no order of their own, and the order of the file must not lend them one. Every metric
but LRAP is therefore its expectation over all orders of the tied candidates, each as likely as any other (McSherry and
Najork, ECIR 2008), in closed form: the same as AUC's half points for ties, and as scikit-learn's NDCG. MIND's and
ONCE's own scripts break ties by the place in the file; without ties all agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.click.candidates import Candidates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

    IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class TiedBlocks:
    """Runs of candidates of equal score that hold a positive, by impression and then by falling score.

    Of each block, `(n_blocks,)`: its `impression`, the number of candidates scored higher (`above`) and of positives
    among those (`positives_above`), the number of candidates in it (`size`) and of positives among them (`positives`).
    Of each impression, `(n_impressions,)`: `n_positives` and `n_negatives`, neither of them 0.
    """

    impression: IntArray
    above: IntArray
    positives_above: IntArray
    size: IntArray
    positives: IntArray
    n_positives: IntArray
    n_negatives: IntArray

    def total(self, values: FloatArray) -> FloatArray:
        """Sum of `values`, one for each block, over the blocks of each impression, `(n_impressions,)`."""
        # bincount adds in order of rank, as sums of gains are formed, so that a perfect ranking scores 1 exactly.
        return np.bincount(self.impression, weights=values, minlength=len(self.n_positives)).astype(np.float64)

    def expected_gain(self, gains: FloatArray) -> FloatArray:
        """Mean of `gains`, of which the first is rank 1's, over the ranks that each block spans, `(n_blocks,)`."""
        sums = np.concatenate(([0.0], np.cumsum(gains)))
        mean: FloatArray = (sums[self.above + self.size] - sums[self.above]) / self.size
        return mean

    def first_positive(self) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        """Where the first positive of each impression may rank: rows of impressions, their ranks, the probabilities.

        One triple for the first place in each impression's leading block, one for the second, and so on; the
        probabilities of an impression sum to 1.
        """
        leading = self.positives_above == 0
        above, size, positives = self.above[leading], self.size[leading], self.positives[leading]
        rows, none_yet = np.arange(len(above)), np.ones(len(above))
        place = 0
        while len(rows):
            chance = positives[rows] / (size[rows] - place)
            place += 1
            yield rows, above[rows] + place, none_yet * chance
            none_yet = none_yet * (1.0 - chance)
            rows, none_yet = rows[chance < 1], none_yet[chance < 1]


def tied_blocks(candidates: Candidates) -> TiedBlocks:
    """Sort the candidates of each impression by score; every impression must hold a positive and a negative."""
    starts = np.cumsum(candidates.sizes) - candidates.sizes
    order = _order(candidates, starts)
    scores, labels = candidates.scores[order], candidates.labels[order]
    opens = np.empty(len(scores), dtype=np.bool_)
    opens[1:] = scores[1:] != scores[:-1]
    opens[starts] = True
    first = np.flatnonzero(opens)
    positives = np.add.reduceat(labels, first)
    impression = candidates.impression[first]
    n_positives = candidates.positives
    positives_above = np.cumsum(positives) - positives - (np.cumsum(n_positives) - n_positives)[impression]
    kept = positives > 0
    return TiedBlocks(
        impression=impression[kept],
        above=(first - starts[impression])[kept],
        positives_above=positives_above[kept],
        size=np.diff(first, append=len(scores))[kept],
        positives=positives[kept],
        n_positives=n_positives,
        n_negatives=candidates.sizes - n_positives,
    )


def _order(candidates: Candidates, starts: IntArray) -> IntArray:
    """Positions of the candidates by impression and then by falling score, `(n_candidates,)`."""
    order = np.empty(len(candidates.scores), dtype=np.int64)
    # Impressions of one size make a matrix, whose rows sort ten times as fast as one lexsort of all candidates.
    for size in np.unique(candidates.sizes):
        places = starts[candidates.sizes == size][:, None] + np.arange(size)
        by_score = np.argsort(-candidates.scores[places], axis=1)
        order[places] = np.take_along_axis(places, by_score, axis=1)
    return order
