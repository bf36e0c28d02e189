"""The language environment and the synthetic one behind one interface: the same code for both."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from harness import HarnessError
from harness.opl.drawing import Sizes, draw_environment
from harness.opl.interface import Contexts, Environment, policy_value, sample_logged_data
from tasks.api import TaskError
from tasks.opl.split import LanguageSplit
from tests.tasks.opl.made_pipeline import made_environment, softened

ENV = made_environment()
SPLIT = LanguageSplit(ENV, "train", softened(ENV, 0.7), reward_std=0.5)
ENVIRONMENTS = [SPLIT, draw_environment(0, Sizes(n_actions=6, normalizer=20))]


def mean_reward(environment: Environment[Contexts], n_rounds: int) -> tuple[float, float, float]:
    """What rounds average to, the exact value in their contexts, and the standard error; knows no kind of environment."""
    log = sample_logged_data(environment, None, n_rounds, np.random.default_rng(0), tables=True)
    feedback, rows = log.feedback, np.arange(n_rounds)
    assert feedback.logging_dist is not None and feedback.output is not None and feedback.context is not None
    assert np.array_equal(feedback.pscore, feedback.logging_dist[rows, feedback.action])
    assert np.allclose(feedback.logging_dist, environment.logging_policy(log.contexts), rtol=1e-12)
    assert np.array_equal(feedback.expected_reward, environment.expected_rewards(log.contexts))
    assert np.array_equal(feedback.context, environment.features(log.contexts))
    assert len(feedback.output) == n_rounds and len(environment.action_embeddings) == environment.n_actions
    given = environment.expected_reward_given_output(log.contexts, feedback.action, feedback.output)
    assert abs((feedback.reward - given).mean()) < 4 * (feedback.reward - given).std() / math.sqrt(n_rounds)
    value = policy_value(environment, environment.logging_policy, log.contexts)
    return float(feedback.reward.mean()), value, float(feedback.reward.std() / math.sqrt(n_rounds))


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=["language", "synthetic"])
def test_rounds_average_to_the_exact_value(environment: Environment[np.ndarray]) -> None:
    mean, value, error = mean_reward(environment, 50_000)
    assert abs(mean - value) < 4 * error


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=["language", "synthetic"])
def test_another_policy_meets_the_same_contexts(environment: Environment[np.ndarray]) -> None:
    def last(contexts: np.ndarray) -> np.ndarray:
        return np.tile(np.eye(environment.n_actions)[-1], (len(contexts), 1))

    ours, theirs = (sample_logged_data(environment, policy, 300, np.random.default_rng(1)) for policy in (None, last))
    assert np.array_equal(ours.contexts, theirs.contexts)
    assert (theirs.feedback.action == environment.n_actions - 1).all() and (theirs.feedback.pscore == 1).all()


def test_a_table_is_a_policy_and_has_the_value_of_the_environments_own_method() -> None:
    for split in ("train", "test"):
        value = policy_value(SPLIT, SPLIT.action_dist.__getitem__, ENV.contexts(split))
        assert value == pytest.approx(ENV.policy_value(SPLIT.action_dist, split), rel=1e-12)
        uniform = policy_value(SPLIT, lambda ids: np.full((len(ids), 5), 0.2), ENV.contexts(split))
        assert uniform == pytest.approx(ENV.uniform_value(split), abs=1e-7)


@pytest.mark.parametrize("split", ["train", "test"])
def test_rounds_stay_in_their_split_and_have_its_sentences(split: str) -> None:
    log = sample_logged_data(replace(SPLIT, split=split, reward_std=0.0), None, 500, np.random.default_rng(2))
    context, action = log.contexts, log.feedback.action
    assert (ENV.is_train[context] == (split == "train")).all()
    assert np.array_equal(log.feedback.output, ENV.features.sentences[ENV.features.item_row[context], action])
    assert np.array_equal(log.feedback.reward, ENV.rewards[context, action])


IDS = np.array([0, 5])
BAD = [
    (lambda: replace(SPLIT, action_dist=SPLIT.action_dist[:9]), TaskError, r"shape \(9, 5\) but the environment is"),
    (lambda: replace(SPLIT, reward_std=-1.0), TaskError, "reward_std is -1.0; give a finite number from 0"),
    (lambda: replace(SPLIT, reward_std=math.inf), TaskError, "reward_std is inf"),
    (lambda: replace(SPLIT, split="valid"), TaskError, "split is 'valid'; give one of train, test"),
    (
        lambda: replace(SPLIT, environment=replace(ENV, is_train=ENV.is_train | True), split="test"),
        TaskError,
        "split test: it has no contexts",
    ),
    (lambda: SPLIT.features(IDS - 1), TaskError, r"contexts: \[0\] is -1; give numbers in 0..239"),
    (lambda: SPLIT.expected_rewards(IDS + 239), TaskError, r"contexts: \[1\] is 244"),
    (lambda: SPLIT.logging_policy(IDS * 1.0), TaskError, r"contexts are float64 \(2,\); give integers"),
    (lambda: SPLIT.sample_outputs(IDS, IDS, np.random.default_rng(0)), TaskError, r"actions: \[1\] is 5; .* 0..4"),
    (
        lambda: SPLIT.expected_reward_given_output(IDS, IDS[:1], np.zeros((2, 5))),
        TaskError,
        r"actions are \(1,\) but contexts \(2,\)",
    ),
    (
        lambda: policy_value(SPLIT, lambda ids: np.ones((len(ids), 4)) / 4, IDS),
        HarnessError,
        r"the policy gives \(2, 4\) for 2 contexts; it must give \(2, 5\)",
    ),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD)
def test_what_does_not_fit_is_refused(make: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()  # type: ignore[operator]
