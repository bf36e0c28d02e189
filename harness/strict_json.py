"""JSON from strangers, read more strictly than `json.loads`: no repeated keys, no NaN or infinity, bounded memory."""

from __future__ import annotations

import json
import math
from collections import Counter
from itertools import chain
from typing import NoReturn

from harness.errors import HarnessError, shown
from harness.members import CHUNK, Limits

_LONGEST_INT = 300
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789E", b"000000000e")


def parse(data: bytes | bytearray, where: str, error: type[HarnessError], limits: Limits) -> object:
    """The value of one UTF-8 JSON text; raises `error` with one sentence for whatever is not strict JSON.

    Surrogates escaped without their other half stay in its strings, which therefore need not encode as UTF-8.
    """
    text = _decode(data, where, error, limits)
    # Hooks on numbers cost more than all the rest, so they are set only where a number might be too large.
    extreme = _may_hold_extremes(data)
    long = _may_hold_long_strings(data, limits.string_chars)
    del data  # the caller may have kept no other hold on it
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite_float if extreme else None,
            parse_int=_short_int if extreme else None,
        )
        _check_depth(value, limits, long)
    except _RefusedError as cause:
        raise error(f"{where}: {cause}") from None
    except json.JSONDecodeError as cause:
        raise error(f"{where}: is not JSON: {cause.msg} (line {cause.lineno}, column {cause.colno})") from None
    except RecursionError:
        raise error(f"{where}: is nested too deeply; at most {limits.json_depth} levels are read") from None
    return value


class _RefusedError(ValueError):
    """What the hooks say; `parse` puts the place before it."""


def _decode(data: bytes | bytearray, where: str, error: type[HarnessError], limits: Limits) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise error(f"{where}: begins with a byte order mark; save it as UTF-8 without BOM")
    if data.startswith(b"PK\x03\x04"):
        raise error(f"{where}: is itself a zip, not JSON; put its files into the outer one")
    if data.startswith(b"\x1f\x8b"):
        raise error(f"{where}: is packed with gzip; unpack it, or zip it")
    # Every value costs up to some 60 bytes of memory however few it takes in the file, a key as much, an object 240.
    if sum(data.count(mark) for mark in (b",", b":", b"[")) + 4 * data.count(b"{") > limits.json_values:
        raise error(f"{where}: holds more than {limits.json_values:,} values (an object counts as four)")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise error(f"{where}: is not UTF-8 (byte {cause.start}); save it as UTF-8") from None


def _may_hold_extremes(data: bytes | bytearray) -> bool:
    """Whether it shows an exponent of three digits, or two hundred digits in a row; no other number reaches 1e308."""
    for start in range(0, len(data), CHUNK):
        shape = data[start : start + CHUNK + 256].translate(_DIGITS_TO_ZERO, b"+")
        if b"0e000" in shape or b"0" * 200 in shape:
            return True
    return False


def _may_hold_long_strings(data: bytes | bytearray, limit: int) -> bool:
    """Whether half of that length anywhere shows no quote, or only such as a backslash may have escaped."""
    half = max(1, limit // 2)
    return any(
        data.count(b'"', start, start + half) <= 1 + data.count(b'\\"', start, start + half)
        for start in range(0, len(data) - half + 1, half)
    )


def _finite_float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _RefusedError(f"holds {shown([digits])[1:-1]}, a number too large for a float; numbers must be finite")
    return value


def _short_int(digits: str) -> int:
    if len(digits) > _LONGEST_INT:
        raise _RefusedError(f"holds an integer of {len(digits):,} digits; at most {_LONGEST_INT} are read")
    return int(digits)


def _refuse_constant(constant: str) -> NoReturn:
    raise _RefusedError(f"holds {constant}, which is not JSON; numbers must be finite")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        raise _RefusedError(f"one object gives {shown(repeated)} twice; give each key once")
    return table


def _check_depth(value: object, limits: Limits, with_strings: bool) -> None:
    """Refuse deep nesting and, `with_strings`, long strings: level by level, in loops that run in C."""
    lists: list[list[object]] = [[value]]
    tables: list[dict[str, object]] = []

    def level() -> chain[object]:
        return chain(chain.from_iterable(lists), chain.from_iterable(map(dict.values, tables)))

    for _ in range(limits.json_depth + 1):
        kinds = set(map(type, level()))
        if with_strings:
            texts = (item for item in level() if type(item) is str) if str in kinds else ()
            longest = max(map(len, chain(texts, chain.from_iterable(tables))), default=0)
            if longest > limits.string_chars:
                raise _RefusedError(
                    f"holds a string of {longest:,} characters; at most {limits.string_chars:,} are read of one"
                )
        if kinds.isdisjoint((list, dict)):
            return
        lists, tables = (
            [item for item in level() if type(item) is list] if list in kinds else [],
            [item for item in level() if type(item) is dict] if dict in kinds else [],
        )
    raise _RefusedError(f"is nested too deeply; at most {limits.json_depth} levels are read")
