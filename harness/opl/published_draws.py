"""The random numbers of the published environments, which PyTorch's CPU generator drew, without PyTorch.

PyTorch's generator is the Mersenne Twister that NumPy keeps for old results, so both give the same 32-bit words. What
PyTorch makes of them is written down in its sources (ATen/native/cpu/DistributionTemplates.h, `normal_fill`, and
ATen/core/DistributionsHelper.h).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

_LANES = 16  # a step of the vectorised Box-Muller transform: eight radii, then eight angles


class PublishedDraws:
    """What `torch.manual_seed(seed)` is followed by: single-precision draws, in float64, up to the last bit's rounding."""

    def __init__(self, seed: int) -> None:
        self._twister = np.random.RandomState(seed)
        self._spare: FloatArray = np.empty(0)

    def uniform(self, shape: tuple[int, int]) -> FloatArray:
        """As `torch.rand`: numbers of 24 bits in [0, 1)."""
        return self._uniform(shape[0] * shape[1]).reshape(shape)

    def normal(self, shape: tuple[int, int]) -> FloatArray:
        """As `torch.randn`."""
        size = shape[0] * shape[1]
        if size < _LANES:
            return self._few_normal(size).reshape(shape)
        draws = self._uniform(size)
        whole = size - size % _LANES
        draws[:whole] = _box_muller(draws[:whole])
        if whole < size:  # the last sixteen are drawn again, those that were already done included
            draws[-_LANES:] = _box_muller(self._uniform(_LANES))
        return draws.reshape(shape)

    def _words(self, size: int) -> NDArray[np.uint32]:
        return self._twister.randint(0, 1 << 32, size=size, dtype=np.uint32)

    def _uniform(self, size: int) -> FloatArray:
        return (self._words(size) & np.uint32((1 << 24) - 1)).astype(np.float64) * 2.0**-24

    def _few_normal(self, size: int) -> FloatArray:
        """Fewer than sixteen come in pairs, from numbers of 53 bits; what is left of a pair waits for the next call."""
        pairs = (size - len(self._spare) + 1) // 2
        words = self._words(4 * pairs).astype(np.uint64)
        long = (words[0::2] << np.uint64(32) | words[1::2]) & np.uint64((1 << 53) - 1)
        first, second = (long.astype(np.float64) * 2.0**-53).reshape(-1, 2).T
        radius, angle = np.sqrt(-2 * np.log1p(-second)), 2 * np.pi * first
        drawn = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
        draws = np.concatenate([self._spare, drawn])
        self._spare = draws[size:]
        return draws[:size]


def _box_muller(draws: FloatArray) -> FloatArray:
    first, second = draws.reshape(-1, 2, _LANES // 2).transpose(1, 0, 2)
    radius, angle = np.sqrt(-2 * np.log(1 - first)), 2 * np.pi * second
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
