"""What no synthetic environment can be: settings, matrices, sizes and seeds that are refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness import HarnessError
from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.environment_settings import PAPER, EnvironmentSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BAD_SETTINGS: list[tuple[dict[str, object], str]] = [
    ({"generator": "sigmoidal"}, "did you mean 'sigmoid'?"),
    ({"generator": ["linear"]}, "generator ['linear'] is not one of linear, sigmoid,"),
    ({"reward_type": "bernoulli"}, "reward_type 'bernoulli' must be 'continuous' or 'binary'"),
    ({"noise_level": -1}, "noise_level is -1.0; give a finite number from 0"),
    ({"reward_std": "1"}, "reward_std is '1'"),
    ({"confounder_scale": True}, "confounder_scale is True"),
    ({"max_abs_val": 10**400}, "max_abs_val is 1000"),
    ({"scaler": math.inf}, "scaler is inf; give a finite number"),
    ({"beta": None}, "beta is None"),
    ({"bias": 1.0}, "bias belongs to the generator 'rational'"),
    ({"generator": "rational"}, "bias is None"),
    ({"dim_confounded": 1.0}, "dim_confounded is 1.0"),
    ({"dim_confounded": -1}, "dim_confounded is -1"),
    ({"dim_confounded": 7}, "dim_confounded is 7 but outputs have 6 coordinates"),
    ({"compat": ["double"]}, "compat holds ['double']; the defects are"),
    ({"compat": [[]]}, "compat holds [[]]"),
    ({"compat": "paper"}, "compat is 'paper'; give a list"),
    ({"noise": 1.0}, "hold the unknown 'noise'"),
    ({"max_abs_val": 1e308, "scaler": 1e308}, "outputs of actions are not finite"),
]


@pytest.mark.parametrize(("changed", "message"), BAD_SETTINGS)
def test_refuses_settings(small_environment: SyntheticEnvironment, changed: dict[str, object], message: str) -> None:
    arrays, values = small_environment.to_golds()
    with pytest.raises(HarnessError) as caught:
        SyntheticEnvironment.from_golds(arrays, {**values, **changed})
    assert message in str(caught.value)


def test_refuses_missing_settings_and_arrays(small_environment: SyntheticEnvironment) -> None:
    arrays, values = small_environment.to_golds()
    for name in values:
        with pytest.raises(HarnessError, match=f"lack '{name}'"):
            SyntheticEnvironment.from_golds(arrays, {key: value for key, value in values.items() if key != name})
    for name in arrays:
        with pytest.raises(HarnessError, match=f"'{name}' are missing"):
            SyntheticEnvironment.from_golds({key: array for key, array in arrays.items() if key != name}, values)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("action_embeddings", np.zeros((0, 4)), "action_embeddings is (0, 4); it must be a matrix with at least one"),
        (
            "action_embeddings",
            [[1.0, 2.0], [3.0]],
            "action_embeddings holds something other than numbers; give a matrix",
        ),
        ("query_weights", np.full((3, 6), np.nan), "query_weights holds values that are not finite"),
        ("query_weights", np.zeros((6, 6)), "reward_weights is (5, 6) but the other matrices ask for (6, 6)"),
        ("action_weights", np.zeros((4, 5)), "action_weights is (4, 5) but the other matrices ask for (4, 6)"),
        ("reward_weights", np.zeros((5, 5)), "reward_weights is (5, 5) but the other matrices ask for (5, 6)"),
        ("logging_weights", np.zeros((4, 5)), "logging_weights is (4, 5) but the other matrices ask for (5, 4)"),
        ("context_factor", np.zeros((5, 4)), "context_factor is (5, 4) but the other matrices ask for (5, 5)"),
        ("action_weights", np.full((4, 6), 1e308), "outputs of actions are not finite"),
    ],
)
def test_refuses_matrices(small_environment: SyntheticEnvironment, name: str, array: Floats, message: str) -> None:
    arrays, values = small_environment.to_golds()
    with pytest.raises(HarnessError) as caught:
        SyntheticEnvironment.from_golds({**arrays, name: array}, values)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_actions": 0},
        {"dim_query": -1},
        {"dim_sparse": 6},
        {"dim_sparse": 0},
        {"normalizer": 0.0},
        {"n_clusters": 3},
        {"n_clusters": 0},
    ],
)
def test_refuses_sizes(arguments: dict[str, int]) -> None:
    with pytest.raises(HarnessError):
        Sizes(**arguments)  # type: ignore[arg-type]


def test_refuses_seeds() -> None:
    for seed, compat in ((-1, False), (1 << 32, True)):
        with pytest.raises(HarnessError, match=f"seed {seed}"):
            draw_environment(seed, compat=compat)
    with pytest.raises(HarnessError, match=f"seed {1 << 32}"):
        draw_environment(1 << 32, settings=EnvironmentSettings(compat=PAPER))
