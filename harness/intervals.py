"""Standard errors and bootstrap intervals of metrics that are functions of sums over samples, clustered by user."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

    Estimate = Callable[[Mapping[str, FloatArray]], FloatArray]

LEVEL = 0.95
_BLOCK_DRAWS = 1 << 16  # draws and weights of a block stay in the processor's cache
_STEP = 1e-30


def cluster_codes(n_samples: int, clusters: Sequence[str] | None) -> NDArray[np.int64]:
    """The number of each sample's cluster, `(n_samples,)`, in the order of sorted names; each its own where None."""
    if clusters is None:
        return np.arange(n_samples, dtype=np.int64)
    numbers = {name: number for number, name in enumerate(sorted(set(clusters)))}
    return np.array([numbers[name] for name in clusters], dtype=np.int64)


def sums_of(terms: Mapping[str, FloatArray], n_samples: int) -> dict[str, float]:
    """The sum of each term, and `n`; correctly rounded, so that the order of the samples cannot show."""
    return {**{name: math.fsum(column.tolist()) for name, column in terms.items()}, "n": float(n_samples)}


def influence(
    estimate: Estimate, terms: Mapping[str, FloatArray], sums: Mapping[str, float], n_samples: int
) -> FloatArray:
    """What each sample adds to the estimate, linearised: psi_i = sum_j x_ij d estimate / d S_j, `(n_samples,)`."""
    psi = np.zeros(n_samples)
    scale = min((abs(value) for value in sums.values() if value), default=1.0)
    for name in sums:
        # Complex-step derivative: exact to the last bit, as no difference of near values is taken. The step is small
        # beside all sums, which rewards of 1e-38 can make small themselves.
        step = _STEP * (abs(sums[name]) or scale)
        shifted = {other: np.asarray(value + 1j * step * (other == name)) for other, value in sums.items()}
        slope = float(np.imag(estimate(cast("Mapping[str, FloatArray]", shifted))) / step)
        psi += slope * terms[name] if name in terms else slope
    return psi


def clustered_standard_error(
    estimate: Estimate, terms: Mapping[str, FloatArray], sums: Mapping[str, float], codes: NDArray[np.int64]
) -> float | None:
    """Analytic standard error of `estimate` at the sums of the terms, clustered; None for a single cluster.

    SE^2 = G / (G - 1) * sum_g (sum_{i in g} psi_i)^2, where psi is the `influence`, the delta method's linearisation
    (Liang and Zeger 1986; correction as in Cameron and Miller 2015); it sums to 0, as the estimate is homogeneous of
    degree 0. With one sample a cluster and a plain mean this is the usual s / sqrt(n). `sums` holds the
    sum of each term and the number of samples, `n`.
    """
    n_clusters = int(codes.max()) + 1
    if n_clusters < 2:
        return None
    totals = np.bincount(codes, weights=influence(estimate, terms, sums, len(codes)), minlength=n_clusters)
    return float(np.sqrt(n_clusters / (n_clusters - 1) * np.sum(totals**2)))


def bootstrap_sums(
    terms: Mapping[str, FloatArray], codes: NDArray[np.int64], n_bootstrap: int, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Sums of the terms, and of the samples as `n`, in resamples of whole clusters, each `(n_bootstrap,)`.

    A resample draws as many clusters as there are, with replacement (Davison and Hinkley 1997, section 3.8). The draws
    depend on the number of clusters and the state of `rng` alone, so two systems on the same golds share them.
    """
    n_clusters = int(codes.max()) + 1
    columns = {**terms, "n": np.ones(len(codes))}
    totals = np.stack([np.bincount(codes, weights=column, minlength=n_clusters) for column in columns.values()])
    sums = np.empty((n_bootstrap, len(columns)))
    dtype = np.uint16 if n_clusters <= 1 << 16 else np.uint32
    step = max(1, _BLOCK_DRAWS // n_clusters)
    for start in range(0, n_bootstrap, step):
        count = min(step, n_bootstrap - start)
        draws = rng.integers(n_clusters, size=(count, n_clusters), dtype=dtype).astype(np.int64)
        draws += np.arange(count)[:, None] * n_clusters
        weights = np.bincount(draws.ravel(), minlength=count * n_clusters).reshape(count, n_clusters).astype(np.float64)
        # einsum rather than BLAS: its sums do not depend on the number of threads.
        sums[start : start + count] = np.einsum("bg,kg->bk", weights, totals)
    return {name: sums[:, index] for index, name in enumerate(columns)}


def percentile_interval(values: FloatArray, level: float = LEVEL) -> tuple[float, float] | None:
    """The central `level` of the resampled values `(n_bootstrap,)`; None where one is not finite or there is none."""
    if not len(values) or not np.isfinite(values).all():
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
