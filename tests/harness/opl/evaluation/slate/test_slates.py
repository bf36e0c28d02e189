"""Slates: expectations over every slate there is, plain loops, and what is refused."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.opl.evaluation.slate import (
    CascadeDR,
    IndependentIPS,
    RewardInteractionIPS,
    SlateFeedback,
    StandardIPS,
)
from harness.opl.evaluation.slate.estimator import SlateWeighting

N_ACTIONS, LENGTH = 4, 3
SLATES = [list(slate) for slate in itertools.permutations(range(N_ACTIONS), LENGTH)]


@dataclass(frozen=True)
class Policy:
    """Draws items without replacement, in proportion to scores that depend on the position."""

    scores: np.ndarray

    def conditional(self, above: list[int]) -> np.ndarray:
        free = np.array([action not in above for action in range(N_ACTIONS)])
        raised = np.exp(self.scores[len(above)]) * free
        return raised / raised.sum()

    def prefix(self, slate: list[int], length: int) -> float:
        return math.prod(self.conditional(slate[:at])[slate[at]] for at in range(length))

    def item(self, position: int, action: int) -> float:
        return sum(self.prefix(slate, LENGTH) for slate in SLATES if slate[position] == action)

    def rows(self, kind: str) -> np.ndarray:
        """The probabilities of all slates' rows."""
        table = {
            "pscore": [[self.prefix(slate, LENGTH)] * LENGTH for slate in SLATES],
            "pscore_cascade": [[self.prefix(slate, at + 1) for at in range(LENGTH)] for slate in SLATES],
            "pscore_item": [[self.item(at, slate[at]) for at in range(LENGTH)] for slate in SLATES],
        }
        return np.array(table[kind]).ravel()

    def action_dist(self) -> np.ndarray:
        return np.array([self.conditional(slate[:at]) for slate in SLATES for at in range(LENGTH)])


RNG = np.random.default_rng(0)
LOGGING, TARGET = (Policy(RNG.normal(size=(LENGTH, N_ACTIONS))) for _ in range(2))
REWARDS = {
    "item": lambda slate, at: math.sin(3 * slate[at] + at),
    "cascade": lambda slate, at: math.sin(sum((place + 1) * action for place, action in enumerate(slate[: at + 1]))),
    "slate": lambda slate, at: math.sin(sum((place + 1) * action for place, action in enumerate(slate)) + at),
}


def every_slate(kind: str) -> SlateFeedback:
    """All slates with their expected rewards, rows shuffled."""
    rows = [(number, at) for number in range(len(SLATES)) for at in range(LENGTH)]
    return SlateFeedback(
        slate_id=[7 * number for number, _ in rows],  # type: ignore[arg-type]
        position=[at for _, at in rows],  # type: ignore[arg-type]
        action=[SLATES[number][at] for number, at in rows],  # type: ignore[arg-type]
        reward=[REWARDS[kind](SLATES[number], at) for number, at in rows],  # type: ignore[arg-type]
        n_actions=N_ACTIONS,
        pscore=LOGGING.rows("pscore"),
        pscore_cascade=LOGGING.rows("pscore_cascade"),
        pscore_item=LOGGING.rows("pscore_item"),
    )


def truth(kind: str) -> float:
    return sum(TARGET.prefix(slate, LENGTH) * REWARDS[kind](slate, at) for slate in SLATES for at in range(LENGTH))


def expectation(slate_rewards: np.ndarray) -> float:
    """Of a slate drawn from the logging policy."""
    return float(np.dot([LOGGING.prefix(slate, LENGTH) for slate in SLATES], slate_rewards))


@pytest.mark.parametrize(
    ("estimator", "holds"),
    [
        (StandardIPS(), ("item", "cascade", "slate")),
        (RewardInteractionIPS(), ("item", "cascade")),
        (IndependentIPS(), ("item",)),
    ],
    ids=lambda case: getattr(case, "name", ""),
)
def test_the_expectation_is_the_truth_where_its_assumption_holds(
    estimator: SlateWeighting, holds: tuple[str, ...]
) -> None:
    for kind in REWARDS:
        found = expectation(estimator.slate_rewards(every_slate(kind), TARGET.rows(estimator.kind)))
        assert (found == pytest.approx(truth(kind), abs=1e-12)) == (kind in holds)


@pytest.mark.parametrize("kind", ["item", "cascade"])
def test_cascade_dr_has_the_truth_as_its_expectation_whatever_the_model(kind: str) -> None:
    feedback = every_slate(kind)
    for seed in range(3):
        q_hat = np.random.default_rng(seed).normal(size=(feedback.n_rows, N_ACTIONS))
        # A model may not look below its item: rows of the same items above share their numbers.
        above = [tuple(slate[:at]) for slate in SLATES for at in range(LENGTH)]
        q_hat = np.array([q_hat[above.index(prefix)] for prefix in above])
        found = CascadeDR().slate_rewards(feedback, TARGET.action_dist(), q_hat)
        assert expectation(found) == pytest.approx(truth(kind), abs=1e-12)


def rest(slate: list[int], at: int) -> float:
    """The exact rewards from a position on, under the policy."""
    value = REWARDS["cascade"](slate, at)
    if at + 1 < LENGTH:
        probability = TARGET.conditional(slate[: at + 1])
        value += sum(
            probability[action] * rest([*slate[: at + 1], action], at + 1)
            for action in range(N_ACTIONS)
            if probability[action] > 0
        )
    return value


def test_cascade_dr_with_the_exact_model_has_no_variance() -> None:
    exact = np.array(
        [[rest([*slate[:at], action], at) for action in range(N_ACTIONS)] for slate in SLATES for at in range(LENGTH)]
    )
    found = CascadeDR().slate_rewards(every_slate("cascade"), TARGET.action_dist(), exact)
    assert found == pytest.approx(truth("cascade"), abs=1e-12)


def test_cascade_dr_without_a_model_is_reward_interaction_ips() -> None:
    feedback = every_slate("cascade")
    none = CascadeDR().slate_rewards(feedback, TARGET.action_dist(), np.zeros((feedback.n_rows, N_ACTIONS)))
    weighted = RewardInteractionIPS().slate_rewards(feedback, TARGET.rows("pscore_cascade"))
    assert none == pytest.approx(weighted, abs=1e-12)
    assert CascadeDR().estimate(feedback, TARGET.action_dist(), np.zeros((feedback.n_rows, N_ACTIONS))) == (
        pytest.approx(weighted.mean())
    )


ESTIMATORS = [StandardIPS, IndependentIPS, RewardInteractionIPS]


@pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.name)
def test_self_normalised_equals_plain_loops_and_shifts_with_the_rewards(kind: type[SlateWeighting]) -> None:
    feedback, pi = every_slate("slate"), TARGET.rows(kind.kind)
    logged = LOGGING.rows(kind.kind)
    expected = 0.0
    for at in range(LENGTH):
        rows = range(at, feedback.n_rows, LENGTH)
        above = sum(pi[row] / logged[row] * feedback.reward[row] for row in rows)
        expected += above / sum(pi[row] / logged[row] for row in rows)
    ratio = kind(self_normalized=True)
    assert ratio.estimate(feedback, pi) == pytest.approx(expected, abs=1e-12)
    moved = replace(feedback, reward=feedback.reward + 5)
    assert ratio.estimate(moved, pi) == pytest.approx(expected + 5 * LENGTH, abs=1e-10)


@pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.name)
def test_the_order_of_rows_does_not_show_and_the_log_earns_what_it_did(kind: type[SlateWeighting]) -> None:
    feedback, order = every_slate("slate"), np.random.default_rng(1).permutation(LENGTH * len(SLATES))
    names = ("slate_id", "position", "action", "reward", "pscore", "pscore_cascade", "pscore_item")
    shuffled = replace(feedback, **{name: getattr(feedback, name)[order] for name in names})
    pi = TARGET.rows(kind.kind)
    assert kind().slate_rewards(shuffled, pi[order]).tolist() == kind().slate_rewards(feedback, pi).tolist()
    own = kind().estimate(feedback, LOGGING.rows(kind.kind))
    assert own == pytest.approx(feedback.reward.sum() / len(SLATES))


TWO = {"slate_id": [0, 0, 1, 1], "position": [0, 1, 0, 1], "action": [0, 1, 1, 0], "reward": [1.0, 0, 0, 1]}
QUARTER, FALLING = np.full(4, 0.25), np.array([0.5, 0.25, 0.5, 0.25])


def made(**change: object) -> SlateFeedback:
    return SlateFeedback(**{**TWO, "n_actions": 2, **change})  # type: ignore[arg-type]


CASES: list[tuple[Callable[[], object], str]] = [
    (lambda: made(slate_id=[], position=[], action=[], reward=[]), "slate_id: is empty"),
    (lambda: made(n_actions=0), "n_actions: is 0, but must be a whole number"),
    (lambda: made(position=[0, 2, 0, 1]), r"position: slate 0 has \[0, 2\]; every slate must have 0..1 once"),
    (lambda: made(position=[0, 1, 0, 0]), r"position: slate 1 has \[0, 0\]"),
    (lambda: made(slate_id=[0, 0, 0, 1], position=[0, 1, 2, 0]), r"position: slate 1 has \[0\]; .* 0..2 once"),
    (lambda: made(action=[0, 1, 1, 2]), r"action: \[3\] = 2 is out of range"),
    (lambda: made(reward=[1.0, 0, 0]), r"reward: has shape \(3,\), but \(n_rows,\) is \(4,\)"),
    (lambda: made(pscore=[0.25, 0.25, 0.25, 0]), r"pscore: \[3\] = 0 is not in \(0, 1\]"),
    (lambda: made(pscore=FALLING), r"pscore: that of slate 0 is \[0.5, 0.25\], but must be the same in its rows"),
    (
        lambda: made(pscore_cascade=FALLING[::-1]),
        r"pscore_cascade: that of slate 0 is \[0.25, 0.5\], but must not grow",
    ),
    (lambda: made(pscore=QUARTER, pscore_cascade=FALLING / 2), "pscore: of slate 0 is 0.25, but its pscore_cascade"),
    (lambda: StandardIPS().estimate(made(), QUARTER), "feedback: has no pscore, which this estimator needs"),
    (lambda: RewardInteractionIPS().estimate(made(pscore=QUARTER), QUARTER), "feedback: has no pscore_cascade"),
    (lambda: IndependentIPS().estimate(made(pscore=QUARTER), QUARTER), "feedback: has no pscore_item"),
    (lambda: StandardIPS().estimate(made(pscore=QUARTER), QUARTER[:2]), r"policy_pscore: has shape \(2,\)"),
    (
        lambda: StandardIPS().estimate(made(pscore=QUARTER), QUARTER * 5),
        r"policy_pscore: \[0\] = 1.25 is not in \[0, 1\]",
    ),
    (
        lambda: StandardIPS().estimate(made(pscore=np.full(4, 5e-324)), QUARTER),
        r"weights of sips: \[0, 0\] = inf, as a pscore is too small",
    ),
    (
        lambda: CascadeDR().estimate(made(pscore_cascade=np.full(4, 5e-324)), np.full((4, 2), 0.5), np.zeros((4, 2))),
        r"weights of cascade-dr: \[0, 0\] = inf, as a pscore is too small",
    ),
    (lambda: made(slate_id=[0, 0, 2**60, 2**60 + 1]), r"slate_id: \[2\] = .* 0 or more, and below 2\^53"),
    (lambda: StandardIPS().estimate(made(pscore=QUARTER), FALLING), "must be the same in its rows"),
    (lambda: StandardIPS(True).estimate(made(pscore=QUARTER), 0 * QUARTER), "so sn-sips is undefined"),
    (lambda: CascadeDR().estimate(made(), np.full((4, 2), 0.5), np.zeros((4, 2))), "feedback: has no pscore_cascade"),
    (
        lambda: CascadeDR().estimate(made(pscore_cascade=FALLING), np.full((4, 2), 0.4), np.zeros((4, 2))),
        "action_dist: row 0 has the sum 0.8",
    ),
    (
        lambda: CascadeDR().estimate(made(pscore_cascade=FALLING), np.full((4, 2), 0.5), np.zeros(4)),
        r"q_hat: has shape \(4,\), but \(n_rows, n_actions\) is \(4, 2\)",
    ),
]


@pytest.mark.parametrize(("act", "message"), CASES, ids=[message[:30] for _, message in CASES])
def test_is_refused(act: Callable[[], object], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        act()
