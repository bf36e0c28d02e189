"""The tokens of ROUGE: maximal runs of a-z and 0-9 in the lower-cased text; every other character separates.

Tokens are matched within a pair only, so that a batch needs no vocabulary: each becomes a 64-bit key that equals another
key exactly where the tokens are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ALPHABET = b"abcdefghijklmnopqrstuvwxyz0123456789"
_BLANKS = bytes(byte if byte in _ALPHABET else 32 for byte in range(256))

_BASE = len(_ALPHABET) + 1
_CODES = bytes(_ALPHABET.find(bytes([byte]).lower()) + 1 for byte in range(256))
_WORD = 8
_LONGEST_PACKED = 12  # 37 ** 12 < 2 ** 64
_FIRST_LONG_KEY = _BASE**_LONGEST_PACKED
_KEEP = np.array([(1 << 8 * n) - 1 for n in range(_WORD + 1)], np.uint64)
# How eight codes of a byte each become one number: digits are joined two by two, then four by four, then all.
_JOINS = tuple(
    (np.uint64(bits), np.uint64(lanes), np.uint64((1 << bits) - _BASE ** (bits // 8)))
    for bits, lanes in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0x00000000FFFFFFFF))
)


def tokens(text: str) -> list[bytes]:
    """The tokens of one text, in order."""
    return text.lower().encode("ascii", "replace").translate(_BLANKS).split()


def token_keys(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Keys of the tokens of all texts one after the other, `(n_tokens,)`; index of each text's first; how many it has.

    Keys of one call may be compared with each other, those of two calls may not. No key is 0.
    """
    codes, bounds = _codes(texts)
    inside = codes != 0
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, lengths = edges[0::2], edges[1::2] - edges[0::2]
    # Each position read as the eight bytes that begin there.
    words: NDArray[np.uint64] = np.ndarray((len(codes) - _WORD + 1,), "<u8", codes.data, strides=(1,))
    keys = _packed(words[starts] & _KEEP[np.minimum(lengths, _WORD)])
    wide = np.flatnonzero(lengths > _WORD)
    rest = words[starts[wide] + _WORD] & _KEEP[np.minimum(lengths[wide], _LONGEST_PACKED) - _WORD]
    keys[wide] += _packed(rest) * np.uint64(_BASE**_WORD)
    numbers: dict[bytes, int] = {}
    data = codes.data
    for token in np.flatnonzero(lengths > _LONGEST_PACKED).tolist():
        start = int(starts[token])
        spelled = bytes(data[start : start + int(lengths[token])])
        keys[token] = _FIRST_LONG_KEY + numbers.setdefault(spelled, len(numbers))
    first = np.searchsorted(starts, bounds)
    return keys, first[:-1], np.diff(first)


def _codes(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """A byte for each character, 0 where it separates and 1 to 36 elsewhere; where each text begins, and the end.

    Blanks lie before, between and after the texts.
    """
    joined = " ".join(texts)
    if not joined.isascii():
        # Of all characters beyond ASCII, only these two have an ASCII letter in their lower case.
        joined = joined.replace("\N{KELVIN SIGN}", "k")
        if "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}" in joined:
            texts = [text.replace("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "i ") for text in texts]
            return _codes(texts)
    spelled = b"".join((b"\0", joined.encode("ascii", "replace").translate(_CODES), bytes(2 * _WORD)))
    bounds = np.ones(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1, out=bounds[1:])
    bounds[1:] += 1
    return np.frombuffer(spelled, np.uint8), bounds


def _packed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Eight codes, a byte each, as the eight digits of a number in base 37; the words are overwritten."""
    for bits, lanes, excess in _JOINS:
        words -= ((words >> bits) & lanes) * excess
    return words
