from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.api import TaskError
from tasks.opl.env import LanguageEnvironment
from tasks.opl.rounds import LoggedRounds, check_action_dist, check_rounds, softmax
from tests.tasks.opl.made_pipeline import made_environment, softened

ENV = made_environment()


@given(arrays(np.float64, (3, 4), elements=st.floats(-50, 50)), st.floats(-3, 3))
def test_softmax_rows_are_distributions(logits: np.ndarray, beta: float) -> None:
    check_action_dist(softmax(logits, beta), 3, 4)


def test_softmax_at_beta_zero_is_uniform_and_below_zero_turns_the_order() -> None:
    logits = np.array([[1.0, 2.0, 3.0]])
    assert np.allclose(softmax(logits, 0.0), 1 / 3)
    assert np.array_equal(np.argsort(softmax(logits, -1.0)), np.argsort(softmax(logits, 1.0))[:, ::-1])
    assert np.allclose(softmax(logits + 7, 0.2), softmax(logits, 0.2))


def test_the_exact_value_is_what_many_rounds_average_to() -> None:
    policy = softened(ENV, 0.7)
    rounds = ENV.sample_logged_data(policy, 200_000, np.random.default_rng(0), reward_std=0.5, split="test")
    band = 4 * rounds.reward.std() / len(rounds) ** 0.5
    assert abs(rounds.reward.mean() - ENV.policy_value(policy, "test")) < band


def test_logged_rounds_carry_the_probability_of_their_action_and_stay_in_their_split() -> None:
    policy = softened(ENV, 0.5)
    for split in ("train", "test"):
        rounds = ENV.sample_logged_data(policy, 500, np.random.default_rng(1), reward_std=0.0, split=split)
        assert np.array_equal(rounds.pscore, policy[rounds.context, rounds.action])
        assert np.array_equal(rounds.reward, ENV.rewards[rounds.context, rounds.action].astype(np.float64))
        assert (ENV.is_train[rounds.context] == (split == "train")).all()
        check_rounds(rounds, ENV.n_contexts, ENV.n_actions)


def test_simple_policies_are_ordered() -> None:
    best, worst = softened(ENV, 1e6), softened(ENV, -1e6)
    uniform = np.full_like(best, 1 / ENV.n_actions)
    assert ENV.policy_value(best) == pytest.approx(ENV.optimal_value(), abs=1e-5)
    assert ENV.policy_value(uniform) == pytest.approx(ENV.uniform_value(), abs=1e-6)
    assert ENV.policy_value(worst) < ENV.policy_value(uniform) < ENV.policy_value(best)


def test_expected_rewards_follow_the_contexts_of_the_split() -> None:
    assert len(ENV.expected_rewards("train")) + len(ENV.expected_rewards("test")) == ENV.n_contexts
    assert np.array_equal(ENV.expected_rewards("test"), ENV.rewards[ENV.contexts("test")])


def test_rounds_are_drawn_as_they_always_were() -> None:
    """From one stream: contexts, then a uniform number each for the actions, then the noise."""
    policy = softened(ENV, 0.7)
    rounds = ENV.sample_logged_data(policy, 400, np.random.default_rng(9), reward_std=0.5)
    rng = np.random.default_rng(9)
    context = rng.choice(ENV.contexts("train"), size=400)
    action = [int(np.argmax(np.cumsum(policy[x]) > u)) for x, u in zip(context, rng.random(400), strict=True)]
    assert np.array_equal(rounds.context, context)
    assert rounds.action.tolist() == action
    assert np.array_equal(
        rounds.reward, ENV.rewards[context, action].astype(np.float64) + 0.5 * rng.standard_normal(400)
    )


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (np.ones((3, 5)) / 5, r"shape \(3, 5\) but the environment is \(240, 5\)"),
        (np.ones((240, 5)) / 4, "row 0 is no distribution: it sums to 1.25"),
        (np.tile([1.5, -0.5, 0, 0, 0], (240, 1)), "row 0 is no distribution"),
        (np.full((240, 5), np.nan), "row 0 is no distribution"),
    ],
)
def test_what_is_no_policy_is_refused(policy: np.ndarray, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        ENV.policy_value(policy)
    with pytest.raises(TaskError, match=message):
        ENV.sample_logged_data(policy, 5, np.random.default_rng(0), reward_std=0.1)


GOOD = LoggedRounds(np.array([0, 1]), np.array([2, 3]), np.array([0.1, -0.2]), np.array([0.5, 1.0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pscore": np.array([0.5, 0.0])}, r"round 1: pscore must be in \(0, 1\], found 0.0"),
        ({"pscore": np.array([1.5, 0.5])}, "round 0: pscore"),
        ({"pscore": np.array([np.nan, 0.5])}, "round 0: pscore"),
        ({"action": np.array([2, 5])}, r"round 1: action must be in 0\.\.4, found 5"),
        ({"action": np.array([-1, 0])}, "round 0: action"),
        ({"context": np.array([0, 240])}, r"round 1: context must be in 0\.\.239, found 240"),
        ({"reward": np.array([np.nan, 0.0])}, "round 0: reward must be finite, found nan"),
        ({"reward": np.array([0.0, np.inf])}, "round 1: reward must be finite"),
        ({"reward": np.array([0.0])}, r"reward has shape \(1,\) but context has \(2,\)"),
    ],
)
def test_bad_rounds_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    check_rounds(GOOD, 240, 5)
    with pytest.raises(TaskError, match=message):
        check_rounds(replace(GOOD, **change), 240, 5)


def test_an_empty_log_is_refused() -> None:
    none = np.zeros(0, dtype=np.int64)
    with pytest.raises(TaskError, match="no rounds"):
        check_rounds(LoggedRounds(none, none, none.astype(float), none.astype(float)), 240, 5)


def _one_action(env: LanguageEnvironment) -> LanguageEnvironment:
    features = replace(env.features, prompts=env.features.prompts[:1], sentences=env.features.sentences[:, :1])
    return replace(env, rewards=env.rewards[:, :1], features=features)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda env: replace(env, user=env.user[:3]), r"user has shape \(3,\) but rewards has \(240, 5\)"),
        (
            lambda env: replace(env, features=replace(env.features, context=env.features.context[:7])),
            r"context features has shape \(7,\)",
        ),
        (
            lambda env: replace(env, features=replace(env.features, prompts=env.features.prompts[:2])),
            r"prompts \(2, 5\).*5 actions",
        ),
        (lambda env: replace(env, rewards=np.full_like(env.rewards, np.nan)), "not finite"),
        (_one_action, "1 prompt leaves nothing to choose"),
    ],
)
def test_an_environment_whose_parts_disagree_is_refused(change: object, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        change(ENV)  # type: ignore[operator]
