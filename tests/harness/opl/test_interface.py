"""Logged rounds and exact values of the synthetic environment, through the interface that all environments share."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness import HarnessError
from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.environment_settings import EnvironmentSettings
from harness.opl.interface import policy_value, sample_logged_data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIZES = Sizes(n_actions=7, dim_context=3, dim_query=2, dim_output=4, normalizer=8)
ENVIRONMENT = draw_environment(1, SIZES, EnvironmentSettings(beta=2.0))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def only_even(contexts: Floats) -> Floats:
    """A policy that never takes actions 1, 3 and 5."""
    weights = np.exp(contexts[:, :1] * np.arange(7.0)) * (np.arange(7) % 2 == 0)
    return weights / weights.sum(axis=1, keepdims=True)


def test_rounds_are_what_they_say() -> None:
    log = sample_logged_data(ENVIRONMENT, None, 500, rng(), tables=True)
    feedback, rows = log.feedback, np.arange(500)
    policy = ENVIRONMENT.logging_policy(log.contexts)
    assert feedback.logging_dist is not None and feedback.expected_reward is not None and feedback.output is not None
    assert np.allclose(feedback.logging_dist, policy, rtol=1e-14)
    assert np.array_equal(feedback.pscore, feedback.logging_dist[rows, feedback.action])
    assert np.array_equal(feedback.expected_reward, ENVIRONMENT.expected_rewards(log.contexts))
    assert np.array_equal(feedback.context, log.contexts) and (feedback.n_actions, feedback.n_rounds) == (7, 500)
    assert feedback.output.shape == (500, 4)
    lean = sample_logged_data(ENVIRONMENT, None, 500, rng()).feedback
    assert lean.logging_dist is None and lean.expected_reward is None
    for name in ("context", "action", "output", "reward", "pscore"):
        assert np.array_equal(getattr(lean, name), getattr(feedback, name))


def test_marginals() -> None:
    """Contexts, actions, outputs and rewards have their laws, within four standard errors."""
    n = 100_000
    log = sample_logged_data(ENVIRONMENT, None, n, rng(), tables=True)
    feedback = log.feedback
    assert feedback.logging_dist is not None and feedback.output is not None
    expected = feedback.logging_dist.mean(axis=0)
    error = np.sqrt((feedback.logging_dist * (1 - feedback.logging_dist)).mean(axis=0) / n)
    assert (np.abs(np.bincount(feedback.action, minlength=7) / n - expected) < 4 * error).all()
    noise = feedback.output - ENVIRONMENT.query_outputs(log.contexts) - ENVIRONMENT.action_outputs[feedback.action]
    given = ENVIRONMENT.expected_reward_given_output(log.contexts, feedback.action, feedback.output)
    noise = np.c_[noise, feedback.reward - given]
    assert (np.abs(noise.mean(axis=0)) < 4 / math.sqrt(n)).all() and np.allclose(noise.std(axis=0), 1, atol=0.01)
    # Streams are independent of each other: so are the noises, and contexts from noises.
    drawn = np.c_[log.contexts, noise]
    correlations = np.corrcoef(drawn.T)[:5, 5:], np.corrcoef(noise.T)[np.triu_indices(5, 1)]
    assert all(np.abs(found).max() < 4.5 / math.sqrt(n) for found in correlations)


def test_the_value_of_a_policy_is_what_its_rounds_average_to() -> None:
    contexts = sample_logged_data(ENVIRONMENT, only_even, 200_000, rng()).contexts
    rewards = sample_logged_data(ENVIRONMENT, only_even, 200_000, rng()).feedback.reward
    assert abs(rewards.mean() - policy_value(ENVIRONMENT, only_even, contexts)) < 4 * rewards.std() / math.sqrt(200_000)


def test_values_are_exact() -> None:
    contexts = ENVIRONMENT.sample_contexts(300, rng())
    rewards = ENVIRONMENT.expected_rewards(contexts)
    best = np.eye(7)[rewards.argmax(axis=1)]
    for policy, value in (
        (None, (ENVIRONMENT.logging_policy(contexts) * rewards).sum(axis=1).mean()),
        (
            lambda rows: np.eye(7)[ENVIRONMENT.expected_rewards(rows).argmax(axis=1)],
            (best * rewards).sum(axis=1).mean(),
        ),
        (lambda rows: np.full((len(rows), 7), 1 / 7, dtype=np.float32), rewards.mean()),
    ):
        assert policy_value(ENVIRONMENT, policy, contexts) == pytest.approx(value, rel=1e-12)


def test_another_policy_meets_the_same_contexts_and_never_does_what_it_does_not() -> None:
    ours, theirs = (sample_logged_data(ENVIRONMENT, policy, 2000, rng(4)) for policy in (None, only_even))
    assert np.array_equal(ours.contexts, theirs.contexts)
    assert not np.isin(theirs.feedback.action, [1, 3, 5]).any() and np.isin(ours.feedback.action, [1, 3, 5]).any()
    same = ours.feedback.action == theirs.feedback.action
    assert same.any() and np.array_equal(ours.feedback.reward[same], theirs.feedback.reward[same])
    assert not np.array_equal(sample_logged_data(ENVIRONMENT, None, 2000, rng(5)).contexts, ours.contexts)


def test_fewer_rounds_are_the_first_of_more(monkeypatch: pytest.MonkeyPatch) -> None:
    more = sample_logged_data(ENVIRONMENT, None, 300, rng(6)).feedback
    monkeypatch.setattr("harness.opl.interface._BLOCK_CELLS", 50)
    fewer = sample_logged_data(ENVIRONMENT, None, 100, rng(6)).feedback
    for name in ("context", "action", "output", "reward", "pscore"):
        assert np.array_equal(getattr(fewer, name), getattr(more, name)[:100])


def test_a_generator_gives_another_log_each_time_and_leaves_its_own_draws() -> None:
    """Evaluation contexts drawn from the same seed are not those that were logged."""
    shared = rng(8)
    first, second = (sample_logged_data(ENVIRONMENT, None, 50, shared).contexts for _ in range(2))
    evaluated = ENVIRONMENT.sample_contexts(50, rng(8))
    for one, other in ((first, second), (first, evaluated), (second, evaluated)):
        assert not np.isin(one, other).any()
    assert np.array_equal(ENVIRONMENT.sample_contexts(50, shared), evaluated)


def test_binary_rewards() -> None:
    binary = replace(ENVIRONMENT, settings=replace(ENVIRONMENT.settings, reward_type="binary"))
    log = sample_logged_data(binary, None, 50_000, rng())
    assert set(np.unique(log.feedback.reward)) == {0.0, 1.0}
    error = log.feedback.reward.std() / math.sqrt(50_000)
    assert abs(log.feedback.reward.mean() - policy_value(binary, None, log.contexts)) < 4 * error


def test_a_policy_that_sums_almost_to_one_is_divided_by_its_sum() -> None:
    log = sample_logged_data(ENVIRONMENT, lambda rows: np.tile(np.eye(7)[2] * (1 + 5e-7), (len(rows), 1)), 20, rng())
    assert (log.feedback.pscore == 1).all() and (log.feedback.action == 2).all()


def test_memory_stays_flat() -> None:
    """A table of all rounds and actions would be 160 MB."""
    environment = draw_environment(0)
    sample_logged_data(environment, None, 10, rng())
    contexts = environment.sample_contexts(20_000, rng())
    tracemalloc.start()
    sample_logged_data(environment, None, 20_000, rng())
    policy_value(environment, None, contexts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25e6


BAD_POLICIES = [
    (lambda rows: np.full((len(rows), 6), 1 / 6), r"the policy gives \(9, 6\) for 9 contexts; it must give \(9, 7\)"),
    (lambda rows: np.full(7, 1 / 7), r"the policy gives \(7,\) for 9 contexts"),
    (lambda rows: np.full((len(rows), 7), 0.1), "context 0: the policy has probabilities that sum to 0.7"),
    (lambda rows: np.full((len(rows), 7), np.nan), "context 0: the policy holds probabilities that are not finite"),
    (
        lambda rows: np.tile([1.5, -0.5, 0, 0, 0, 0, 0], (len(rows), 1)),
        "context 0: the policy gives action 1 a negative probability",
    ),
]


@pytest.mark.parametrize(("policy", "message"), BAD_POLICIES)
def test_refuses_what_is_no_policy(policy: object, message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        sample_logged_data(ENVIRONMENT, policy, 9, rng())  # type: ignore[arg-type]
    with pytest.raises(HarnessError, match=message):
        policy_value(ENVIRONMENT, policy, ENVIRONMENT.sample_contexts(9, rng()))  # type: ignore[arg-type]


def test_the_context_of_a_bad_distribution_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.opl.interface._BLOCK_CELLS", 21)
    contexts = ENVIRONMENT.sample_contexts(9, rng())

    def seventh_is_bad(rows: Floats) -> Floats:
        return np.where((rows == contexts[7]).all(axis=1)[:, None], 0.0, 1 / 7) * np.ones((1, 7))

    with pytest.raises(HarnessError, match="context 7: the policy has probabilities that sum to 0"):
        policy_value(ENVIRONMENT, seventh_is_bad, contexts)


def test_refuses_nothing() -> None:
    with pytest.raises(HarnessError, match="n_rounds is 0; log at least one"):
        sample_logged_data(ENVIRONMENT, None, 0, rng())
    with pytest.raises(HarnessError, match="contexts are empty"):
        policy_value(ENVIRONMENT, None, np.empty((0, 5)))


def test_what_is_hidden_is_not_logged() -> None:
    chosen = EnvironmentSettings(hidden_contexts=2, hidden_outputs=3)
    environment = draw_environment(0, SIZES, chosen)
    log = sample_logged_data(environment, None, 40, rng())
    assert log.feedback.context is not None and log.feedback.output is not None
    assert log.contexts.shape == (40, 5) and np.array_equal(log.feedback.context, log.contexts[:, [0, 3, 4]])
    assert log.feedback.output.shape == (40, 1)
    assert environment.observed_outputs(environment.action_outputs).shape == (7, 1)
    assert environment.observed_outputs(environment.output_std).shape == (1,)


CONTEXTS = ENVIRONMENT.sample_contexts(3, rng())
ACTIONS = np.array([0, 6, 2])
BAD_ROWS = [
    (lambda e: e.features(CONTEXTS[:, :4]), r"contexts are \(3, 4\); they must be finite numbers, 5 a row: 3 of the"),
    (lambda e: e.expected_rewards(CONTEXTS[0]), r"contexts are \(5,\)"),
    (lambda e: e.logging_policy(CONTEXTS * np.nan), r"contexts are \(3, 5\); they must be finite"),
    (lambda e: e.query_outputs(np.c_[CONTEXTS, CONTEXTS]), r"contexts are \(3, 10\)"),
    (
        lambda e: e.sample_outputs(CONTEXTS, ACTIONS[:2], rng()),
        r"actions are int64 \(2,\); they must be integers \(3,\)",
    ),
    (lambda e: e.sample_outputs(CONTEXTS, ACTIONS * 1.0, rng()), r"actions are float64 \(3,\)"),
    (lambda e: e.sample_outputs(CONTEXTS, ACTIONS + 1, rng()), "actions: row 1 is 7; actions are numbered from 0 to 6"),
    (lambda e: e.sample_outputs(CONTEXTS, ACTIONS - 1, rng()), "actions: row 0 is -1"),
    (
        lambda e: e.sample_rewards(CONTEXTS, ACTIONS, np.zeros((3, 1)), rng()),
        r"outputs are \(3, 1\); they must be \(3, 4\): a row for each context, with the coordinates that learners do not",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD_ROWS)
def test_refuses_rows(call: object, message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        call(ENVIRONMENT)  # type: ignore[operator]


def test_custom_arrays_make_an_environment() -> None:
    """One's own matrices, not drawn: one user number, one query number, two actions, one output."""
    environment = SyntheticEnvironment(
        action_embeddings=np.array([[1.0], [-1.0]]),
        query_weights=np.array([[0.0]]),
        action_weights=np.array([[2.0]]),
        reward_weights=np.array([[1.0], [0.0]]),
        logging_weights=np.zeros((2, 1)),
        context_factor=np.eye(2),
        settings=EnvironmentSettings(generator="linear", noise_level=0.0, reward_std=0.0),
    )
    contexts = np.array([[3.0, 9.0], [-1.0, 9.0]])
    assert environment.expected_rewards(contexts).tolist() == [[6.0, -6.0], [-2.0, 2.0]]
    assert policy_value(environment, None, contexts) == 0.0
    log = sample_logged_data(environment, None, 100, rng())
    assert np.array_equal(log.feedback.reward, log.contexts[:, 0] * np.where(log.feedback.action == 0, 2.0, -2.0))
