"""LaMP's classification tasks sample by sample: outputs are matched with the labels, case and all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError, SelectionError, SubmissionError, shown
from harness.lamp.outputs import counted, stripped_texts
from harness.registry import Samples

if TYPE_CHECKING:
    from harness.registry import FloatArray


def classification(
    labels: tuple[str, ...], other_task: str = "", other_labels: tuple[str, ...] = ()
) -> Callable[[Envelope, Envelope], Samples]:
    """The sample function of a task with these labels.

    Columns `(n_samples,)`: `gold_label` and `predicted_label`, the index of the label or -1 for what is none, and
    `correct`, whether the two are equal: a gold that is no label is met by a prediction that is none, as in LaMP's own
    scorer. Where no gold is a label, `SelectionError` is raised; it names `other_task` if they are `other_labels`.
    """
    numbers = {label: number for number, label in enumerate(labels)}

    def samples(golds: Envelope, predictions: Envelope) -> Samples:
        gold_texts = stripped_texts(golds, HarnessError)
        gold = _numbered(gold_texts, numbers)
        if gold.max() < 0:
            raise SelectionError(f"{golds.where}: no gold is one of the labels of {golds.task}; {hint(gold_texts)}")
        texts = stripped_texts(predictions, SubmissionError)
        predicted = _numbered(texts, numbers)
        columns = {"gold_label": gold, "predicted_label": predicted, "correct": (gold == predicted).astype(np.float64)}
        return Samples(columns, _notes(gold, predicted, texts, labels))

    def hint(gold_texts: list[str]) -> str:
        if not set(other_labels).isdisjoint(gold_texts):
            return f"they are labels of {other_task}, score them as that task"
        return f"the first label is {labels[0]!r}"

    return samples


def _numbered(texts: list[str], numbers: dict[str, int]) -> FloatArray:
    return np.array([numbers.get(text, -1) for text in texts], np.float64)


def _notes(gold: FloatArray, predicted: FloatArray, texts: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    notes = []
    n_labels = len(labels)
    if n_unknown := int(np.count_nonzero(gold < 0)):
        notes.append(
            f"{counted(n_unknown, 'gold')} not one of the {n_labels} labels; there, any prediction that is none counts as "
            "correct in accuracy"
        )
    if n_unknown := int(np.count_nonzero(predicted < 0)):
        first = shown([texts[int(np.argmin(predicted))]])
        notes.append(
            f"{counted(n_unknown, 'prediction')} not one of the {n_labels} labels, as {first}, and wrong; labels are {shown(labels)}"
        )
    return tuple(notes)
