"""What every policy does when it is asked from outside: exact probabilities and draws that follow them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from harness.opl.drawing import Sizes, draw_environment
from harness.opl.interface import policy_value, sample_logged_data
from tasks.api import TaskError
from tasks.opl.policies import BoundPolicy, SoftmaxPolicy, UniformPolicy
from tasks.opl.problem import FeatureTensors
from tests.tasks.opl.policies.made_policies import (
    ACTIONS,
    CONTEXTS,
    FEATURES,
    IDS,
    N_ACTIONS,
    N_CONTEXTS,
    generator,
    policies,
    reward_model,
)

NAMES = list(policies())


def bound(name: str) -> BoundPolicy:
    return BoundPolicy(policies()[name], FEATURES)


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_distributions_and_agree_with_their_logarithms(name: str) -> None:
    policy = bound(name)
    action_dist = policy.action_dist(IDS)
    assert action_dist.shape == (N_CONTEXTS, N_ACTIONS)
    assert action_dist.dtype is torch.float64
    assert torch.allclose(action_dist.sum(dim=1), torch.ones(N_CONTEXTS, dtype=torch.float64), atol=1e-12)
    for action in range(N_ACTIONS):
        log_prob = policy.log_prob(IDS, torch.full((N_CONTEXTS,), action))
        assert torch.allclose(log_prob.exp(), action_dist[:, action])


@pytest.mark.parametrize("name", NAMES)
def test_draws_follow_the_probabilities_and_propensities_are_those_of_the_draws(name: str) -> None:
    policy, n = bound(name), 7000
    ids = IDS.repeat(n)
    action, pscore = policy.sample(ids, generator())
    action_dist = policy.action_dist(IDS)
    assert torch.equal(pscore, action_dist[ids, action])
    counts = torch.zeros(N_CONTEXTS, N_ACTIONS, dtype=torch.float64)
    counts.index_put_((ids, action), torch.ones(len(ids), dtype=torch.float64), accumulate=True)
    error = (action_dist * (1 - action_dist) / n).sqrt()
    assert bool(((counts / n - action_dist).abs() <= 4.5 * error).all())


@pytest.mark.parametrize("name", NAMES)
def test_one_context_or_none_has_the_shapes_of_many(name: str) -> None:
    """One policy is asked for batches of different sizes in turn; rows do not depend on their neighbours."""
    policy = bound(name)
    every = policy.action_dist(IDS)
    for ids in (IDS[3:4], IDS[:0], IDS[[5, 2]], IDS):
        assert torch.allclose(policy.action_dist(ids), every[ids], atol=1e-6)
        action, pscore = policy.sample(ids, generator())
        assert action.shape == pscore.shape == policy.log_prob(ids, action).shape == (len(ids),)


@pytest.mark.parametrize("name", NAMES)
def test_numpy_in_is_numpy_out(name: str) -> None:
    policy = bound(name)
    action_dist = policy(IDS.numpy())
    action, pscore = policy.sample(IDS.numpy(), np.random.default_rng(0))
    log_prob = policy.log_prob(IDS.numpy(), action)
    assert all(isinstance(found, np.ndarray) for found in (action_dist, action, pscore, log_prob))
    assert np.array_equal(action_dist, policy(IDS).numpy())
    assert np.allclose(np.exp(log_prob), pscore)
    again = policy.sample(IDS.numpy(), np.random.default_rng(0))
    assert np.array_equal(action, again[0])


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_numbers_are_contexts_too(name: str) -> None:
    policy = BoundPolicy(policies()[name], lambda rows: FeatureTensors(rows.float(), ACTIONS, ACTIONS))
    order = [4, 0, 6]
    assert np.allclose(policy(CONTEXTS[order].double().numpy()), bound(name)(IDS[order].numpy()), atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_read_only_and_turned_arrays_are_taken() -> None:
    ids = IDS.numpy().astype(np.uint8)[::-1]
    ids.setflags(write=False)
    assert np.array_equal(bound("network")(ids), bound("network")(IDS.flip(0)).numpy())


def test_the_synthetic_environment_takes_them() -> None:
    environment = draw_environment(0, Sizes(n_actions=N_ACTIONS, dim_context=1, dim_query=2, dim_action_embedding=2))
    policy = BoundPolicy(
        SoftmaxPolicy(reward_model(), 2.0), lambda rows: FeatureTensors(rows.float(), ACTIONS, ACTIONS)
    )
    log = sample_logged_data(environment, policy, 300, np.random.default_rng(0), tables=True)
    rounds = log.feedback
    assert np.allclose(rounds.pscore, policy(log.contexts)[np.arange(300), rounds.action])
    uniform = BoundPolicy(UniformPolicy(N_ACTIONS), lambda rows: FeatureTensors(rows.float(), ACTIONS, ACTIONS))
    expected = environment.expected_rewards(log.contexts).mean()
    assert policy_value(environment, uniform, log.contexts) == pytest.approx(expected)


Ask = Callable[[BoundPolicy], object]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda p: p(IDS + 1), r"context: \[6\] is 7; give whole numbers in 0..6"),
        (lambda p: p(IDS - 1), r"context: \[0\] is -1"),
        (lambda p: p(CONTEXTS), r"context: has shape \(7, 3\); give \(n,\)"),
        (lambda p: p(IDS.double()), "context: holds torch.float64; give whole numbers"),
        (lambda p: p.log_prob(IDS, IDS[:2]), r"action: has shape \(2,\); give \(7,\)"),
        (lambda p: p.log_prob(IDS, IDS), r"action: \[6\] is 6; give whole numbers in 0..5"),
    ],
)
def test_contexts_and_actions_that_do_not_fit_are_refused(ask: Ask, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        ask(bound("uniform"))


def test_ids_are_refused_where_rows_are_asked_for() -> None:
    policy = BoundPolicy(UniformPolicy(N_ACTIONS), lambda rows: FeatureTensors(rows, ACTIONS, ACTIONS))
    with pytest.raises(TaskError, match=r"context: has shape \(7,\); give rows \(n, dim\)"):
        policy(IDS)
