"""The candidates of all impressions, laid end to end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError, SubmissionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

MOST_CANDIDATES = 10_000
_BINARY = frozenset((0, 1))


@dataclass(frozen=True)
class Candidates:
    """`labels` (0 or 1) and `scores` are `(n_candidates,)`, impression by impression; `sizes` `(n_impressions,)`."""

    labels: NDArray[np.int64]
    scores: FloatArray
    sizes: NDArray[np.int64]

    @property
    def impression(self) -> NDArray[np.int64]:
        """The impression of each candidate, `(n_candidates,)`."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def positives(self) -> NDArray[np.int64]:
        """The number of positives of each impression, `(n_impressions,)`."""
        return np.add.reduceat(self.labels, np.cumsum(self.sizes) - self.sizes)

    def of(self, impressions: NDArray[np.bool_]) -> Candidates:
        """Those of the impressions that the mask `(n_impressions,)` picks."""
        mask = np.repeat(impressions, self.sizes)
        return Candidates(self.labels[mask], self.scores[mask], self.sizes[impressions])


def read_candidates(golds: Envelope, predictions: Envelope) -> Candidates:
    """Labels and scores of all candidates; raises `HarnessError` for labels and `SubmissionError` for scores."""
    labels = [_labels(golds, name, output) for name, output in zip(golds.ids, golds.outputs, strict=True)]
    sizes = np.fromiter(map(len, labels), np.int64, len(labels))
    scores = [
        _scores(predictions, name, output, len(wanted))
        for name, output, wanted in zip(predictions.ids, predictions.outputs, labels, strict=True)
    ]
    total = int(sizes.sum())
    return Candidates(
        labels=np.fromiter(chain.from_iterable(labels), np.int64, total),
        scores=np.fromiter(chain.from_iterable(scores), np.float64, total),
        sizes=sizes,
    )


def _labels(golds: Envelope, name: str, output: object) -> list[int]:
    # The types are looked at because true and 1.0 are equal to 1. No set is made of the labels: integers may be chosen to
    # share one hash.
    if not isinstance(output, list) or set(map(type, output)) != {int} or not _BINARY.issuperset(output):
        fault = "output must be a list of labels, 1 (clicked) or 0, one for each candidate"
    elif len(output) > MOST_CANDIDATES:
        fault = f"output has {len(output):,} candidates; at most {MOST_CANDIDATES:,} are allowed"
    else:
        return output
    raise HarnessError(f"{golds.where}: id {name!r}: {fault}")


def _scores(predictions: Envelope, name: str, output: object, n_candidates: int) -> list[float]:
    if not isinstance(output, list):
        fault = "output must be a list of scores, one for each candidate"
    elif len(output) != n_candidates:
        fault = (
            f"output has {_counted(len(output), 'score')} for {_counted(n_candidates, 'candidate')}; "
            "give one for each, in their order"
        )
    elif not set(map(type, output)) <= {int, float}:
        fault = "scores must be numbers"
    elif not _finite(output):
        fault = "scores must be finite numbers that a float can hold"
    else:
        return output
    raise SubmissionError(f"{predictions.where}: id {name!r}: {fault}")


def _finite(scores: list[float]) -> bool:
    try:
        return all(map(math.isfinite, scores))
    except OverflowError:  # an integer that no float holds
        return False


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
