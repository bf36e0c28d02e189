"""The named variants: that each takes away what it says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness import HarnessError, Result
from harness.opl.drawing import draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.interface import policy_value, sample_logged_data
from harness.opl.variants import VARIANTS, draw_variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

    Regression = Callable[[Floats, Floats], Floats]


def fitted(
    contexts: Floats, outputs: Floats, rewards: Floats, functions: int = 1, frequency: float = 0.3
) -> Regression:
    """Ridge regression of rewards on products of context and output (functions 1) or its sine and cosine (2)."""

    def design(contexts: Floats, outputs: Floats) -> Floats:
        told = [outputs] if functions == 1 else [np.sin(frequency * outputs), np.cos(frequency * outputs)]
        ones = np.ones((len(contexts), 1))
        left, right = np.concatenate([contexts, ones], axis=1), np.concatenate([*told, ones], axis=1)
        return (left[:, :, None] * right[:, None, :]).reshape(len(contexts), -1)

    x = design(contexts, outputs)
    weights = np.linalg.solve(x.T @ x + 5 * np.eye(x.shape[1]), x.T @ rewards)
    return lambda contexts, outputs: design(contexts, outputs) @ weights


def predicted(environment: SyntheticEnvironment, contexts: Floats, model: Regression) -> Floats:
    """The regression at the mean output of every action, `(n, n_actions)`."""
    seen, features = environment.observed_outputs, environment.features(contexts)
    asked, answers = seen(environment.query_outputs(contexts)), seen(environment.action_outputs)
    return np.stack([model(features, asked + answer) for answer in answers], axis=1)


def optimality(scores: Floats, rewards: Floats) -> float:
    gained = rewards[np.arange(len(rewards)), scores.argmax(axis=1)].mean() - rewards.mean()
    return float(gained / (rewards.max(axis=1).mean() - rewards.mean()))


def regression_optimality(environment: SyntheticEnvironment, functions: int = 1) -> float:
    feedback = sample_logged_data(environment, None, 8000, np.random.default_rng(1)).feedback
    assert feedback.context is not None and feedback.output is not None
    contexts = environment.sample_contexts(200, np.random.default_rng(2))
    model = fitted(feedback.context, feedback.output, feedback.reward, functions)
    return optimality(predicted(environment, contexts, model), environment.expected_rewards(contexts))


@pytest.mark.parametrize("name", VARIANTS)
def test_learners_see_arrays_of_the_same_shapes(name: str) -> None:
    environment = draw_variant(name, 0)
    feedback = sample_logged_data(environment, None, 5, np.random.default_rng(0)).feedback
    assert feedback.context is not None and feedback.output is not None
    assert (feedback.context.shape, feedback.output.shape, feedback.n_actions) == ((5, 10), (5, 5), 1000)


@pytest.mark.parametrize(("name", "compat"), [*((name, False) for name in VARIANTS), ("published", True)])
def test_rewards_spread_as_far_as_is_said(name: str, compat: bool) -> None:
    spreads = []
    for seed in range(8):
        environment = draw_variant(name, seed, compat=compat)
        contexts = environment.sample_contexts(100, np.random.default_rng(1))
        spreads.append(environment.expected_rewards(contexts).std())
    said = 0.5 if name != "published" else 0.6 if compat else 0.3
    assert abs(np.mean(spreads) - said) < 0.15


def test_the_published_one_is_the_papers() -> None:
    ours, papers = draw_variant("published", 3, compat=True), draw_environment(3, compat=True)
    assert ours.settings == papers.settings
    for name, array in papers.to_golds()[0].items():
        assert np.array_equal(array, ours.to_golds()[0][name])
    assert regression_optimality(draw_variant("published", 0)) > 0.85


def test_nonlinear_defeats_a_regression_linear_in_the_output() -> None:
    environment = draw_variant("nonlinear", 0)
    assert regression_optimality(environment) < 0.7
    assert regression_optimality(environment, functions=2) > 0.9


def test_misspecified_hides_what_is_rewarded() -> None:
    """A regression on the output that is seen falls short; on the whole output it does not."""
    environment = draw_variant("misspecified", 1)
    assert regression_optimality(environment) < 0.7
    arrays, values = environment.to_golds()
    assert regression_optimality(SyntheticEnvironment.from_golds(arrays, {**values, "hidden_outputs": 0})) > 0.85


def test_confounded_makes_regressions_promise_too_much() -> None:
    """The uniform policy's value by regression: too high in the log, right where actions were drawn at random."""
    environment = draw_variant("confounded", 0)
    contexts = environment.sample_contexts(200, np.random.default_rng(2))
    truth = environment.expected_rewards(contexts).mean()
    errors = []
    for policy in (None, lambda rows: np.full((len(rows), 1000), 1e-3)):
        feedback = sample_logged_data(environment, policy, 20_000, np.random.default_rng(1)).feedback
        assert feedback.context is not None and feedback.output is not None
        model = fitted(feedback.context, feedback.output, feedback.reward)
        errors.append(predicted(environment, contexts, model).mean() - truth)
    assert errors[0] > 0.05 > abs(errors[1])


def test_what_is_hidden_of_the_user_is_independent_of_what_is_seen() -> None:
    environment = draw_variant("confounded", 2)
    covariance = environment.context_factor @ environment.context_factor.T
    seen = np.r_[0:5, 10:15]
    assert (
        not covariance[5:10][:, seen].any() and not (covariance[5:10, 5:10] - np.diag(np.diag(covariance)[5:10])).any()
    )
    assert (np.diag(covariance) > 0.5).all()


@pytest.mark.parametrize("name", VARIANTS)
def test_golds_of_a_variant_score_a_policy_at_its_value(score_synthetic: Callable[..., Result], name: str) -> None:
    environment = draw_variant(name, 1)
    contexts = environment.sample_contexts(4, np.random.default_rng(9))
    policy = np.random.default_rng(0).dirichlet(np.ones(1000), size=4)
    result = score_synthetic(environment, policy.tolist(), 9)
    value = policy_value(
        environment, lambda rows: policy[(rows[:, None] == contexts).all(axis=2).argmax(axis=1)], contexts
    )
    assert result.metrics["policy_value"].value == pytest.approx(value, rel=1e-12)


def test_refuses_names() -> None:
    with pytest.raises(HarnessError, match="variant 'harder' is not one of published, nonlinear, misspecified, conf"):
        draw_variant("harder", 0)
