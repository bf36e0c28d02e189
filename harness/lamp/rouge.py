"""ROUGE-1 and ROUGE-L F-measures of pairs of texts, equal to the last bit to those of rouge_score 0.1.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.lamp.matching import match, match_all
from harness.lamp.tokens import token_keys, tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

_FEW = 200  # from so many pairs on, numpy's calls cost less than one pair after the other
_BLOCK_CHARACTERS = 1 << 20  # at once: a few dozen MB of arrays


def rouge_pair(gold: str, prediction: str) -> tuple[float, float]:
    """ROUGE-1 F and ROUGE-L F of one pair; 0 where either text has no token."""
    gold_tokens, predicted_tokens = tokens(gold), tokens(prediction)
    overlap, lcs = match(gold_tokens, predicted_tokens)
    if not overlap:
        return 0.0, 0.0
    n_gold, n_predicted = len(gold_tokens), len(predicted_tokens)
    precision, recall = overlap / n_predicted, overlap / n_gold
    rouge1 = 2 * precision * recall / (precision + recall)
    precision, recall = lcs / n_predicted, lcs / n_gold
    return rouge1, 2 * precision * recall / (precision + recall)


def rouge(golds: Sequence[str], predictions: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """ROUGE-1 F and ROUGE-L F of each pair, each `(n_samples,)`: F = 2PR / (P + R), 0 where nothing is shared.

    ROUGE-1: shared tokens, each counted as often as the text that has it less often, over the number of tokens of the
    prediction (P) and of the gold (R). ROUGE-L: the same with the longest common subsequence. No stemming.
    Source: Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004. Raises `HarnessError` for lists of
    unequal length.
    """
    n = len(golds)
    if n != len(predictions):
        raise HarnessError(f"there are {n:,} golds but {len(predictions):,} predictions; give one for each")
    if n < _FEW:
        pairs = zip(golds, predictions, strict=True)
        both = np.array([value for pair in pairs for value in rouge_pair(*pair)], np.float64)
        return both[0::2], both[1::2]
    values = np.empty((2, n))
    sizes = np.fromiter(map(len, golds), np.int64, n) + np.fromiter(map(len, predictions), np.int64, n)
    ends = np.cumsum(sizes + 2)  # with the blank between texts
    start = 0
    while start < n:
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _BLOCK_CHARACTERS, side="right")))
        values[:, start:stop] = _rouge_block(golds[start:stop], predictions[start:stop])
        start = stop
    return values[0], values[1]


def _rouge_block(golds: Sequence[str], predictions: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    n = len(golds)
    keys, first, n_tokens = token_keys([*golds, *predictions])
    overlap, lcs = match_all(keys, (first[:n], first[n:]), (n_tokens[:n], n_tokens[n:]))
    return _f_measure(overlap, n_tokens[:n], n_tokens[n:]), _f_measure(lcs, n_tokens[:n], n_tokens[n:])


def _f_measure(common: NDArray[np.int64], n_gold: NDArray[np.int64], n_predicted: NDArray[np.int64]) -> FloatArray:
    # One order of operations everywhere, as another would differ in the last bit.
    precision = common / np.maximum(n_predicted, 1)
    recall = common / np.maximum(n_gold, 1)
    f_measure: FloatArray = 2 * precision * recall / np.where(common > 0, precision + recall, 1.0)
    return f_measure
