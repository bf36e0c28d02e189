"""Reward functions other than the bilinear one: closed forms beside simulation, and what their settings may be."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness import HarnessError
from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.environment_settings import EnvironmentSettings
from harness.opl.generators import GENERATORS
from harness.opl.reward_functions import REWARD_FUNCTIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIZES = Sizes(n_actions=6, dim_context=2, dim_query=3, dim_action_embedding=2, dim_output=4, normalizer=3)
FREQUENCY, WIDTH = 0.7, 4.0
# The functions once more, coordinate by coordinate, of the context's slopes and outputs `(n, dim_output)`.
FORMULAS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "bilinear": lambda slopes, o: sum(s * o[:, j] for j, s in enumerate(slopes)),
    "periodic": lambda slopes, o: sum(s * np.sin(FREQUENCY * o[:, j]) for j, s in enumerate(slopes)),
    "ideal_point": lambda slopes, o: -sum(((o[:, j] - t) / WIDTH) ** 2 for j, t in enumerate(slopes)),
}


def draw(function: str, generator: str = "trigonometric", seed: int = 5, **options: object) -> SyntheticEnvironment:
    chosen = EnvironmentSettings(
        generator=generator, reward_function=function, frequency=FREQUENCY, width=WIDTH, noise_level=0.7, **options
    )  # type: ignore[arg-type]
    return draw_environment(seed, SIZES, chosen)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("function", ["periodic", "ideal_point"])
@pytest.mark.parametrize("confounded", [0, 2])
def test_closed_form_beside_simulation(generator: str, function: str, confounded: int) -> None:
    """A million outputs and rewards of one context and action: within four standard errors of the closed form.

    Outputs are the mean, query's and action's parts added, plus noise; the parts are held to the paper's formulas in
    test_environment.py, which has the bilinear function, too. Rewards are those of the definition; then those that the
    environment itself draws, fewer of them.
    """
    environment = draw(function, generator, dim_confounded=confounded, confounder_scale=1.3)
    rng, action, n = np.random.default_rng(0), 4, 1_000_000
    context = environment.sample_contexts(1, rng)
    mean = (environment.query_outputs(context) + environment.action_outputs[action])[0]
    std = np.full(4, 0.7)
    if confounded:
        assert (mean[-2:] == 0).all()
        std[-2:] = math.hypot(0.7, 1.3)
    outputs = mean + std * rng.standard_normal((n, 4))
    rewards = FORMULAS[function](context[0] @ environment.reward_weights, outputs)
    exact = environment.expected_rewards(context)[0, action]
    assert abs(rewards.mean() - exact) < 4 * rewards.std() / math.sqrt(n)
    rows, actions = np.tile(context, (n // 10, 1)), np.full(n // 10, action)
    given = environment.expected_reward_given_output(rows, actions, outputs[: n // 10])
    assert np.allclose(given, rewards[: n // 10], rtol=1e-9, atol=1e-9)
    drawn = environment.sample_rewards(rows, actions, environment.sample_outputs(rows, actions, rng), rng)
    assert abs(drawn.mean() - exact) < 4 * drawn.std() / math.sqrt(len(drawn))


@pytest.mark.parametrize("reward_type", ["continuous", "binary"])
def test_bilinear_rewards_are_drawn_beside_their_closed_form(reward_type: str) -> None:
    environment = draw("bilinear", reward_type=reward_type, dim_confounded=1)
    rng, n = np.random.default_rng(3), 300_000
    context = environment.sample_contexts(1, rng)
    expected = environment.expected_rewards(context)[0]
    action = int(np.abs(expected - 0.5).argmin())
    rows, actions = np.tile(context, (n, 1)), np.full(n, action)
    rewards = environment.sample_rewards(rows, actions, environment.sample_outputs(rows, actions, rng), rng)
    assert abs(rewards.mean() - expected[action]) < 4 * rewards.std() / math.sqrt(n)
    assert reward_type == "continuous" or set(np.unique(rewards)) == {0.0, 1.0}


@pytest.mark.parametrize("function", REWARD_FUNCTIONS)
def test_linear_weights_are_those_of_least_squares(function: str) -> None:
    """Fitted to the table of 200,000 contexts and all actions: first over the actions, then over the contexts."""
    environment = draw(function, dim_confounded=1)
    contexts = environment.sample_contexts(200_000, np.random.default_rng(0))
    centred = environment.action_embeddings - environment.action_embeddings.mean(axis=0)
    slopes = np.linalg.lstsq(centred, environment.expected_rewards(contexts).T)[0].T
    fitted, constant = np.split(np.linalg.lstsq(np.c_[contexts, np.ones(len(contexts))], slopes)[0], [5])
    exact = environment.linear_reward_weights()
    # Standard errors of a regression on contexts, of residuals that are not normal.
    residual = (slopes - contexts @ fitted - constant).std(axis=0)
    error = np.sqrt(np.diag(np.linalg.inv(contexts.T @ contexts)))[:, None] * residual
    assert (np.abs(fitted - exact) <= 6 * error + 1e-9).all()
    assert np.abs(exact).max() > 20 * error.max()


@pytest.mark.parametrize("function", REWARD_FUNCTIONS)
def test_rewards_at_the_default_sizes_spread_as_the_published_ones(function: str) -> None:
    spreads = []
    for seed in range(5):
        environment = draw_environment(seed, settings=EnvironmentSettings(reward_function=function))
        spreads.append(environment.expected_rewards(environment.sample_contexts(500, np.random.default_rng(0))).std())
    assert 0.25 < np.mean(spreads) < 0.75


def test_an_ideal_point_is_best() -> None:
    environment = draw("ideal_point")
    contexts = environment.sample_contexts(4, np.random.default_rng(0))
    actions = np.zeros(4, dtype=np.int64)
    ideal = contexts @ environment.reward_weights
    assert np.allclose(environment.expected_reward_given_output(contexts, actions, ideal), 0, atol=1e-25)
    away = ideal + np.array([WIDTH, 0, 0, 0])
    assert np.allclose(environment.expected_reward_given_output(contexts, actions, away), -1)


def test_golds_of_before_are_those_of_today() -> None:
    """Settings that came later are written only where they are used, and their absence means what it always meant."""
    plain, periodic = draw_environment(0, SIZES), draw("periodic")
    later = {"reward_function", "frequency", "width", "hidden_outputs", "hidden_contexts"}
    assert not later & set(plain.to_golds()[1])
    values = json.loads(json.dumps(periodic.to_golds()[1]))
    assert later & set(values) == {"reward_function", "frequency", "width"}
    assert SyntheticEnvironment.from_golds(periodic.to_golds()[0], values).settings == periodic.settings
    whole = {**plain.to_golds()[1], "reward_function": "bilinear", "frequency": 1, "hidden_outputs": 0}
    again = SyntheticEnvironment.from_golds(plain.to_golds()[0], whole)
    contexts = plain.sample_contexts(9, np.random.default_rng(0))
    assert np.array_equal(again.expected_rewards(contexts), plain.expected_rewards(contexts))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reward_function": "periodical"}, "did you mean 'periodic'?"),
        ({"reward_function": None}, "reward_function None is not one of bilinear, periodic, ideal_point"),
        ({"reward_function": "periodic", "reward_type": "binary"}, "binary rewards of the reward_function 'periodic'"),
        ({"reward_function": "ideal_point", "reward_type": "binary"}, "have no closed form; make reward_type"),
        ({"frequency": math.nan}, "frequency is nan; give a finite number"),
        ({"width": 0}, "width is 0.0; give a number above 0"),
        ({"width": "1"}, "width is '1'; give a finite number"),
        ({"hidden_outputs": -1}, "hidden_outputs is -1; give a number of output coordinates from 0"),
        ({"hidden_outputs": 4}, "hidden_outputs is 4 of 4 output coordinates; leave one to be seen"),
        ({"hidden_contexts": 1.0}, "hidden_contexts is 1.0; give a number of user coordinates from 0"),
        ({"hidden_contexts": 3}, "hidden_contexts is 3 but users have 2 coordinates"),
        ({"reward_function": "ideal_point", "width": 1e-200}, "outputs of actions are not finite"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_refuses_settings(changed: dict[str, object], message: str) -> None:
    arrays, values = draw("bilinear").to_golds()
    with pytest.raises(HarnessError) as caught:
        SyntheticEnvironment.from_golds(arrays, {**values, **changed})
    assert message in str(caught.value)


@pytest.mark.parametrize("function", REWARD_FUNCTIONS)
def test_noise_beyond_all_bounds(function: str) -> None:
    """Where the output is nothing but noise, what is left of the reward is told, without a warning."""
    environment = draw(function)
    loud = replace(environment, settings=replace(environment.settings, noise_level=1e100))
    rewards = loud.expected_rewards(environment.sample_contexts(3, np.random.default_rng(0)))
    left = {"bilinear": np.ptp(rewards) > 0, "periodic": (rewards == 0).all(), "ideal_point": (rewards < -1e198).all()}
    assert left[function]
