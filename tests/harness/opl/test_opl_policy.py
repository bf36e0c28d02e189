"""The task `opl_policy`: metrics, prediction forms, references, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from harness import HarnessError, Result, SubmissionError, score, write_envelope
from harness.errors import SelectionError
from harness.opl import reference_values

Score = Callable[..., Result]
FLOATS = st.floats(-1e3, 1e3, width=32)
# NaNs at which the processor raises a flag when they are copied to another precision.
SIGNALLING = np.full((1, 3), 0x7FA00000, np.uint32).view(np.float32)
REWARDS = st_numpy.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=FLOATS).filter(
    lambda table: bool((np.ptp(table, axis=1) > 0).any())
)


def value(result: Result, metric: str) -> float:
    return result.metrics[metric].value


def random_policy(seed: int, shape: tuple[int, int]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    weights = np.random.default_rng(seed).exponential(size=shape) + 1e-3
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def test_worked_example(example: tuple[Path, Path]) -> None:
    """By hand: values 1, 1, .45, 0, .5, 1; uniform .5, 1/3, .4, 1/3, .5, 1/3; optimal 1, 1, .6, 1, .5, 1.

    Logging: .375, .5, .35, .25, .5, .25.
    """
    result = score(*example, per_sample=True)["opl_policy"]
    assert [sample["value"] for sample in result.per_sample or ()] == pytest.approx([1, 1, 0.45, 0, 0.5, 1])
    assert value(result, "policy_value") == pytest.approx(3.95 / 6)
    assert value(result, "improvement_over_logging") == pytest.approx((3.95 - 2.225) / 6)
    assert value(result, "optimality") == pytest.approx((3.95 - 2.4) / (5.1 - 2.4))
    assert value(result, "regret") == pytest.approx(1.15 / 6)
    assert (result.n, result.n_clusters, result.primary) == (6, 3, "optimality")
    references = reference_values(example[0])
    assert references == pytest.approx({"uniform": 0.4, "logging": 2.225 / 6, "optimal": 5.1 / 6})


@settings(max_examples=40, deadline=None)
@given(REWARDS, st.integers(0, 99))
def test_bounds_and_identities(
    score_policy: Score, rewards: np.ndarray[tuple[int, int], np.dtype[np.float64]], seed: int
) -> None:
    policy = random_policy(seed, rewards.shape)
    result = score_policy(rewards, policy.tolist(), logging=policy)
    assert rewards.min(axis=1).mean() <= value(result, "policy_value") <= rewards.max(axis=1).mean()
    assert value(result, "policy_value") == pytest.approx((policy * rewards).sum(axis=1).mean())
    assert value(result, "optimality") <= 1 and value(result, "regret") >= 0
    assert value(result, "improvement_over_logging") == 0  # the prediction is the logging policy


@settings(max_examples=40, deadline=None)
@given(REWARDS)
def test_the_optimal_policy_is_1_and_the_uniform_one_is_0(
    score_policy: Score, rewards: np.ndarray[tuple[int, int], np.dtype[np.float64]]
) -> None:
    best = rewards.argmax(axis=1)
    n, k = rewards.shape
    one_hot = np.eye(k)[best]
    for outputs, arrays in (
        (best.tolist(), None),
        (one_hot.tolist(), None),
        ([{"actions": [action], "probs": [1], "rest": 0} for action in best.tolist()], None),
        ([{"row": row} for row in range(n)], {"action_dist": one_hot}),
    ):
        result = score_policy(rewards, outputs, arrays=arrays)
        assert (value(result, "optimality"), value(result, "regret")) == (1.0, 0.0)
    uniform = [1 / k] * k
    for outputs, arrays in (
        ([uniform] * n, None),
        ([{"actions": [], "probs": [], "rest": 1}] * n, None),
        ([{"row": 0}] * n, {"action_dist": np.array([uniform])}),
    ):
        assert value(score_policy(rewards, outputs, arrays=arrays), "optimality") == 0.0
    named = [{"actions": [k - 1, 0], "probs": [1 / k, 1 / k], "rest": 1 - 2 / k}] * n
    assert value(score_policy(rewards, named), "optimality") == pytest.approx(0, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(REWARDS, st.integers(0, 99), st.data())
def test_order_and_form_do_not_matter(
    score_policy: Score, rewards: np.ndarray[tuple[int, int], np.dtype[np.float64]], seed: int, data: st.DataObject
) -> None:
    n, k = rewards.shape
    users = [str(row % 2) for row in range(n)]
    dense = random_policy(seed, rewards.shape)
    order = data.draw(st.permutations(range(n)))
    first = score_policy(rewards, dense.tolist(), users=users)
    second = score_policy(rewards, dense.tolist(), users=users, order=order)
    assert first.metrics == second.metrics
    sparse = [{"actions": list(range(k)), "probs": row, "rest": 0} for row in dense.tolist()]
    assert score_policy(rewards, sparse, users=users).metrics == first.metrics
    tabled = score_policy(
        rewards, [{"row": n - 1 - row} for row in range(n)], users=users, arrays={"action_dist": dense[::-1]}
    )
    assert tabled.metrics == first.metrics


@settings(max_examples=60, deadline=None)
@given(REWARDS, st.floats(-90, 90), st.floats(-10, 10))
def test_optimality_and_its_error_do_not_depend_on_the_scale_of_rewards(
    score_policy: Score, rewards: np.ndarray[tuple[int, int], np.dtype[np.float64]], exponent: float, shift: float
) -> None:
    """The other metrics and their errors grow with the rewards."""
    rewards = np.round(rewards, 1)
    if not (np.ptp(rewards, axis=1) > 0).any():
        return
    outputs = [0] * len(rewards)
    scale = 10.0**exponent
    before, after = score_policy(rewards, outputs).metrics, score_policy(scale * (rewards + shift), outputs).metrics
    for name, factor in (("optimality", 1.0), ("regret", scale), ("improvement_over_logging", scale)):
        close = {"rel": 1e-6, "abs": 1e-6}
        assert after[name].value / factor == pytest.approx(before[name].value, **close)
        if len(rewards) > 1:
            assert (after[name].standard_error or 0) / factor == pytest.approx(before[name].standard_error, **close)


def test_references_are_scored_as_predictions_are(tmp_path: Path, write_golds: Callable[..., Path]) -> None:
    """To the last bit, and so whatever the order of the contexts."""
    rng = np.random.default_rng(5)
    rewards, logging = rng.normal(size=(999, 4)) * 10.0 ** rng.integers(-9, 9, (999, 1)), random_policy(5, (999, 4))
    golds = write_golds(tmp_path / "golds.zip", rewards, logging)
    arrays = {"uniform": np.full((999, 4), 0.25), "logging": logging, "optimal": np.eye(4)[rewards.argmax(axis=1)]}
    for name, reference in reference_values(golds).items():
        items = [{"id": str(row), "output": {"row": row}} for row in range(999)]
        write_envelope(tmp_path / "p.zip", "opl_policy", items, {"action_dist": arrays[name]})
        assert value(score(golds, tmp_path / "p.zip", n_bootstrap=0)["opl_policy"], "policy_value") == reference
    order = rng.permutation(999).tolist()
    assert reference_values(write_golds(tmp_path / "again.zip", rewards, logging, order=order)) == reference_values(
        golds
    )


@settings(max_examples=25, deadline=None)
@given(REWARDS, st.integers(0, 99), st.floats(0, 1))
def test_values_are_linear_in_the_policy(
    score_policy: Score, rewards: np.ndarray[tuple[int, int], np.dtype[np.float64]], seed: int, share: float
) -> None:
    one, other = (random_policy(seed + i, rewards.shape) for i in (0, 100))
    values = [
        value(score_policy(rewards, policy.tolist()), "policy_value")
        for policy in (one, other, share * one + (1 - share) * other)
    ]
    assert values[2] == pytest.approx(share * values[0] + (1 - share) * values[1], rel=1e-9, abs=1e-9)


def test_golds_without_predictions_may_be_left_out(tmp_path: Path, write_golds: Callable[..., Path]) -> None:
    golds = write_golds(tmp_path / "golds.zip", np.arange(12.0).reshape(4, 3))
    write_envelope(tmp_path / "p.zip", "opl_policy", [{"id": row, "output": 2} for row in ("3", "1")])
    result = score(golds, tmp_path / "p.zip", allow_missing=True)["opl_policy"]
    assert (value(result, "policy_value"), result.n, result.n_golds) == ((5 + 11) / 2, 2, 4)


def test_numbers_that_no_float_holds(example: tuple[Path, Path]) -> None:
    from dataclasses import replace

    from harness import read_golds, read_predictions
    from harness.opl.predictions import action_dist

    predictions = read_predictions(example[1], read_golds(example[0]))
    for output, message in (
        ([10**400, 0, 0], "a probability is too large for a float"),
        ({"actions": [0], "probs": [1], "rest": 10**400}, '"rest" must be a probability'),
        ({"actions": [0], "probs": [10**5000], "rest": 0}, "a probability is too large for a float"),
        (10**5000, "action (int too long to print) is not one of"),
    ):
        with pytest.raises(SubmissionError) as caught:
            action_dist(replace(predictions, outputs=(output,) * 6), slice(0, 6), 3)
        assert message in str(caught.value)


def test_actions_that_equal_the_golds_row_numbers(score_policy: Score) -> None:
    """The JSON of golds and predictions may then be the same, byte for byte."""
    assert value(score_policy(np.eye(3), [0, 1, 2]), "optimality") == 1


def test_float32_tables_are_summed_in_float64(score_policy: Score) -> None:
    rewards = np.random.default_rng(0).random((50, 200)).astype(np.float32)
    policy = random_policy(0, (50, 200)).astype(np.float32)
    result = score_policy(rewards, [{"row": row} for row in range(50)], arrays={"action_dist": policy}, logging=policy)
    wide = policy.astype(np.float64) / policy.astype(np.float64).sum(axis=1, keepdims=True)
    assert value(result, "policy_value") == pytest.approx((wide * rewards).sum(axis=1).mean(), rel=1e-12)


def test_blocks_give_what_one_block_gives(score_policy: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    rewards = np.random.default_rng(1).random((23, 7))
    policy = random_policy(1, (23, 7)).tolist()
    whole = score_policy(rewards, policy)
    monkeypatch.setattr("harness.opl.policy._BLOCK_CELLS", 20)
    assert score_policy(rewards, policy).metrics == whole.metrics


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("output", "message"),
    [
        (3, "action 3 is not one of 0 to 2"),
        (-1, "action -1 is not one of 0 to 2"),
        (10**60, "... is not one of 0 to 2"),
        (True, "output must be an action number, a list"),
        (1.0, "output must be"),
        ("1", "output must be"),
        (None, "output must be"),
        ({}, "output must be"),
        ({"actions": [0], "probs": [1]}, "output must be"),
        ({"actions": [0], "probs": [1], "rest": 0, "x": 0}, "output must be"),
        ([0.5, 0.5], "2 probabilities are given but the golds have 3 actions"),
        ([], "0 probabilities are given but the golds have 3 actions"),
        ([0.5, 0.25, 0.2], "the policy has probabilities that sum to 0.95, not to 1"),
        ([0.5, 0.5, 2e-6], "sum to 1.000002, not to 1 (within 1e-06)"),
        ([1e308] * 3, "sum to inf, not to 1"),
        ([1e308, 1e308, -1e308], "the policy gives action 2 a negative probability"),
        ([1.5, -0.5, 0], "the policy gives action 1 a negative probability"),
        ([1, -1e-9, 0], "the policy gives action 1 a negative probability"),
        ([1, "0", 0], "probabilities must be numbers"),
        ([True, 0, 0], "probabilities must be numbers"),
        ([[1], [0], [0]], "probabilities must be numbers"),
        ({"actions": [0, 1], "probs": [1], "rest": 0}, '"actions" and "probs" must be lists of one length'),
        ({"actions": 0, "probs": 1, "rest": 0}, '"actions" and "probs" must be lists'),
        ({"actions": [3], "probs": [1], "rest": 0}, '"actions" must be action numbers from 0 to 2'),
        ({"actions": [0.0], "probs": [1], "rest": 0}, '"actions" must be action numbers'),
        ({"actions": [0, 0], "probs": [1, 0], "rest": 0}, '"actions" names an action twice'),
        ({"actions": [0], "probs": [1], "rest": -1e-17}, '"rest" must be a probability from 0 to 1, not -1e-17'),
        ({"actions": [0], "probs": [1], "rest": None}, '"rest" must be a probability'),
        ({"actions": [0], "probs": [1], "rest": 10**250}, '"rest" must be a probability'),
        ({"actions": [-1, 0], "probs": [0, 1], "rest": 0}, '"actions" must be action numbers from 0 to 2'),
        ({"actions": [[0]], "probs": [1], "rest": 0}, '"actions" must be action numbers'),
        ({"actions": [True], "probs": [1], "rest": 0}, '"actions" must be action numbers'),
        ({"actions": [0, 1, 2], "probs": [0.5, 0.25, 0.25], "rest": 0.1}, "every action is named; make it 0"),
        ({"actions": [0], "probs": [0.5], "rest": 0.25}, "sum to 0.75, not to 1"),
        ({"actions": [0], "probs": ["1"], "rest": 0}, "probabilities must be numbers"),
        ({"row": 0}, "which is not beside the JSON"),
    ],
)
def test_refuses_prediction(score_policy: Score, output: object, message: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        score_policy(np.eye(3), [0, output, 0])
    assert "id '1': " in str(caught.value) and message in str(caught.value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("table", "row", "message"),
    [
        (np.eye(3), 3, '"row" must be a row number from 0 to 2, not 3'),
        (np.eye(3), True, '"row" must be a row number'),
        (np.eye(4), 0, "action_dist is (4, 4) but the golds have 3 actions"),
        (np.full((1, 3), np.nan), 0, "the policy holds probabilities that are not finite"),
        (np.array([[np.inf, -np.inf, 1]]), 0, "the policy holds probabilities that are not finite"),
        (SIGNALLING, 0, "the policy holds probabilities that are not finite"),
        (np.full((1, 3), 0x7FF4 << 48, np.uint64).view(np.float64), 0, "holds probabilities that are not finite"),
        (np.zeros((1, 3)), 0, "sum to 0, not to 1"),
    ],
)
def test_refuses_prediction_table(score_policy: Score, table: object, row: object, message: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        score_policy(np.eye(3), [{"row": row}] * 3, arrays={"action_dist": table})
    assert message in str(caught.value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rewards", "options", "message"),
    [
        (np.eye(3), {"logging": np.eye(4)}, "rewards are (3, 3) but logging is (4, 4)"),
        (np.eye(3), {"order": [0, 1]}, "rewards are (3, 3) but there are 2 golds"),
        (np.zeros((3, 0)), {"logging": np.zeros((3, 0))}, "at least one action"),
        (np.full((3, 2), np.inf), {}, "the rewards of ids '0' to '2' hold values that are not finite"),
        (np.array([[0, 1], [1, np.nan]]), {"order": [0, 1]}, "that are not finite, or beyond 1e+100"),
        (np.array([[0, 1], [1, -1e200]]), {"order": [0, 1]}, "that are not finite, or beyond 1e+100"),
        (np.eye(3), {"logging": np.full((3, 3), 0.3)}, "id '0': the logging policy has probabilities that sum to 0.9"),
        (np.eye(3), {"logging": np.full((3, 3), np.nan)}, "the logging policy holds probabilities that are not finite"),
        (
            np.eye(3),
            {"logging": np.full((3, 3), 1e308)},
            "id '0': the logging policy has probabilities that sum to inf",
        ),
        (np.tile(SIGNALLING, (3, 1)), {}, "the rewards of ids '0' to '2' hold values that are not finite"),
        (np.eye(3), {"logging": np.tile(SIGNALLING, (3, 1))}, "the logging policy holds probabilities that are not"),
    ],
)
def test_refuses_golds(score_policy: Score, rewards: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(HarnessError) as caught:
        score_policy(rewards, [0] * len(options.get("order", range(3))), **options)  # type: ignore[arg-type]
    assert message in str(caught.value) and not isinstance(caught.value, SubmissionError)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rewards", [np.full((3, 3), 0.1), np.arange(3.0)[:, None], np.eye(3) * 5e-324])
def test_contexts_of_equal_actions_are_a_fault_of_their_choice(score_policy: Score, rewards: object) -> None:
    """Smaller differences than 1e-100 are none, as what is divided by them may be no float."""
    with pytest.raises(SelectionError, match="V_optimal == V_uniform"):
        score_policy(rewards, [0] * 3)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([0, 2], "id '1': output must be a row number from 0 to 1"),
        ([0, 0], "ids '0' and '1' name the same row 0"),
        ([0, "1"], "row number"),
    ],
)
def test_refuses_rows(tmp_path: Path, outputs: list[object], message: str) -> None:
    items = [{"id": str(number), "output": output} for number, output in enumerate(outputs)]
    write_envelope(tmp_path / "g.zip", "opl_policy", items, {"rewards": np.eye(2), "logging": np.eye(2)})
    with pytest.raises(HarnessError) as caught:
        reference_values(tmp_path / "g.zip")
    assert message in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(-2, 2) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.fixed_dictionaries({"actions": inner, "probs": inner, "rest": inner})
            | st.fixed_dictionaries({"row": inner})
        ),
        max_leaves=6,
    )
)
def test_any_output_is_scored_or_refused(score_policy: Score, output: object) -> None:
    try:
        result = score_policy(np.eye(3), [output, 0, 0], arrays={"action_dist": np.eye(3)})
    except SubmissionError as error:
        assert str(error).isprintable()
    else:
        assert 0 <= value(result, "policy_value") <= 1
        json.loads(result.to_json())
