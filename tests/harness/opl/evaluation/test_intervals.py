"""Intervals and diagnostics beside SciPy and hand-made numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.opl.evaluation import (
    BanditFeedback,
    bootstrap_interval,
    diagnose,
    empirical_bernstein_interval,
    hoeffding_interval,
    student_t_interval,
)
from harness.opl.evaluation.student_t import student_t_quantile

stats = pytest.importorskip("scipy.stats")


@given(st.integers(1, 10**6), st.floats(0.5, 0.9999))
@settings(deadline=None)
def test_quantiles_equal_those_of_scipy(degrees: int, probability: float) -> None:
    assert student_t_quantile(probability, degrees) == pytest.approx(
        stats.t.ppf(probability, degrees), rel=1e-8, abs=1e-9
    )


def test_a_million_rounds_and_more_are_normal() -> None:
    assert student_t_quantile(0.975, 10**8) == pytest.approx(1.959964, abs=1e-6)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=50), st.floats(0.5, 0.99))
@settings(deadline=None)
def test_student_equals_scipy(numbers: list[float], level: float) -> None:
    rewards = np.array(numbers)
    found = student_t_interval(rewards, level)
    half = stats.t.ppf((1 + level) / 2, len(rewards) - 1) * rewards.std(ddof=1) / math.sqrt(len(rewards))
    assert (found.low, found.high) == pytest.approx((rewards.mean() - half, rewards.mean() + half), abs=1e-6)


def test_bounds_by_hand() -> None:
    rewards = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    half = math.sqrt(math.log(40) / 10)
    assert hoeffding_interval(rewards).high == pytest.approx(0.6 + half)
    assert hoeffding_interval(rewards, value_range=2).half_width == pytest.approx(2 * half)
    bernstein = math.sqrt(2 * 0.3 * math.log(80) / 5) + 7 * math.log(80) / 12
    assert empirical_bernstein_interval(rewards).low == pytest.approx(0.6 - bernstein)


def test_the_bootstrap_is_seeded_and_near_student() -> None:
    rewards = np.random.default_rng(0).normal(size=400)
    first, again = bootstrap_interval(rewards, seed=3), bootstrap_interval(rewards, seed=3)
    assert first == again != bootstrap_interval(rewards, seed=4)
    assert first.half_width == pytest.approx(student_t_interval(rewards).half_width, rel=0.1)


def test_bernstein_beats_hoeffding_where_variance_is_small() -> None:
    rewards = np.zeros(10_000)
    rewards[:10] = 1.0
    assert empirical_bernstein_interval(rewards).half_width < hoeffding_interval(rewards).half_width


def test_diagnostics_by_hand() -> None:
    feedback = BanditFeedback(np.ones(4), np.array([0, 0, 1, 1]), np.array([0.5, 0.5, 0.25, 0.25]), 3)
    pi = np.tile([0.5, 0.3, 0.2], (4, 1))
    found = diagnose(feedback, pi, clip=1.1)
    weights = [1.0, 1.0, 1.2, 1.2]
    assert found.effective_sample_size == pytest.approx(sum(weights) ** 2 / sum(w * w for w in weights))
    assert (found.max_weight, found.mean_weight, found.clipped_share) == pytest.approx((1.2, 1.1, 0.5))
    assert found.deficient_support == pytest.approx(0.2)  # action 2 was never logged


def test_support_is_exact_where_the_logging_policy_is_known() -> None:
    logging = np.array([[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]])
    feedback = BanditFeedback(np.ones(2), np.array([0, 0]), np.array([0.5, 0.5]), 3, logging_dist=logging)
    assert diagnose(feedback, np.tile([0.5, 0.1, 0.4], (2, 1))).deficient_support == pytest.approx(0.2)


def test_no_weight_is_no_sample() -> None:
    feedback = BanditFeedback(np.ones(2), np.array([0, 0]), np.array([0.5, 0.5]), 2)
    found = diagnose(feedback, np.tile([0.0, 1.0], (2, 1)))
    assert found.effective_sample_size == 0 and found.deficient_support == 1
