"""What is refused: the class, and a message that says what, where and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.opl.evaluation import (
    BalancedInverseProbabilityWeighting,
    BanditFeedback,
    DirectMethod,
    DoublyRobust,
    DoublyRobustWithShrinkage,
    InverseProbabilityWeighting,
    MarginalizedInverseProbabilityWeighting,
    OffCEM,
    SelfNormalizedInverseProbabilityWeighting,
    SubGaussianDoublyRobust,
    SwitchDoublyRobust,
    bootstrap_interval,
    diagnose,
    evaluate_policies,
    hoeffding_interval,
    select_by_slope,
    student_t_interval,
)

REWARD, ACTION, PSCORE = [1.0, 0.0, 1.0], [0, 1, 1], [0.5, 0.5, 0.5]
HALF = np.full((3, 2), 0.5)
FEEDBACK = BanditFeedback(REWARD, ACTION, PSCORE, 2)  # type: ignore[arg-type]
NAN = float("nan")
ROUNDS = np.array([0.0, 1.0])


def made(**change: object) -> Callable[[], object]:
    arguments = {"reward": REWARD, "action": ACTION, "pscore": PSCORE, "n_actions": 2, **change}
    return lambda: BanditFeedback(**arguments)  # type: ignore[arg-type]


def ips(pi: object) -> Callable[[], object]:
    return lambda: InverseProbabilityWeighting().round_rewards(FEEDBACK, pi)  # type: ignore[arg-type]


CASES: list[tuple[Callable[[], object], str]] = [
    (made(reward=[]), "reward: is empty"),
    (made(reward=[[1.0], [0.0], [1.0]]), r"reward: has shape \(3, 1\), but \(n_rounds,\) is \(3,\) here"),
    (made(reward=[1.0, NAN, 0.0]), r"reward: \[1\] = nan is not finite"),
    (made(reward=["a", "b", "c"]), "reward: holds something other than numbers"),
    (made(action=[0, 1]), r"action: has shape \(2,\), but \(n_rounds,\) is \(3,\) here"),
    (made(action=[0, 1, 2]), r"action: \[2\] = 2 is out of range; numbers must be in 0..1"),
    (made(action=[0, -1, 1]), r"action: \[1\] = -1 is out of range"),
    (made(action=[0, 0.5, 1]), r"action: \[1\] = 0.5 is no whole number"),
    (made(pscore=[0.5, 0.0, 0.5]), r"pscore: \[1\] = 0 is not in \(0, 1\]"),
    (made(pscore=[0.5, 0.5, 1.5]), r"pscore: \[2\] = 1.5 is not in \(0, 1\]"),
    (
        made(position=[0, 0, 2**60]),
        r"position: \[2\] = 1.15292e\+18 is out of range; numbers must be 0 or more, and below",
    ),
    (
        made(context=[[1.0], [1.0, 2.0], [3.0]]),
        r"context: holds something other .*; give an array of shape \(n_rounds, d",
    ),
    (made(n_actions=0), "n_actions: is 0, but must be a whole number of at least 1"),
    (made(n_actions=1), "n_actions: is 1, which leaves nothing to choose between"),
    (made(n_actions=True), "n_actions: is True"),
    (made(position=[0, 1]), r"position: has shape \(2,\)"),
    (made(context=[1.0, 2.0, 3.0]), r"context: has shape \(3,\), but \(n_rounds, dim_context\)"),
    (
        made(expected_reward=np.ones((3, 3))),
        r"expected_reward: has shape \(3, 3\), but \(n_rounds, n_actions\) is \(3, 2\)",
    ),
    (made(logging_dist=HALF + 0.1), "logging_dist: row 0 has the sum 1.2"),
    (made(logging_dist=[[0.5, 0.5], [0.9, 0.1], [0.5, 0.5]]), "logging_dist: gives the action of round 1 another"),
    (
        made(pscore=[5e-7, 0.5, 0.5], logging_dist=[[0.0, 1], [0.5, 0.5], [0.5, 0.5]]),
        "logging_dist: gives the action of round 0 another",
    ),
    (ips(HALF[:2]), r"action_dist: has shape \(2, 2\), but \(n_rounds, n_actions\) is \(3, 2\) here"),
    (ips(HALF[..., None]), r"action_dist: has shape \(3, 2, 1\)"),
    (ips([[0.5, 0.5], [1.5, -0.5], [0.5, 0.5]]), r"action_dist: \[1, 1\] = -0.5 is negative"),
    (ips([[0.5, 0.5], [0.5, 0.5], [0.5, 0.4]]), "action_dist: row 2 has the sum 0.9"),
    (lambda: DirectMethod().estimate(FEEDBACK, HALF), "q_hat: dm needs estimated rewards"),
    (lambda: DoublyRobust().estimate(FEEDBACK, HALF, HALF[:, :1]), r"q_hat: has shape \(3, 1\)"),
    (lambda: InverseProbabilityWeighting(lambda_=0), r"lambda_: is 0, but must be in \(0, inf\]"),
    (lambda: InverseProbabilityWeighting(lambda_=NAN), "lambda_: is nan"),
    (lambda: InverseProbabilityWeighting(lambda_=None), r"lambda_: is None, but must be in \(0, inf\]"),  # type: ignore[arg-type]
    (
        lambda: InverseProbabilityWeighting().estimate(replace(FEEDBACK, pscore=[0.5, 5e-324, 1]), HALF),
        r"importance weight: \[1\] = inf, as a pscore is too small or a reward too large; mend that round",
    ),
    (
        lambda: DoublyRobust().estimate(replace(FEEDBACK, pscore=[1e-300, 1, 1], reward=[1e10, 0, 0]), HALF, HALF),
        r"round rewards of dr: \[0\] = inf, as a pscore is too small",
    ),
    (lambda: diagnose(replace(FEEDBACK, pscore=[0.5, 5e-324, 1]), HALF), r"importance weight: \[1\] = inf"),
    (lambda: SwitchDoublyRobust(tau=-1), r"tau: is -1, but must be in \[0, inf\]"),
    (lambda: DoublyRobustWithShrinkage(lambda_=-1), "lambda_: is -1"),
    (lambda: SubGaussianDoublyRobust(lambda_=1.5), r"lambda_: is 1.5, but must be in \[0, 1\]"),
    (lambda: MarginalizedInverseProbabilityWeighting(), "mips: give clusters, or embedding_probability"),
    (lambda: MarginalizedInverseProbabilityWeighting(embedding=np.zeros(3)), "mips: give clusters"),
    (lambda: OffCEM(np.zeros(2)).estimate(FEEDBACK, HALF, HALF), "feedback: has no logging_dist"),
    (
        lambda: OffCEM(np.zeros(3)).estimate(replace(FEEDBACK, logging_dist=HALF), HALF, HALF),
        r"clusters: has shape \(3,\), but \(n_actions,\) is \(2,\)",
    ),
    (
        lambda: MarginalizedInverseProbabilityWeighting(None, np.array([[1.0, 0], [1, 0]]), np.ones(3)).estimate(
            replace(FEEDBACK, logging_dist=HALF), HALF
        ),
        "embedding: that of round 0 has probability 0",
    ),
    (lambda: BalancedInverseProbabilityWeighting(np.zeros(2)).estimate(FEEDBACK, HALF), r"strata: has shape \(2,\)"),
    (
        lambda: SelfNormalizedInverseProbabilityWeighting().estimate(
            BanditFeedback([1.0], [0], [0.5], 2),  # type: ignore[arg-type]
            np.array([[0.0, 1.0]]),
        ),
        "gives every logged action probability 0, so snipw is undefined",
    ),
    (lambda: student_t_interval(ROUNDS, 1.0), "level: is 1.0, but must lie between 0 and 1"),
    (lambda: student_t_interval(ROUNDS[:1]), "round_rewards: are 1 in number"),
    (lambda: bootstrap_interval(ROUNDS, n_bootstrap=0), "n_bootstrap: is 0"),
    (lambda: bootstrap_interval(ROUNDS, n_bootstrap=9.5), "n_bootstrap: is 9.5, but must be a whole number"),  # type: ignore[arg-type]
    (lambda: hoeffding_interval(ROUNDS, value_range=0.5), "value_range: is 0.5, but the round rewards span 1"),
    (lambda: diagnose(FEEDBACK, HALF, clip=0), "clip: is 0"),
    (lambda: select_by_slope([], FEEDBACK, HALF), "candidates: are none"),
    (lambda: evaluate_policies(FEEDBACK, {}, [DirectMethod()]), "policies: are none"),
    (lambda: evaluate_policies(FEEDBACK, {"half": HALF}, []), "estimators: are none"),
    (lambda: evaluate_policies(FEEDBACK, HALF, [DirectMethod()]), "policies: are no mapping; name each"),  # type: ignore[arg-type]
    (
        lambda: evaluate_policies(FEEDBACK, {"half": HALF}, DirectMethod(), HALF),  # type: ignore[arg-type]
        "estimators: are no list or mapping of estimators; give instances",
    ),
    (lambda: evaluate_policies(FEEDBACK, {"half": HALF}, [DirectMethod], HALF), "estimators: are no list or mapping"),  # type: ignore[list-item]
    (
        lambda: evaluate_policies(FEEDBACK, {"half": HALF}, [DirectMethod()], HALF, truth={"half": NAN}),
        "truth of 'half': is nan, but must be in",
    ),
    (
        lambda: evaluate_policies(FEEDBACK, {"half": HALF}, [DirectMethod(), DirectMethod()], HALF),
        "estimators: 'dm' is there twice",
    ),
    (
        lambda: evaluate_policies(FEEDBACK, {"half": HALF}, [DirectMethod()], HALF, truth={"whole": 1.0}),
        "truth: has 'whole', which is no policy; there are 'half'",
    ),
    (
        lambda: evaluate_policies(FEEDBACK, {"half": HALF}, [DirectMethod()], {"dr": HALF}),
        "q_hat: has 'dr', which is no estimator; there are 'dm'",
    ),
    (lambda: evaluate_policies(FEEDBACK, {"half": HALF}, [DirectMethod()], {}), "q_hat: dm needs estimated rewards"),
    (
        lambda: evaluate_policies(FEEDBACK, {"half": HALF}, [DirectMethod()], HALF, interval="wald"),
        "interval: 'wald' is not known; choose one of bootstrap, student_t",
    ),
    (lambda: evaluate_policies(FEEDBACK, {"half": HALF[:2]}, [DirectMethod()], HALF), "policy 'half': has shape"),
]


@pytest.mark.parametrize(("act", "message"), CASES, ids=[message[:30] for _, message in CASES])
def test_is_refused(act: Callable[[], object], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        act()


def test_feedback_is_a_copy_and_read_only() -> None:
    reward = np.array(REWARD)
    feedback = BanditFeedback(reward, np.array(ACTION), np.array(PSCORE), 2)
    reward[0] = 7
    assert feedback.reward[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        feedback.reward[0] = 7
