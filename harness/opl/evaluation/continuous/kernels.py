"""Kernels of continuous actions: densities around 0 that say how near two actions are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray

Kernel: TypeAlias = Callable[[FloatArray], FloatArray]


def gaussian(u: FloatArray) -> FloatArray:
    """exp(-u^2 / 2) / sqrt(2 pi)."""
    density: FloatArray = np.exp(-0.5 * u * u) / math.sqrt(2 * math.pi)
    return density


def epanechnikov(u: FloatArray) -> FloatArray:
    """3 / 4 (1 - u^2) on [-1, 1]."""
    return np.maximum(0.75 * (1 - u * u), 0.0)


def triangular(u: FloatArray) -> FloatArray:
    """1 - |u| on [-1, 1]."""
    density: FloatArray = np.maximum(1 - np.abs(u), 0.0)
    return density


def cosine(u: FloatArray) -> FloatArray:
    """pi / 4 cos(pi u / 2) on [-1, 1]."""
    density: FloatArray = np.where(np.abs(u) <= 1, math.pi / 4 * np.cos(math.pi / 2 * u), 0.0)
    return density


KERNELS: dict[str, Kernel] = {
    "gaussian": gaussian,
    "epanechnikov": epanechnikov,
    "triangular": triangular,
    "cosine": cosine,
}


def kernel_named(name: str) -> Kernel:
    """The kernel of that name; raises `HarnessError` with the names there are."""
    if name not in KERNELS:
        raise HarnessError(f"kernel: {name!r} is not known; choose one of {', '.join(KERNELS)}")
    return KERNELS[name]
