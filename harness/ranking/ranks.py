"""Where the listed items meet the relevant ones: the one pass over the lists that all metrics of `ranking` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import SubmissionError
from harness.ranking.relevance import BEYOND_EXACT, KINDS, Relevance, beyond_exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

MOST_ITEMS = 1000


@dataclass(frozen=True)
class Hits:
    """The relevant items that were listed, each at its first place in the list, and the size of every list.

    `sample` (the index of the sample) and `rank` (1 is the best place) are `(n_hits,)`, sorted by both; `relevant`,
    `listed`, `repeated` and `out_of_catalogue` count items of each sample, `(n_samples,)`. An item that stands in a
    list again keeps its place there, hits no second time, and is counted as repeated each time.
    """

    sample: NDArray[np.int64]
    rank: NDArray[np.int64]
    relevant: NDArray[np.int64]
    listed: NDArray[np.int64]
    repeated: NDArray[np.int64]
    out_of_catalogue: NDArray[np.int64] | None

    def total(self, values: FloatArray) -> FloatArray:
        """Sum of `values`, one for each hit, over the hits of each sample, `(n_samples,)`."""
        # bincount adds in order of rank, as the ideal gains are added, so that a perfect list scores 1 exactly.
        return np.bincount(self.sample, weights=values, minlength=len(self.listed)).astype(np.float64)


def find_hits(relevance: Relevance, predictions: Envelope) -> Hits:
    """Look up every listed item; raises `SubmissionError` for what is no list of at most 1,000 items."""
    catalogue = relevance.catalogue
    samples: list[int] = []
    ranks: list[int] = []
    listed: list[int] = []
    repeated: list[int] = []
    outside = np.zeros(len(predictions.ids), dtype=np.int64)
    for sample, (output, relevant) in enumerate(zip(predictions.outputs, relevance.items, strict=True)):
        items = _checked(output, relevance.kind, predictions, sample)
        if not relevant.isdisjoint(items):
            found = _first_ranks(items, relevant)
            ranks += found
            samples += [sample] * len(found)
        listed.append(len(items))
        repeated.append(len(items) - len(set(items)))
        if catalogue is not None and not catalogue.issuperset(items):
            outside[sample] = sum(item not in catalogue for item in items)
    return Hits(
        sample=np.array(samples, dtype=np.int64),
        rank=np.array(ranks, dtype=np.int64),
        relevant=np.array(list(map(len, relevance.items)), dtype=np.int64),
        listed=np.array(listed, dtype=np.int64),
        repeated=np.array(repeated, dtype=np.int64),
        out_of_catalogue=None if catalogue is None else outside,
    )


def _checked(output: object, kind: type, predictions: Envelope, sample: int) -> list[object]:
    if not isinstance(output, list):
        fault = "output must be the list of recommended items, the best first"
    elif len(output) > MOST_ITEMS:
        fault = f"output lists {len(output):,} items; give the best {MOST_ITEMS:,} at most"
    elif set(map(type, output)) - {kind}:
        fault = f"output must list items that are {KINDS[kind]}, as in the golds"
    elif beyond_exact(output, kind):
        fault = f"output {BEYOND_EXACT}"
    else:
        return output
    raise SubmissionError(f"{predictions.where}: id {predictions.ids[sample]!r}: {fault}")


def _first_ranks(items: list[object], relevant: frozenset[object]) -> list[int]:
    """The rank, from 1, of each relevant item where it is listed first, ascending."""
    ranks: list[int] = []
    left = set(relevant)
    for rank, item in enumerate(items, start=1):
        if item in left:
            ranks.append(rank)
            left.remove(item)
    return ranks
