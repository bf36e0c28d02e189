from __future__ import annotations

import numpy as np

from harness.opl.action_draws import draw_actions

JUST_BELOW_1 = np.nextafter(1.0, 0.0)


def test_no_action_of_probability_zero_is_drawn() -> None:
    edge = np.array([0.0, 0.25, 0.5, JUST_BELOW_1])
    for probabilities, actions in (([0.0, 0.5, 0.0, 0.5, 0.0], [1, 1, 3, 3]), ([0, 0, 0, 0, 1.0], [4, 4, 4, 4])):
        assert draw_actions(np.tile(probabilities, (4, 1)), edge).tolist() == actions


def test_an_end_is_never_passed_however_a_row_sums() -> None:
    rng = np.random.default_rng(0)
    weights = rng.random((20_000, 7)) * rng.choice([1e-300, 1e-9, 1.0, 1e9], size=(20_000, 1))
    weights[:, 5:] = 0
    assert draw_actions(weights, np.full(20_000, JUST_BELOW_1)).max() == 4


def test_drawn_actions_have_their_frequencies() -> None:
    probabilities = np.array([0.2, 0.5, 0.3])
    action = draw_actions(np.tile(probabilities, (100_000, 1)), np.random.default_rng(0).random(100_000))
    error = np.sqrt(probabilities * (1 - probabilities) / 100_000)
    assert (np.abs(np.bincount(action) / 100_000 - probabilities) < 4 * error).all()
