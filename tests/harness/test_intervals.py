"""Intervals and standard errors, held to brute force and to simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.intervals import bootstrap_sums, cluster_codes, clustered_standard_error, percentile_interval

if TYPE_CHECKING:
    from harness.registry import FloatArray


def mean(sums: Mapping[str, FloatArray]) -> FloatArray:
    return sums["x"] / sums["n"]


def ratio(sums: Mapping[str, FloatArray]) -> FloatArray:
    return sums["x"] / sums["y"]


def standard_error(
    estimate: Callable[[Mapping[str, FloatArray]], FloatArray],
    columns: Mapping[str, FloatArray],
    codes: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> float | None:
    sums = {**{name: float(column.sum()) for name, column in columns.items()}, "n": float(len(codes))}
    return clustered_standard_error(estimate, columns, sums, codes)


def simulated(
    rng: np.random.Generator, n_clusters: int = 40
) -> tuple[dict[str, FloatArray], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Columns with cluster effects: x has mean 1, y has mean 2, 1 to 9 samples a cluster."""
    sizes = rng.integers(1, 10, n_clusters)
    codes = np.repeat(np.arange(n_clusters), sizes)
    effect = rng.normal(size=n_clusters)[codes]
    x = 1 + effect + rng.normal(size=len(codes))
    y = 2 + 0.3 * effect + 0.3 * rng.normal(size=len(codes))
    return {"x": x, "y": y}, codes


def test_bootstrap_equals_brute_force_on_the_same_draws() -> None:
    columns, codes = simulated(np.random.default_rng(1))
    got = bootstrap_sums(columns, codes, 50, np.random.default_rng(2))
    draws = np.random.default_rng(2).integers(40, size=(50, 40), dtype=np.uint16)
    for name, column in {**columns, "n": np.ones(len(codes))}.items():
        want = [np.concatenate([column[codes == cluster] for cluster in row]).sum() for row in draws]
        np.testing.assert_allclose(got[name], want, rtol=1e-12)


def test_interval_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    x = np.random.default_rng(3).exponential(size=200)
    theirs = stats.bootstrap((x,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(4))
    ours = percentile_interval(bootstrap_sums({"x": x}, np.arange(200), 20_000, np.random.default_rng(5))["x"] / 200)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.01)


def test_blocks_draw_multinomial_weights() -> None:
    """Many clusters are resampled in several blocks; mean and spread are those of a bootstrap all the same."""
    x = np.random.default_rng(6).normal(size=30_000)
    got = bootstrap_sums({"x": x}, np.arange(30_000), 300, np.random.default_rng(7))["x"] / 30_000
    assert got.mean() == pytest.approx(x.mean(), abs=4 * x.std() / np.sqrt(30_000 * 300))
    assert got.std() == pytest.approx(x.std() / np.sqrt(30_000), rel=0.2)


def test_standard_error_of_a_mean_is_the_usual_one() -> None:
    x = np.random.default_rng(8).normal(size=100)
    got = standard_error(mean, {"x": x}, cluster_codes(100, None))
    assert got == pytest.approx(x.std(ddof=1) / 10, rel=1e-12)


def test_standard_error_of_a_ratio_is_the_delta_method() -> None:
    columns, codes = simulated(np.random.default_rng(9))
    x, y = columns["x"], columns["y"]
    influence = (x - x.mean() / y.mean() * y) / y.mean()
    totals = np.array([influence[codes == cluster].sum() for cluster in range(40)])
    want = np.sqrt(40 / 39 * (totals**2).sum()) / len(x)
    assert standard_error(ratio, columns, codes) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("estimate", [mean, ratio])
def test_standard_error_agrees_with_the_bootstrap(estimate: object) -> None:
    columns, codes = simulated(np.random.default_rng(10), 400)
    resampled = estimate(bootstrap_sums(columns, codes, 4000, np.random.default_rng(11)))  # type: ignore[operator]
    assert standard_error(estimate, columns, codes) == pytest.approx(resampled.std(), rel=0.06)  # type: ignore[arg-type]


@pytest.mark.parametrize(("estimate", "truth"), [(mean, 1.0), (ratio, 0.5)])
def test_coverage_on_simulated_data(estimate: object, truth: float) -> None:
    """95 % intervals from 40 users hold the truth in 90 to 98 % of 600 data sets; ignoring users they would not."""
    rng = np.random.default_rng(12)
    held, held_unclustered, n_data_sets = 0, 0, 600
    for _ in range(n_data_sets):
        columns, codes = simulated(rng)
        for alone in (False, True):
            groups = np.arange(len(codes)) if alone else codes
            values = estimate(bootstrap_sums(columns, groups, 300, rng))  # type: ignore[operator]
            low, high = percentile_interval(values) or (np.nan, np.nan)
            held += (not alone) and low <= truth <= high
            held_unclustered += alone and low <= truth <= high
    assert 0.90 <= held / n_data_sets <= 0.98
    assert held_unclustered / n_data_sets < 0.90


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30), st.integers(0, 2**32))
def test_seeded_and_bounded(clusters: list[str], seed: int) -> None:
    x = np.random.default_rng(0).random(len(clusters))
    codes = cluster_codes(len(clusters), clusters)
    first, again = (mean(bootstrap_sums({"x": x}, codes, 30, np.random.default_rng(seed))) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.min() >= x.min() - 1e-12 and first.max() <= x.max() + 1e-12
    assert (standard_error(mean, {"x": x}, codes) is None) == (len(set(clusters)) == 1)


def test_no_interval_without_finite_resamples() -> None:
    assert percentile_interval(np.array([])) is None
    assert percentile_interval(np.array([1.0, np.nan])) is None
    assert percentile_interval(np.arange(101.0), level=0.9) == pytest.approx((5, 95))
