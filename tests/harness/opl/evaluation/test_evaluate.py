"""The table of policies by estimators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from harness.opl.evaluation import (
    BalancedInverseProbabilityWeighting,
    ClassifierBalancedInverseProbabilityWeighting,
    DirectMethod,
    DoublyRobust,
    DoublyRobustWithShrinkage,
    InverseProbabilityWeighting,
    KernelInverseProbabilityWeighting,
    MarginalizedInverseProbabilityWeighting,
    OffCEM,
    OffPolicyEstimator,
    Replay,
    SelfNormalizedDoublyRobust,
    SelfNormalizedInverseProbabilityWeighting,
    SelfNormalizedKernelInverseProbabilityWeighting,
    SubGaussianDoublyRobust,
    SubGaussianInverseProbabilityWeighting,
    SwitchDoublyRobust,
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


def test_runs_every_estimator_there_is() -> None:
    """On a log that suits them all: uniform, with outputs, and a deterministic policy."""
    rng, kinds, means = np.random.default_rng(0), np.arange(5) % 2, np.arange(5.0)[:, None]
    logged = logged_bandit(0, n_rounds=400)
    action = rng.integers(5, size=400)
    f = replace(
        logged.feedback,
        action=action,
        pscore=np.full(400, 0.2),
        logging_dist=np.full((400, 5), 0.2),
        output=means[action],
    )
    pi = np.eye(5)[logged.pi.argmax(axis=1)]
    terms = (np.zeros((400, 1)), means)
    estimators: list[OffPolicyEstimator] = [
        BalancedInverseProbabilityWeighting(),
        ClassifierBalancedInverseProbabilityWeighting(LogisticRegression()),
        DirectMethod(),
        DoublyRobust(),
        DoublyRobustWithShrinkage(),
        InverseProbabilityWeighting(),
        KernelInverseProbabilityWeighting(terms, 0.1),
        MarginalizedInverseProbabilityWeighting(kinds),
        OffCEM(kinds),
        Replay(),
        SelfNormalizedDoublyRobust(),
        SelfNormalizedInverseProbabilityWeighting(),
        SelfNormalizedKernelInverseProbabilityWeighting(terms, 0.1),
        SubGaussianDoublyRobust(),
        SubGaussianInverseProbabilityWeighting(),
        SwitchDoublyRobust(),
    ]

    def kinds_of(base: type) -> set[type]:
        return {one for kind in base.__subclasses__() for one in {kind} | kinds_of(kind)}

    concrete = {kind for kind in kinds_of(OffPolicyEstimator) if hasattr(kind, "name")}
    assert {type(each) for each in estimators} == concrete
    found = evaluate_policies(f, {"pi": pi}, estimators, logged.q_hat)
    values = {row.estimator: row.value for row in found.table}
    assert len(values) == len(estimators)
    assert values["kernel-ipw"] == pytest.approx(values["ipw"])
    assert values["sn-kernel-ipw"] == pytest.approx(values["snipw"]) == pytest.approx(values["replay"])


def test_an_estimator_may_have_a_model_of_its_own() -> None:
    logged = logged_bandit(0)
    f, pi, other = logged.feedback, logged.pi, logged.q_hat / 2
    models = {"dm": other, "dr": logged.q_hat}
    found = evaluate_policies(f, {"pi": pi}, [DirectMethod(), DoublyRobust(), InverseProbabilityWeighting()], models)
    assert [row.value for row in found.table] == pytest.approx(
        [
            DirectMethod().estimate(f, pi, other),
            DoublyRobust().estimate(f, pi, logged.q_hat),
            InverseProbabilityWeighting().estimate(f, pi),
        ]
    )


def test_goes_into_a_frame() -> None:
    pytest.importorskip("pandas")
    logged = logged_bandit(0)
    found = evaluate_policies(logged.feedback, {"pi": logged.pi}, [InverseProbabilityWeighting()])
    frame = found.to_frame()
    assert frame.to_dict("records") == found.rows()
    assert found.level == 0.95 and found.interval == "bootstrap"
