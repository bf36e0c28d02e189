"""The ROUGE that LaMP's own scorer prints: the median of 1000 bootstrap means, which depends on a seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

_N_RESAMPLES = 1000
_BLOCK_DRAWS = 1 << 17


def reference_rouge(rouge1: FloatArray, rougeL: FloatArray, seed: int) -> tuple[float, float]:
    """ROUGE-1 and ROUGE-L as LaMP's scorer gives them after `numpy.random.seed(seed)`, equal to the last bit.

    The F-measures, each `(n_samples,)`, must come in the order in which that scorer visited the samples: the order of
    `list(set(ids))` in its process, which varies with PYTHONHASHSEED. Raises `HarnessError` for empty or unequal
    columns and for a seed that is not from 0 to 2**32 - 1.
    """
    if not 0 < len(rouge1) == len(rougeL):
        raise HarnessError(f"{len(rouge1):,} and {len(rougeL):,} values: give as many of each, at least one")
    if not 0 <= seed < 1 << 32:
        raise HarnessError(f"the seed is {seed}; numpy takes 0 to {(1 << 32) - 1}")
    n = len(rouge1)
    generator = np.random.RandomState(seed)
    median1 = _median_of_means(rouge1, _resamples(n, generator))
    for _ in _resamples(n, generator):  # that scorer resamples ROUGE-2 in between
        pass
    return median1, _median_of_means(rougeL, _resamples(n, generator))


def _resamples(n: int, generator: np.random.RandomState) -> Iterator[NDArray[np.int32]]:
    """The samples drawn in each resample, in blocks `(n_rows, n)` whose rows come to `_N_RESAMPLES`."""
    step = max(1, _BLOCK_DRAWS // n)
    for start in range(0, _N_RESAMPLES, step):
        # The same draws as in 64 bits, in less time; and the same as `choice` of one resample after the other.
        yield generator.randint(0, n, size=(min(step, _N_RESAMPLES - start), n), dtype=np.int32)


def _median_of_means(values: FloatArray, resamples: Iterator[NDArray[np.int32]]) -> float:
    # cumsum adds one value after the other, as that scorer does; numpy's sum would add pairwise.
    sums = np.concatenate([np.cumsum(values[draws], axis=1)[:, -1] for draws in resamples])
    low, high = np.sort(sums / len(values))[_N_RESAMPLES // 2 - 1 : _N_RESAMPLES // 2 + 1].tolist()
    return float(high - (high - low) * 0.5)
