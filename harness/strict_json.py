"""JSON from strangers, read more strictly than `json.loads`: no repeated keys, no NaN or infinity, bounded memory."""

from __future__ import annotations

import json
from collections import Counter
from typing import NoReturn

from harness.errors import HarnessError, shown
from harness.untrusted import Limits

_INFINITIES = (float("inf"), float("-inf"))


def parse(data: bytes, where: str, error: type[HarnessError], limits: Limits) -> object:
    """The value of one UTF-8 JSON text; raises `error` with one sentence for whatever is not strict JSON."""
    text = _decode(data, where, error, limits)
    try:
        value: object = json.loads(text, object_pairs_hook=_unique_finite, parse_constant=_refuse_constant)
        _check_finite(value, "the file")
    except _RefusedError as cause:
        raise error(f"{where}: {cause}") from None
    except json.JSONDecodeError as cause:
        raise error(f"{where}: is not JSON: {cause.msg} at line {cause.lineno} column {cause.colno}") from None
    except RecursionError:
        raise error(f"{where}: is nested too deeply") from None
    except ValueError:
        raise error(f"{where}: holds an integer of thousands of digits") from None
    return value


class _RefusedError(ValueError):
    """What the hooks say; `parse` puts the place before it."""


def _decode(data: bytes, where: str, error: type[HarnessError], limits: Limits) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise error(f"{where}: begins with a byte order mark; save it as UTF-8 without BOM")
    if data.startswith(b"PK\x03\x04"):
        raise error(f"{where}: is itself a zip, not JSON; put its files into the outer one")
    # Each value costs up to some 60 bytes of memory however few it takes in the file.
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > limits.json_values:
        raise error(f"{where}: holds more than {limits.json_values:,} values, the most that is read")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise error(f"{where}: is not UTF-8 (byte {cause.start}); save it as UTF-8") from None


def _refuse_constant(constant: str) -> NoReturn:
    raise _RefusedError(f"holds {constant}, which is not JSON; numbers must be finite")


def _unique_finite(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        raise _RefusedError(f"one object gives {shown(repeated)} twice; give each key once")
    for key, value in pairs:
        _check_finite(value, key)
    return table


def _check_finite(value: object, name: str) -> None:
    """Refuse an infinity (1e999) in the value or its lists; objects have answered for theirs already."""
    if isinstance(value, float):
        if value in _INFINITIES:
            raise _RefusedError(f"{shown([name])} holds a number too large for a float; numbers must be finite")
    elif isinstance(value, list):
        # `map` and `in` keep this loop in C: a full policy is ten million numbers.
        kinds = set(map(type, value))
        for infinity in _INFINITIES:
            if float in kinds and infinity in value:
                _check_finite(infinity, name)
        if list in kinds:
            for item in value:
                _check_finite(item, name)
