"""Checks that the arrays of off-policy evaluation share: shape, kind and range, each refused by name."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import HarnessError
from harness.opl.distribution import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

_WHOLE_BELOW = float(1 << 53)  # from here on, floats do not hold every whole number


def checked_shape(name: str, array: ArrayLike, shape: Sequence[int], symbols: str) -> FloatArray:
    """A read-only float copy of `array` of exactly `shape`, all finite; `symbols` is the shape in words, "(n_rounds,)".

    Raises `HarnessError` with both shapes, or with the first number that is not finite.
    """
    return _checked(name, _numbers(name, array, symbols), tuple(shape), symbols)


def checked_rows(name: str, array: ArrayLike, n: int, symbols: str) -> FloatArray:
    """A read-only float copy of a matrix of `n` rows, as wide as it comes; `symbols` is the shape in words."""
    values = _numbers(name, array, symbols)
    return _checked(name, values, (n, values.shape[1] if values.ndim == 2 else 1), symbols)


def _numbers(name: str, array: ArrayLike, symbols: str) -> FloatArray:
    try:
        return np.array(array, dtype=np.float64)
    except (TypeError, ValueError):  # rows of different lengths, too
        raise HarnessError(f"{name}: holds something other than numbers; give an array of shape {symbols}") from None


def _checked(name: str, values: FloatArray, shape: tuple[int, ...], symbols: str) -> FloatArray:
    if values.shape != shape:
        raise HarnessError(f"{name}: has shape {values.shape}, but {symbols} is {shape} here; reshape it")
    if not np.isfinite(values).all():
        raise HarnessError(f"{name}: {_first(~np.isfinite(values), values)} is not finite; drop or mend that round")
    values.setflags(write=False)
    return values


def checked_integers(name: str, array: ArrayLike, n: int, symbols: str, below: int | None = None) -> IntArray:
    """A read-only integer copy of `array`, `(n,)`, all at least 0 and, where given, less than `below`.

    Raises `HarnessError` with the first number out of range.
    """
    values = checked_shape(name, array, (n,), symbols)
    if (values != np.floor(values)).any():
        raise HarnessError(f"{name}: {_first(values != np.floor(values), values)} is no whole number; give integers")
    outside = (values < 0) | (values >= (_WHOLE_BELOW if below is None else below))
    if outside.any():
        kind = "0 or more, and below 2^53" if below is None else f"in 0..{below - 1}"
        raise HarnessError(f"{name}: {_first(outside, values)} is out of range; numbers must be {kind}")
    whole = values.astype(np.int64)
    whole.setflags(write=False)
    return whole


def checked_probability(
    name: str, array: ArrayLike, shape: Sequence[int], symbols: str, *, positive: bool = False
) -> FloatArray:
    """A read-only copy of probabilities of exactly `shape`, in [0, 1], or in (0, 1] where `positive`.

    Raises `HarnessError` with the first that is none.
    """
    values = checked_shape(name, array, shape, symbols)
    outside = (values > 1) | (values <= 0 if positive else values < 0)
    if outside.any():
        allowed = "(0, 1]; an action that was logged had a positive probability" if positive else "[0, 1]"
        raise HarnessError(f"{name}: {_first(outside, values)} is not in {allowed}")
    return values


def checked_distribution(name: str, array: ArrayLike, n_rounds: int, n_actions: int) -> FloatArray:
    """A read-only copy of pi(a|x), `(n_rounds, n_actions)`: no probability negative, each row of sum 1 within 1e-6.

    Raises `HarnessError` with the first row that is none.
    """
    values = checked_shape(name, array, (n_rounds, n_actions), "(n_rounds, n_actions)")
    if (values < 0).any():
        raise HarnessError(f"{name}: {_first(values < 0, values)} is negative; give probabilities")
    sums = values.sum(axis=1)
    if (np.abs(sums - 1) > TOLERANCE).any():
        row = int(np.argmax(np.abs(sums - 1) > TOLERANCE))
        raise HarnessError(f"{name}: row {row} has the sum {float(sums[row]):.6g}; each row must be a distribution")
    return values


def checked_count(name: str, number: object) -> None:
    """Raise `HarnessError` unless `number` is a whole one of at least 1."""
    if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or number < 1:
        raise HarnessError(f"{name}: is {number!r}, but must be a whole number of at least 1")


def checked_number(name: str, value: float, low: float, high: float = np.inf, *, open_low: bool = False) -> None:
    """Raise `HarnessError` unless `value` is a number in [low, high], or in (low, high] with `open_low`."""
    if not isinstance(value, Real) or not (low < value if open_low else low <= value) or not value <= high:
        bracket = "(" if open_low else "["
        raise HarnessError(f"{name}: is {value}, but must be in {bracket}{low:g}, {high:g}]")


def checked_finite(name: str, values: FloatArray) -> FloatArray:
    """The values, computed with overflow ignored; raises `HarnessError` with the first that no float holds."""
    if not np.isfinite(values).all():
        wrong = ~np.isfinite(values)
        raise HarnessError(
            f"{name}: {_first(wrong, values)}, as a pscore is too small or a reward too large; mend that round"
        )
    return values


def _first(wrong: NDArray[np.bool_], values: FloatArray) -> str:
    """The place and value of the first wrong number, "[2, 1] = nan"."""
    place = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    return f"{[int(index) for index in place]} = {float(values[place]):g}"
