"""LaMP_3 sample by sample: ratings read as numbers, in single precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import HarnessError, SubmissionError, shown
from harness.lamp.outputs import counted, stripped_texts
from harness.registry import Samples

if TYPE_CHECKING:
    from harness.registry import FloatArray

_LOWEST, _HIGHEST = 1.0, 5.0


def rating_samples(golds: Envelope, predictions: Envelope) -> Samples:
    """Columns `gold`, `prediction`, `absolute_error` and `squared_error`, each `(n_samples,)`, in stars.

    A prediction that is no number becomes the end of the scale farther from the gold (5 where both are as far). Both
    sides are rounded to float32 before the errors are taken in float64, as LaMP's own scorer does. Raises `HarnessError`
    for a gold that is no number, and for golds or predictions (`SubmissionError`) that float32 cannot hold.
    """
    read_golds = _read_golds(golds)
    gold = _single(read_golds, golds, HarnessError)
    read = [_number(text) for text in stripped_texts(predictions, SubmissionError)]
    prediction = _single(
        [_farther_end(of) if value is None else value for value, of in zip(read, read_golds, strict=True)],
        predictions,
        SubmissionError,
    )
    error = np.abs(prediction - gold)
    columns = {"gold": gold, "prediction": prediction, "absolute_error": error, "squared_error": error * error}
    notes = []
    if replaced := read.count(None):
        notes.append(
            f"{counted(replaced, 'prediction')} not a number and taken for the end of the scale farther from the gold"
        )
    for noun, values in (("gold", gold), ("prediction", prediction)):
        if outside := int(np.count_nonzero((values < _LOWEST) | (values > _HIGHEST))):
            notes.append(f"{counted(outside, noun)} outside the scale of 1 to 5 and not clamped")
    return Samples(columns, tuple(notes))


def _read_golds(golds: Envelope) -> list[float]:
    values = []
    for name, text in zip(golds.ids, stripped_texts(golds, HarnessError), strict=True):
        value = _number(text)
        if value is None:
            raise HarnessError(f"{golds.where}: id {name!r}: the gold {shown([text])} is not a number")
        values.append(value)
    return values


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _farther_end(gold: float) -> float:
    return _LOWEST if abs(_LOWEST - gold) > abs(_HIGHEST - gold) else _HIGHEST


def _single(values: list[float], envelope: Envelope, error: type[HarnessError]) -> FloatArray:
    """The values rounded to float32, in float64, `(n_samples,)`; raises `error` where one is not finite then."""
    with np.errstate(over="ignore"):
        rounded = np.array(values, np.float64).astype(np.float32).astype(np.float64)
    if not np.isfinite(rounded).all():
        name = envelope.ids[int(np.argmin(np.isfinite(rounded)))]
        raise error(f"{envelope.where}: id {name!r}: output is nan, infinite or too large; give a rating from 1 to 5")
    return rounded
