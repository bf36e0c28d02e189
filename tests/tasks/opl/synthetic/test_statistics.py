from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tasks.opl.synthetic.statistics import compare_pairs, paired_p, summarise


def scores(seed: int = 0, n: int = 6) -> dict[str, dict[int, dict[str, float]]]:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=n)
    drawn = {"uniform": base - 1, "ips": base, "dso": base + 0.3 + 0.1 * rng.normal(size=n)}
    return {
        name: {k: {"policy_value": float(v), "optimality": float(v) / 2} for k, v in enumerate(values)}
        for name, values in drawn.items()
    }


def test_means_errors_and_intervals_are_students() -> None:
    given = scores()
    for row in summarise(given, 0.95):
        values = np.array([metrics["policy_value"] for metrics in given[row.policy].values()])
        assert row.value == pytest.approx(values.mean())
        assert row.se_value == pytest.approx(stats.sem(values))
        assert (row.low, row.high) == pytest.approx(
            stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        )
        assert row.optimality == pytest.approx(values.mean() / 2)


def test_pairs_are_compared_seed_by_seed() -> None:
    given = scores()
    (pair,) = compare_pairs(given)  # uniform is no learner
    ips, dso = ([m["policy_value"] for m in given[name].values()] for name in ("ips", "dso"))
    expected = stats.ttest_rel(ips, dso)
    assert (pair.policy, pair.other, pair.n_seeds, pair.wins) == ("ips", "dso", 6, 0)
    assert pair.p_value == pytest.approx(expected.pvalue)
    assert pair.p_holm == pytest.approx(expected.pvalue)
    assert pair.difference == pytest.approx(np.mean(ips) - np.mean(dso))


def test_only_seeds_that_both_have_are_compared() -> None:
    given = scores()
    del given["dso"][0]
    given["dso"][99] = {"policy_value": 5.0, "optimality": 1.0}
    (pair,) = compare_pairs(given)
    assert pair.n_seeds == 5


def test_one_seed_has_no_error_and_equal_differences_no_p() -> None:
    (row, *_) = summarise(scores(n=1), 0.95)
    assert row.se_value is row.low is row.se_optimality is None
    assert compare_pairs(scores(n=1))[0].p_value is None
    assert paired_p(np.full(4, 0.5)) is None
