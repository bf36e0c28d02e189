"""The synthetic environment: its closed form beside simulation, the published environments, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.environment_settings import PAPER, EnvironmentSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BIAS = 0.3
# The functions once more, number by number, as the paper's experiment defines them.
FORMULAS: dict[str, Callable[[float], float]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 5 / (1 + math.exp(-1.5 * z)),
    "trigonometric": lambda z: 5 * math.sin(1.5 * z),
    "rational": lambda z: min(5, max(-5, (z + BIAS) / (1 + BIAS + z + BIAS))),
    "power": lambda z: 1.5 * z / 4 * abs(((1.5 * z) ** 2 - 9) * ((1.5 * z) ** 2 - 25)) ** 0.2 * (abs(1.5 * z) < 5),
    "exponential": lambda z: 25 * z / (1 + math.exp(z) + math.exp(-z)),
}
SIZES = Sizes(n_actions=6, dim_context=2, dim_query=3, dim_action_embedding=2, dim_output=4, normalizer=8)


def some_settings(generator: str, **options: object) -> EnvironmentSettings:
    bias = BIAS if generator == "rational" else None
    return EnvironmentSettings(generator=generator, scaler=1.5, bias=bias, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("generator", FORMULAS)
@pytest.mark.parametrize("reward_type", ["continuous", "binary"])
@pytest.mark.parametrize(("confounded", "compat"), [(0, False), (2, True)])
def test_closed_form_beside_simulation(generator: str, reward_type: str, confounded: int, compat: bool) -> None:
    """A million outputs and rewards of one context and action, drawn by the definition: within four standard errors."""
    chosen = some_settings(
        generator, reward_type=reward_type, noise_level=0.7, dim_confounded=confounded, confounder_scale=1.3
    )
    environment = draw_environment(5, SIZES, chosen, compat=compat)
    rng = np.random.default_rng(0)
    context, action = environment.sample_contexts(1, rng), 4
    inner = environment.action_embeddings[action] @ environment.action_weights
    mean = context[0, 2:] @ environment.query_weights + [FORMULAS[generator](z) for z in inner.tolist()]
    outputs = np.tile(mean, (1_000_000, 1))
    if confounded:
        outputs[:, -confounded:] = 1.3 * rng.standard_normal((len(outputs), confounded))
    outputs = (2 if compat else 1) * outputs + 0.7 * rng.standard_normal(outputs.shape)
    rewards = outputs @ (context[0] @ environment.reward_weights)
    if reward_type == "binary":
        rewards = (rewards > rng.standard_normal(len(rewards))).astype(np.float64)  # P(N(0, 1) < f) is Phi(f)
    else:
        rewards += chosen.reward_std * rng.standard_normal(len(rewards))
    error = rewards.std() / math.sqrt(len(rewards))
    assert abs(rewards.mean() - environment.expected_rewards(context)[0, action]) < 4 * error


@pytest.mark.parametrize("reward_type", ["continuous", "binary"])
def test_value_of_a_policy_beside_simulation(reward_type: str) -> None:
    environment = draw_environment(2, SIZES, EnvironmentSettings(reward_type=reward_type))
    rng = np.random.default_rng(1)
    contexts = environment.sample_contexts(20, rng)
    policy = environment.logging_policy(contexts)
    exact = (policy * environment.expected_rewards(contexts)).sum(axis=1).mean()
    rows = rng.integers(20, size=1_000_000)
    actions = (policy.cumsum(axis=1)[rows] < rng.random((len(rows), 1))).sum(axis=1).clip(max=SIZES.n_actions - 1)
    means = contexts[:, 2:] @ environment.query_weights
    actions_add = 5 * np.sin(environment.action_embeddings @ environment.action_weights)
    outputs = means[rows] + actions_add[actions] + rng.standard_normal((len(rows), 4))
    rewards = np.einsum("no,no->n", outputs, (contexts @ environment.reward_weights)[rows])
    noise = rng.standard_normal(len(rows))
    rewards = rewards + noise if reward_type == "continuous" else (rewards > noise).astype(np.float64)
    assert abs(rewards.mean() - exact) < 4 * rewards.std() / 1000


# (seed, uniform, best) of the default configuration, out of the published results: 10,000 rewards of noise 1 each, and
# the best action chosen by ten noisy draws; exact optima of the first three seeds, by enumeration.
PUBLISHED = [
    (0, -0.1110, 0.6671),
    (1, -0.0807, 0.6743),
    (2, -0.0054, 0.5620),
    (3, -0.1150, 0.5321),
    (4, -0.3547, 0.5093),
    (5, 0.1873, 1.0679),
]


@pytest.mark.parametrize(("seed", "uniform", "best"), PUBLISHED)
def test_published_environments(seed: int, uniform: float, best: float) -> None:
    environment = draw_environment(seed, compat=True)
    rewards = environment.expected_rewards(environment.sample_contexts(10_000, np.random.default_rng(seed)))
    # Both means are over 10,000 contexts of their own; within four standard errors of the two together.
    tolerance = 4 * math.sqrt(2 * rewards.mean(axis=1).var() + 1.1) / 100
    assert rewards.mean() == pytest.approx(uniform, abs=tolerance)
    assert rewards.max(axis=1).mean() == pytest.approx(
        best, abs=4 * math.sqrt(2 * rewards.max(axis=1).var() + 1.1) / 100
    )


def test_published_defects_are_reproduced_and_by_default_absent() -> None:
    published, ours = draw_environment(7, compat=True), draw_environment(7)
    assert (published.settings.compat, ours.settings.compat) == (PAPER, ())
    stacked = np.concatenate([published.query_weights, published.action_weights])
    assert np.allclose(250 * published.reward_weights, stacked, rtol=1e-14)
    assert np.array_equal(published.action_embeddings.ravel()[:9], published.query_weights.ravel()[:9])
    contexts = ours.sample_contexts(9, np.random.default_rng(0))
    doubled = replace(ours, settings=replace(ours.settings, compat=PAPER))
    assert np.allclose(doubled.expected_rewards(contexts), 2 * ours.expected_rewards(contexts), rtol=1e-12)
    matrices = [ours.query_weights, ours.action_weights, *(250 * ours.reward_weights).reshape(2, 5, 5)]
    matrices.append(ours.action_embeddings[:5])
    correlations = np.corrcoef([matrix.ravel() for matrix in matrices])[np.triu_indices(5, 1)]
    assert np.abs(correlations).max() < 0.7  # of 25 numbers; aliased ones have 1


def test_published_draws_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    from harness.opl.published_draws import PublishedDraws

    for seed in (0, 7, 12345):
        for shapes in (
            [(5, 5), (5, 5)],
            [(1000, 5)],
            [(4, 4), (3, 5), (7, 9)],
            [(2, 3), (3, 3), (2, 2), (4, 5), (1, 1)],
        ):
            torch.manual_seed(seed)
            draws = PublishedDraws(seed)
            for shape in shapes:
                assert np.abs(torch.randn(*shape).double().numpy() - draws.normal(shape)).max() < 2e-6
        torch.manual_seed(seed)
        assert np.array_equal(torch.rand(10, 10).double().numpy(), PublishedDraws(seed).uniform((10, 10)))


def test_streams_are_independent() -> None:
    """What one part of the draw is given does not move another's numbers."""
    plain = draw_environment(1, Sizes(n_actions=8))
    more = draw_environment(1, Sizes(n_actions=12, n_clusters=4), EnvironmentSettings(generator="rational"))
    for name in ("query_weights", "action_weights", "reward_weights", "context_factor"):
        assert np.array_equal(getattr(plain, name), getattr(more, name))
    assert more.settings.bias is not None and plain.settings.bias is None
    assert not np.array_equal(plain.query_weights, draw_environment(2, Sizes(n_actions=8)).query_weights)


def test_mixture_and_sparse_reward() -> None:
    environment = draw_environment(0, Sizes(n_actions=4000, n_clusters=4, dim_sparse=2))
    clusters = environment.action_embeddings.reshape(4, 1000, 5)
    assert np.allclose(clusters.std(axis=1), 0.1, atol=0.01)
    assert clusters.mean(axis=1).std() > 0.3
    assert (environment.reward_weights[:, 2:] == 0).all() and (environment.reward_weights[:, :2] != 0).all()


def test_contexts_have_the_stated_covariance(small_environment: SyntheticEnvironment) -> None:
    contexts = small_environment.sample_contexts(200_000, np.random.default_rng(0))
    factor = small_environment.context_factor
    assert contexts.shape == (200_000, 5)
    assert np.allclose(np.cov(contexts.T), factor @ factor.T, atol=0.05)
    assert (small_environment.dim_context, small_environment.dim_query) == (2, 3)


@pytest.mark.parametrize("beta", [0.0, 3.0, -3.0, 1e6])
def test_logging_policy_is_the_softmax_of_its_scores(small_environment: SyntheticEnvironment, beta: float) -> None:
    environment = replace(small_environment, settings=replace(small_environment.settings, beta=beta))
    contexts = environment.sample_contexts(50, np.random.default_rng(0))
    policy = environment.logging_policy(contexts)
    scores = beta * contexts @ environment.logging_weights @ environment.action_embeddings.T
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    assert np.allclose(policy, weights / weights.sum(axis=1, keepdims=True), atol=1e-9)
    gain = (policy * environment.expected_rewards(contexts)).sum(axis=1) - environment.expected_rewards(contexts).mean(
        axis=1
    )
    assert np.sign(np.round(gain.mean(), 12)) == np.sign(beta)


def test_logging_policy_knows_a_linear_environment() -> None:
    """Without noise its scores are the expected reward itself, up to what all actions share."""
    environment = draw_environment(0, SIZES, EnvironmentSettings(generator="linear"), logging_noise=0)
    contexts = environment.sample_contexts(30, np.random.default_rng(0))
    scores = contexts @ environment.logging_weights @ environment.action_embeddings.T
    rewards = environment.expected_rewards(contexts)
    assert np.allclose(np.diff(scores, axis=1), np.diff(rewards, axis=1))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 99),
    st.builds(
        Sizes,
        n_actions=st.integers(1, 40),
        dim_context=st.integers(1, 12),
        dim_query=st.integers(1, 12),
        dim_action_embedding=st.integers(1, 12),
        dim_output=st.integers(1, 12),
    ),
    st.sampled_from(sorted(FORMULAS)),
    st.sampled_from(
        [("continuous", "bilinear"), ("binary", "bilinear"), ("continuous", "periodic"), ("continuous", "ideal_point")]
    ),
    st.booleans(),
)
def test_rows_stand_alone_and_golds_bring_it_back(
    seed: int, sizes: Sizes, generator: str, reward: tuple[str, str], compat: bool
) -> None:
    reward_type, reward_function = reward
    chosen = EnvironmentSettings(
        generator=generator,
        reward_type=reward_type,
        reward_function=reward_function,
        dim_confounded=sizes.dim_output // 2,
        hidden_outputs=sizes.dim_output // 2,
        hidden_contexts=sizes.dim_context // 2,
    )
    environment = draw_environment(seed, sizes, chosen, compat=compat)
    arrays, values = environment.to_golds()
    again = SyntheticEnvironment.from_golds(arrays, json.loads(json.dumps(values)))
    assert again.settings == environment.settings
    contexts = environment.sample_contexts(7, np.random.default_rng(seed))
    for table in ("expected_rewards", "logging_policy"):
        whole = getattr(environment, table)(contexts)
        rows = [getattr(again, table)(contexts[row : row + 1]) for row in range(7)]
        assert whole.shape == (7, sizes.n_actions) and np.array_equal(whole, np.concatenate(rows))
    rewards = environment.expected_rewards(contexts)
    assert reward_type == "continuous" or (rewards.min() >= 0 and rewards.max() <= 1)
