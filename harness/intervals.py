"""Standard errors and bootstrap intervals of metrics that are functions of means, clustered by user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

    Estimate = Callable[[Mapping[str, FloatArray]], FloatArray]

LEVEL = 0.95
_BLOCK_DRAWS = 1 << 21
_STEP = 1e-30


def cluster_codes(n_samples: int, clusters: Sequence[str] | None) -> NDArray[np.int64]:
    """The number of each sample's cluster, `(n_samples,)`, in the order of sorted names; each its own where None."""
    if clusters is None:
        return np.arange(n_samples, dtype=np.int64)
    numbers = {name: number for number, name in enumerate(sorted(set(clusters)))}
    return np.array([numbers[name] for name in clusters], dtype=np.int64)


def clustered_standard_error(
    estimate: Estimate, columns: Mapping[str, FloatArray], codes: NDArray[np.int64]
) -> float | None:
    """Analytic standard error of `estimate` at the means of the columns, clustered; None for a single cluster.

    SE^2 = G / (G - 1) * sum_g (sum_{i in g} psi_i)^2 / n^2, where psi_i = sum_j (x_ij - mean_j) d estimate / d mean_j
    is the delta method's linearisation (Liang and Zeger 1986; correction as in Cameron and Miller 2015). With one
    sample a cluster and a plain mean this is the usual s / sqrt(n).
    """
    n_clusters = int(codes.max()) + 1
    if n_clusters < 2:
        return None
    means = {name: column.mean() for name, column in columns.items()}
    influence = np.zeros(len(codes))
    for name, column in columns.items():
        # Complex-step derivative: exact to the last bit, as no difference of near values is taken.
        shifted = {other: np.asarray(mean + 1j * _STEP * (other == name)) for other, mean in means.items()}
        slope = float(np.imag(estimate(cast("Mapping[str, FloatArray]", shifted))) / _STEP)
        influence += slope * (column - means[name])
    totals = np.bincount(codes, weights=influence, minlength=n_clusters)
    return float(np.sqrt(n_clusters / (n_clusters - 1) * np.sum(totals**2)) / len(codes))


def bootstrap_means(
    columns: Mapping[str, FloatArray], codes: NDArray[np.int64], n_bootstrap: int, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Means of the columns in `n_bootstrap` resamples of whole clusters, each `(n_bootstrap,)`.

    A resample draws as many clusters as there are, with replacement: its weights are multinomial counts, and a mean is
    the ratio of the weighted sums to the weighted cluster sizes (Davison and Hinkley 1997, section 3.8).
    """
    n_clusters = int(codes.max()) + 1
    sums = np.stack([np.bincount(codes, weights=column, minlength=n_clusters) for column in columns.values()], axis=1)
    sizes = np.bincount(codes, minlength=n_clusters).astype(np.float64)
    means = np.empty((n_bootstrap, len(columns)))
    step = max(1, _BLOCK_DRAWS // n_clusters)
    for start in range(0, n_bootstrap, step):
        count = min(step, n_bootstrap - start)
        draws = rng.integers(n_clusters, size=(count, n_clusters)) + np.arange(count)[:, None] * n_clusters
        weights = np.bincount(draws.ravel(), minlength=count * n_clusters).reshape(count, n_clusters).astype(np.float64)
        # einsum rather than BLAS: its sums do not depend on the number of threads.
        means[start : start + count] = np.einsum("bg,gk->bk", weights, sums) / (weights @ sizes)[:, None]
    return {name: means[:, index] for index, name in enumerate(columns)}


def percentile_interval(values: FloatArray, level: float = LEVEL) -> tuple[float, float] | None:
    """The central `level` of the resampled values `(n_bootstrap,)`; None where one is not finite or there is none."""
    if not len(values) or not np.isfinite(values).all():
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
