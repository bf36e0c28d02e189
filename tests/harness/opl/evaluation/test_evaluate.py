"""The table of policies by estimators."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.opl.evaluation import (
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    evaluate_policies,
    student_t_interval,
)
from tests.harness.opl.evaluation.bandits import logged_bandit


def test_has_a_row_for_each_policy_and_estimator() -> None:
    logged = logged_bandit(0, n_rounds=300)
    f = logged.feedback
    assert f.logging_dist is not None and f.expected_reward is not None
    policies = {"logging": f.logging_dist, "softmax": logged.pi}
    estimators = [InverseProbabilityWeighting(), DirectMethod(), DoublyRobust()]
    found = evaluate_policies(f, policies, estimators, logged.q_hat, interval="student_t")
    rows = found.rows()
    assert [(row["policy"], row["estimator"]) for row in rows] == [
        (policy, name) for policy in policies for name in ("ipw", "dm", "dr")
    ]
    first = rows[0]
    assert first["value"] == pytest.approx(f.reward.mean()) and first["effective_sample_size"] == pytest.approx(300)
    assert (rows[1]["effective_sample_size"], rows[1]["max_weight"]) == (None, None)
    truth = (logged.pi * f.expected_reward).sum(axis=1).mean()
    last = student_t_interval(DoublyRobust().round_rewards(f, logged.pi, logged.q_hat))
    assert rows[-1] == {
        **rows[-1],
        "low": last.low,
        "high": last.high,
        "truth": pytest.approx(truth),
        "error": pytest.approx(last.mean - truth),
        "deficient_support": 0.0,
    }


def test_a_given_truth_goes_first_and_an_unknown_one_is_none() -> None:
    logged = logged_bandit(0)
    unknown = replace(logged.feedback, expected_reward=None)
    ips = {"mine": InverseProbabilityWeighting(), "clipped": InverseProbabilityWeighting(1.0)}
    given = evaluate_policies(logged.feedback, {"pi": logged.pi}, ips, truth={"pi": 0.25}).table
    assert [row.truth for row in given] == [0.25, 0.25]
    missing = evaluate_policies(unknown, {"pi": logged.pi}, ips).table
    assert [(row.estimator, row.truth, row.error) for row in missing] == [("mine", None, None), ("clipped", None, None)]


def test_goes_into_a_frame() -> None:
    pytest.importorskip("pandas")
    logged = logged_bandit(0)
    found = evaluate_policies(logged.feedback, {"pi": logged.pi}, [InverseProbabilityWeighting()])
    frame = found.to_frame()
    assert frame.to_dict("records") == found.rows()
    assert found.level == 0.95 and found.interval == "bootstrap"
