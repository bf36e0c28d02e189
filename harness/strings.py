"""Scores of strings without files: the reward of a training loop, or a list from a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness import registry
from harness.envelope import Envelope
from harness.errors import HarnessError
from harness.scoring import values_of

if TYPE_CHECKING:
    from harness.registry import FloatArray

_FILELESS = vars(
    Envelope(
        where="strings",
        task="",
        ids=(),
        users=None,
        outputs=(),
        arrays={},
        settings={},
        positions=(),
        size=0,
        ids_are="strings",
        content="",
        sha256="",
    )
)


@dataclass(frozen=True)
class StringScores:
    """Scores of a list: `per_sample` columns in its order, each `(n_samples,)`, and `notes` on what was odd."""

    task: str
    samples: registry.Samples

    @property
    def per_sample(self) -> Mapping[str, FloatArray]:
        """The values of each sample, `(n_samples,)`: `rouge-1`, `correct`, `absolute_error` and so on."""
        return self.samples.columns

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the scores must know, as how many predictions were no label."""
        return self.samples.notes

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The value of each metric over the whole list."""
        return values_of(registry.get(self.task), self.samples)


def score_strings(golds: Iterable[object], predictions: Iterable[object], *, task: str) -> StringScores:
    """Score outputs of `task` in memory, the first prediction against the first gold and so on.

    Lists, tuples, generators, NumPy arrays and pandas series will do.
    Raises `HarnessError` where the lists are empty or of two lengths, or for what the task refuses in files.
    """
    golds, predictions = _in_order(golds, "golds"), _in_order(predictions, "predictions")
    if len(golds) != len(predictions) or not golds:
        raise HarnessError(
            f"{len(golds):,} golds and {len(predictions):,} predictions: give two lists of one length, not empty"
        )
    return StringScores(registry.canonical(task), _samples(golds, predictions, task))


def score_pair(gold: object, prediction: object, *, task: str) -> dict[str, float]:
    """The values of one sample, as `{"rouge-1": 0.5, "rouge-L": 0.4}`; raises as `score_strings`."""
    shorter = registry.get(task).pair
    if shorter is not None and type(gold) is type(prediction) is str:
        return shorter(gold, prediction)
    columns = _samples((gold,), (prediction,), task).columns
    return {name: float(column[0]) for name, column in columns.items()}


def _in_order(outputs: Iterable[object], kind: str) -> Sequence[object]:
    if isinstance(outputs, list | tuple):
        return outputs
    if isinstance(outputs, str | bytes | Set | Mapping) or not isinstance(outputs, Iterable):
        raise HarnessError(f"{kind} are a {type(outputs).__name__}: give a list, in the order of the others")
    tolist = getattr(outputs, "tolist", None)  # of NumPy and pandas, whose items are no plain numbers
    return list(tolist() if tolist else outputs)


def _samples(golds: Sequence[object], predictions: Sequence[object], task: str) -> registry.Samples:
    declared = registry.get(task)
    if declared.gold_arrays:
        raise HarnessError(f"{declared.name} is scored from files with tables; use harness.score")
    ids = tuple(map(str, range(len(golds))))
    return declared.samples(_in_memory(declared.name, ids, golds), _in_memory(declared.name, ids, predictions))


def _in_memory(task: str, ids: tuple[str, ...], outputs: Sequence[object]) -> Envelope:
    # The constructor of a frozen dataclass of twelve fields takes longer than scoring a short list.
    envelope = object.__new__(Envelope)
    envelope.__dict__.update(_FILELESS, task=task, ids=ids, outputs=tuple(outputs), size=len(ids))
    return envelope
