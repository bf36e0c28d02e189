"""Mutations that know what they mutate: zips, their headers, JSON, tables; or merely bytes."""

from __future__ import annotations

import io
import json
import lzma
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_MAGIC = [0, 1, 2, 3, 7, 9, 12, 14, 20, 45, 63, 99, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF]
_WIDE = [*_MAGIC, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
_NAMES = [
    "../x.json", "/x.json", "C:x.json", "a\\b.json", "a/b/c/d/e.json", ".x.json", "__MACOSX/x.json", "X.JSON", "x.json",
    "\xe9.json", "e\u0301.json", "in.zip", "a/", "x.json/", "", " ", ".", "a//b.json", "\x1b[2J.json", "n" * 300, "LaMP_1.json",
]  # fmt: skip
_TEXTS = ["", " ", "\ud800", "\udfff\ud800", "\0", "\x1b[31m", "\u202e", "[1]", "[3]", "5", "6", "1.0", "inf", "nan", "-1", "1e5",
          "comedy", "x" * 5000, "\U0001f600", "e\u0301", "\u2028", "'\"", "LaMP_4", "opl_policy", "\u0661", "1_0"]  # fmt: skip
_TOKENS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1E400", "9" * 400, "1" * 5000, "01", "+1", ".5", "1.",
           "[" * 2000, '{"a":' * 2000, '"\\ud800"', '"\\q"', "'a'", "tru", "", "\ufeff", '{"a":1,"a":2}', "0" * 400, "1e-999"]  # fmt: skip
# Where the fields of headers lie, and how wide they are.
_LOCAL = {4: 2, 6: 2, 8: 2, 14: 4, 18: 4, 22: 4, 26: 2, 28: 2}
_CENTRAL = {4: 2, 6: 2, 8: 2, 10: 2, 16: 4, 20: 4, 24: 4, 28: 2, 30: 2, 32: 2, 38: 4, 42: 4}
_END = {4: 2, 6: 2, 8: 2, 10: 2, 12: 4, 16: 4, 20: 2}
_HEADERS = [(b"PK\x03\x04", _LOCAL), (b"PK\x01\x02", _CENTRAL), (b"PK\x05\x06", _END)]


@dataclass(frozen=True)
class Token:
    """Text that goes into the JSON as it stands."""

    text: str


def mutated(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """The file, changed in one to three ways; `other` is one to splice with."""
    ways: list[Callable[[random.Random, bytes], bytes]] = [mutated_members] * 14 + [mutated_headers, mutated_bytes]
    for _ in range(rng.choice([1, 1, 1, 1, 2, 3])):
        data = spliced(rng, data, other) if rng.random() < 0.02 else rng.choice(ways)(rng, data)
    return data


def mutated_bytes(rng: random.Random, data: bytes) -> bytes:
    """Flips, cuts, insertions, repetitions, numbers that programs stumble over."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(out) + 1)
        way = rng.randrange(6)
        if way == 0 and out:
            out[at % len(out)] ^= 1 << rng.randrange(8)
        elif way == 1:
            out[at:at] = rng.randbytes(rng.randint(1, 8))
        elif way == 2:
            del out[at : at + rng.choice([1, 4, 50, len(out)])]
        elif way == 3:
            out[at:at] = out[at : at + rng.randint(1, 64)] * rng.choice([1, 2, 30])
        elif way == 4:
            out[at : at + 4] = struct.pack("<I", rng.choice(_WIDE))
        else:
            out[at : at + 1] = rng.choice([b'"', b"{", b"[", b",", b"\\", b"\xff", b"\0", b"9", b"e", b"-"])
    return bytes(out)


def spliced(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """The beginning of the one, the end of the other."""
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def mutated_headers(rng: random.Random, data: bytes) -> bytes:
    """Fields of the zip's own headers replaced."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        magic, fields = rng.choice(_HEADERS)
        places = [at for at in range(len(out) - 3) if out[at : at + 4] == magic]
        if not places:
            continue
        place = rng.choice(places)
        offset, width = rng.choice(list(fields.items()))
        value = rng.choice(_WIDE if rng.random() < 0.7 else [rng.randrange(len(out) + 9)])
        out[place + offset : place + offset + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "little")
    return bytes(out)


def mutated_members(rng: random.Random, data: bytes) -> bytes:
    """The zip taken apart, members changed, and put together again; a file that is no zip is taken for a JSON."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist() if info.file_size < 1 << 20]
    except (zipfile.BadZipFile, RuntimeError, OSError, ValueError, struct.error, zlib.error, EOFError, lzma.LZMAError):
        return mutated_json(rng, data)
    if not members:
        return mutated_bytes(rng, data)
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(len(members))
        name, body = members[at]
        way = rng.random()
        if way < 0.85:
            members[at] = (name, mutated_json(rng, body) if name.endswith(".json") else mutated_table(rng, body))
        elif way < 0.9:
            members[at] = (rng.choice([*_NAMES, f"a/{name}", name.upper()]), body)
        elif way < 0.94:
            members.insert(at, (rng.choice([*_NAMES, f"a/{name}", name]), body))
        elif way < 0.97 and len(members) > 1:
            del members[at]
        else:
            members[at] = (name, mutated_bytes(rng, body))
    return put_together(rng, members)


def put_together(rng: random.Random, members: list[tuple[str, bytes]]) -> bytes:
    """A zip of these members, now and then with odd features; the JSON alone, now and then."""
    if rng.random() < 0.1:
        return members[0][1]
    stream = io.BytesIO()
    method = rng.choice([0, 0, 0, 8, 8, 12, 14] if rng.random() < 0.2 else [0, 8])
    with zipfile.ZipFile(stream, "w") as archive:
        for name, body in members:
            info = zipfile.ZipInfo("x" * len(name))
            info.filename = name
            info.external_attr = (
                rng.choice([0o644, 0o120777, 0o10644, 0o40755, 0o100644]) << 16 if rng.random() < 0.05 else 0
            )
            info.extra = (
                rng.choice([b"\x01\x00\x10\x00" + bytes(16), b"up\x05\0\1abcd", b"\xff"])
                if rng.random() < 0.03
                else b""
            )
            archive.writestr(info, body, compress_type=method)
        if rng.random() < 0.02:
            archive.comment = b"hello"
    return stream.getvalue()


def mutated_json(rng: random.Random, body: bytes) -> bytes:
    """A JSON with values replaced, dropped, doubled, renamed, nested, or written oddly."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return mutated_bytes(rng, body)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        value = _changed(rng, value)
    text = rng.choice(["\ufeff", " ", "[", "\n\n"] if rng.random() < 0.03 else [""]) + _written(rng, value)
    if rng.random() < 0.03:
        return text.encode(rng.choice(["utf-16", "latin-1"]), "replace")
    return text.encode("utf-8", "surrogatepass")


def _changed(rng: random.Random, value: Any) -> Any:
    """One node, wherever it lies, replaced or rearranged."""
    if isinstance(value, dict) and value and rng.random() < 0.93:
        large = [key for key, item in value.items() if isinstance(item, list | dict) and item]
        key = rng.choice(large if large and rng.random() < 0.8 else list(value))
        way = rng.random()
        if way < 0.9:
            return {**value, key: _changed(rng, value[key])}
        if way < 0.95:
            return {name: item for name, item in value.items() if name != key}
        return {(_any_key(rng) if name == key else name): item for name, item in value.items()}
    if isinstance(value, list) and value and rng.random() < 0.93:
        at = rng.randrange(len(value))
        way = rng.random()
        if way < 0.85:
            return [*value[:at], _changed(rng, value[at]), *value[at + 1 :]]
        if way < 0.9:
            return value[:at] + value[at + 1 :]
        if way < 0.95:
            return value[:at] + [value[at]] * rng.choice([2, 3, 300]) + value[at + 1 :]
        rng.shuffle(moved := list(value))
        return moved
    return _any_value(rng, value)


def _any_key(rng: random.Random) -> str:
    return rng.choice(
        ["id", "output", "user_id", "task", "golds", "settings", "actions", "probs", "rest", "row", *_TEXTS]
    )


def _any_value(rng: random.Random, old: Any) -> Any:
    numbers = [
        0,
        1,
        -1,
        2,
        3,
        4,
        5,
        1.0,
        0.5,
        -0.0,
        1e308,
        5e-324,
        1e-9,
        2**31,
        2**53 + 1,
        2**63,
        2**64,
        -(2**63),
        10**290,
    ]
    return rng.choice(
        [
            lambda: rng.choice(numbers),
            lambda: rng.choice(numbers),
            lambda: rng.choice(_TEXTS),
            lambda: rng.choice(_TEXTS),
            lambda: rng.choice([None, True, False, [], {}, [[]], [None], {"": []}]),
            lambda: Token(rng.choice(_TOKENS)),
            lambda: [old],
            lambda: {"a": old},
            lambda: {
                "actions": [0, rng.choice(numbers)],
                "probs": [rng.choice(numbers), 0.5],
                "rest": rng.choice(numbers),
            },
            lambda: {"row": rng.choice(numbers)},
            lambda: [rng.choice(numbers) for _ in range(rng.randint(1, 5))],
            lambda: old * 2 if isinstance(old, str | int | float) and len(str(old)) < 10_000 else old,
            lambda: str(old)[:5000],
        ]
    )()


def _written(rng: random.Random, value: Any) -> str:
    """JSON text, with tokens as they stand."""
    tokens: list[str] = []

    def kept(item: object) -> str:
        assert isinstance(item, Token)
        tokens.append(item.text)
        return f"\x02{len(tokens) - 1}\x03"

    text = json.dumps(value, default=kept, ensure_ascii=rng.random() < 0.7, indent=rng.choice([None, None, 1]))
    for number, token in enumerate(tokens):
        text = text.replace(f'"\\u0002{number}\\u0003"', token)
    return text


def mutated_table(rng: random.Random, body: bytes) -> bytes:
    """A `.npy` with another header, other numbers, or other bytes."""
    way = rng.random()
    at = body.find(b"\n") + 1
    if way < 0.4 and at:
        numbers = [0.0, -1.0, 2.0, float("nan"), float("inf"), 1e308, 5e-324, -0.0]
        start = at + 8 * rng.randrange(max(1, (len(body) - at) // 8))
        return body[:start] + struct.pack("<d", rng.choice(numbers)) + body[start + 8 :]
    if way < 0.7:
        old, new = rng.choice(
            [(b"<f8", b"<f4"), (b"<f8", b">f8"), (b"<f8", b"|O8"), (b"<f8", b"<i8"), (b"False", b"True "), (b"(", b"(0"),
             (b", ", b",999, "), (b"(4", b"(9"), (b"3)", b"0)"), (b"\x01\x00", b"\x02\x00"), (b"(2, 3)", b"(3, 2)"), (b"shape", b"shapf")]
        )  # fmt: skip
        return body.replace(old, new, 1)
    return mutated_bytes(rng, body)
