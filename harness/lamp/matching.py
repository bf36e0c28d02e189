"""Clipped unigram overlap and longest common subsequence of two token lists, by bit-parallel arithmetic.

One list lies along the bits of an integer, the other is walked through. With M the bits at which the current token
stands, the longest common subsequence is V := (V + (V & M)) | (V - (V & M)), from all ones, and its length the number
of zeros in the end (Hyyrö 2004, Bit-parallel LCS-length computation revisited); the overlap takes the lowest bit of M
that no earlier token took. Both numbers are the same whichever list lies along the bits.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers: TypeAlias = NDArray[np.int64]
    LaneType: TypeAlias = type[np.unsignedinteger[Any]]

# About what it costs, in microseconds: a pair and a token in Python, a token of all pairs at once, and a cell of its table.
_PAIR, _TOKEN, _STEP, _CELL = 1.5, 0.1, 10.0, 0.0008
_CHUNK = 2048  # pairs at once; their arrays should stay in the processor's cache
_LANES: dict[int, LaneType] = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}
_LOW_BITS = np.array([(1 << n) - 1 for n in range(65)], np.uint64)
_SHIFTS = np.arange(8, dtype=np.uint8)[:, None]


def match(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> tuple[int, int]:
    """Clipped overlap and length of the longest common subsequence of two token lists."""
    places: dict[Hashable, int] = {}
    bit = 1
    for token in gold:
        places[token] = places.get(token, 0) | bit
        bit += bit
    full = free = row = bit - 1
    for token in predicted:
        if token in places:
            found = places[token]
            taken = found & free
            free ^= taken & -taken
            step = row & found
            row = (row + step) | (row - step)
    return len(gold) - free.bit_count(), len(gold) - (row & full).bit_count()


def match_all(
    keys: NDArray[np.uint64], first: tuple[Integers, Integers], n_tokens: tuple[Integers, Integers]
) -> tuple[Integers, Integers]:
    """`match` for many pairs: clipped overlap and length of the longest common subsequence, each `(n_pairs,)`.

    `first` and `n_tokens`, each `(n_pairs,)` for golds and for predictions, tell which of the keys are whose.
    """
    swap = n_tokens[0] > n_tokens[1]
    shorts = np.where(swap, first[1], first[0]), np.minimum(*n_tokens)
    longs = np.where(swap, first[0], first[1]), np.maximum(*n_tokens)
    counts = np.zeros((2, len(swap)), np.int64)
    # Longest first: at each token walked through, the pairs that still have one are the leading ones.
    order = np.argsort(-longs[1], kind="stable")
    lane_of = np.searchsorted(list(_LANES), shorts[1])[order]
    lone = [order[lane_of == len(_LANES)]]
    for lane, kind in enumerate(_LANES.values()):
        pairs = order[lane_of == lane]
        n_lone = _count_lone(longs[1][pairs], lane)
        lone.append(pairs[:n_lone])
        for start in range(n_lone, len(pairs), _CHUNK):
            chunk = pairs[start : start + _CHUNK]
            short, long = [side[chunk] for side in shorts], [side[chunk] for side in longs]
            counts[:, chunk] = _match_lanes(kind, keys, *short, *long)
    for pair in np.concatenate(lone).tolist():
        short, long = (keys[at[pair] : at[pair] + n[pair]].tolist() for at, n in (shorts, longs))
        counts[:, pair] = match(short, long)
    return counts[0], counts[1]


def _count_lone(n_long: Integers, width: int) -> int:
    """How many of the pairs, sorted by falling `n_long`, had better be matched one by one: the few that go on longest."""
    one_by_one = np.concatenate([[0.0], np.cumsum(_PAIR + _TOKEN * n_long)])
    steps = np.concatenate([_STEP * n_long, [0.0]])
    cells = np.concatenate([np.cumsum((_CELL * width * n_long)[::-1])[::-1], [0.0]])
    return int(np.argmin(one_by_one + steps + cells))


def _match_lanes(
    kind: LaneType,
    keys: NDArray[np.uint64],
    first_short: Integers,
    n_short: Integers,
    first_long: Integers,
    n_long: Integers,
) -> tuple[Integers, Integers]:
    """`match` for pairs sorted by falling `n_long` of which the shorter lists fit the bits of `kind`."""
    n_pairs, width = len(n_short), int(n_short.max())
    # (width, n_pairs): contiguous over pairs, so that a step is one pass of vector instructions. What lies beyond the
    # end of a shorter list sets bits that no lower bit depends on and that are not counted.
    short = keys.take(first_short + np.arange(width)[:, None], mode="clip")
    places = np.zeros((n_pairs, np.dtype(kind).itemsize), np.uint8)
    full = _LOW_BITS[n_short].astype(kind)
    free, row = full.copy(), full.copy()
    n_active = n_pairs - np.searchsorted(n_long[::-1], np.arange(n_long[0]), side="right")
    for step, active in enumerate(n_active.tolist()):
        same = (short[:, :active] == keys[first_long[:active] + step]).view(np.uint8)
        for byte in range(0, width, 8):
            bits = same[byte : byte + 8]
            bits <<= _SHIFTS[: len(bits)]
            places[:active, byte // 8] = np.bitwise_or.reduce(bits, axis=0)
        found = places.view(kind)[:active, 0]
        taken = found & free[:active]
        free[:active] ^= taken & -taken
        common = found & row[:active]
        row[:active] = (row[:active] + common) | (row[:active] - common)
    return n_short - np.bitwise_count(free), n_short - np.bitwise_count(row & full)
