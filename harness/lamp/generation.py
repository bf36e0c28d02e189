"""LaMP's generation tasks sample by sample."""

from __future__ import annotations

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError, SubmissionError
from harness.lamp.outputs import checked_texts, counted
from harness.lamp.rouge import rouge, rouge_pair
from harness.lamp.tokens import tokens
from harness.registry import Samples


def generation_samples(golds: Envelope, predictions: Envelope) -> Samples:
    """Columns `rouge-1` and `rouge-L`, F-measures `(n_samples,)`.

    Raises `HarnessError` for a gold and `SubmissionError` for a prediction that is not a string.
    """
    gold_texts = checked_texts(golds, HarnessError)
    texts = checked_texts(predictions, SubmissionError)
    rouge1, rougeL = rouge(gold_texts, texts)
    notes = []
    if np.count_nonzero(rouge1) < len(rouge1):
        zeros = np.flatnonzero(rouge1 == 0).tolist()
        # Only what scores 0 can be without a token.
        for noun, side in (("gold", gold_texts), ("prediction", texts)):
            if n_empty := sum(not tokens(side[sample]) for sample in zeros):
                notes.append(f"{counted(n_empty, noun)} without a token (a run of a-z or 0-9) and can only score 0")
    return Samples({"rouge-1": rouge1, "rouge-L": rougeL}, tuple(notes))


def generation_pair(gold: str, prediction: str) -> dict[str, float]:
    """`generation_samples` of one pair, for the reward of a training loop."""
    rouge1, rougeL = rouge_pair(gold, prediction)
    return {"rouge-1": rouge1, "rouge-L": rougeL}
