"""Bins, and which columns get a histogram."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness import registry
from harness.report.charts import histogram
from harness.report.distributions import bins, distributions
from tests.harness.report.conftest import scored

Files = tuple[Path, dict[str, Path]]


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6, allow_subnormal=False)))
def test_every_sample_is_in_one_bin(values: np.ndarray) -> None:
    (one,) = bins([values])
    assert sum(one.counts) == len(values) and len(one.edges) == len(one.counts) + 1
    histogram(one, max(one.shares), "title", "label")


def test_whole_numbers_get_a_bin_each() -> None:
    (one,) = bins([np.array([0.0, 0, 1, 4])])
    assert one.edges == (-0.5, 0.5, 1.5, 2.5, 3.5, 4.5) and one.counts == (2, 1, 0, 0, 1) and one.mean == 1.25


def test_shares_span_the_whole_range_and_systems_share_edges() -> None:
    one, two = bins([np.array([0.2, 0.7, np.nan]), np.array([0.1, 0.55, 0.61])])
    assert (one.edges[0], one.edges[-1]) == (0.0, 1.0) and one.edges == two.edges
    assert (sum(one.counts), sum(two.counts)) == (2, 3) and not one.open_low and not one.open_high


def test_an_outlier_does_not_squeeze_the_rest() -> None:
    (one,) = bins([np.append(np.random.default_rng(0).normal(size=999), 1e6)])
    assert one.edges[-1] < 10 and one.open_high and sum(one.counts) == 1000
    assert "and above" in histogram(one, 1.0, "title", "label")


def test_which_columns_are_drawn(lamp: Files) -> None:
    golds, systems = lamp
    drawn = {
        task: [panel.column for panel in distributions(registry.get(task), {"a": scored(golds, systems["base"], task)})]
        for task in ("LaMP_1", "LaMP_3", "LaMP_4")
    }
    # Right or wrong is no distribution, and squared errors order samples as errors do.
    assert drawn == {"LaMP_1": [], "LaMP_3": ["absolute_error"], "LaMP_4": ["rouge-1", "rouge-L"]}
