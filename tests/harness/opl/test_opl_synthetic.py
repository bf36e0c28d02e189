"""The task `opl_synthetic`: the same scores as a frozen table gives, its properties, and what is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import HarnessError, Result, SubmissionError, read_golds, score, write_envelope
from harness.opl import reference_values
from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.environment_settings import EnvironmentSettings
from harness.opl.synthetic_task import write_synthetic_golds

Score = Callable[..., Result]
ENVIRONMENTS = st.builds(
    draw_environment,
    st.integers(0, 999),
    st.builds(
        Sizes,
        n_actions=st.integers(2, 9),
        dim_context=st.integers(1, 5),
        dim_output=st.integers(2, 5),
        normalizer=st.just(7.0),
    ),
    st.builds(
        EnvironmentSettings,
        generator=st.sampled_from(["linear", "sigmoid", "trigonometric", "power", "exponential"]),
        reward_type=st.sampled_from(["continuous", "binary"]),
        dim_confounded=st.integers(0, 1),
        beta=st.floats(-3, 3),
    ),
)


def contexts_of(
    environment: SyntheticEnvironment, n: int, seed: int = 0
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return environment.sample_contexts(n, np.random.default_rng(seed))


def random_policy(seed: int, shape: tuple[int, int]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    weights = np.random.default_rng(seed).exponential(size=shape) + 1e-3
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def value(result: Result, metric: str) -> float:
    return result.metrics[metric].value


@settings(max_examples=25, deadline=None)
@given(ENVIRONMENTS, st.integers(0, 99))
def test_scores_are_those_of_its_table(
    score_synthetic: Score, score_policy: Score, environment: SyntheticEnvironment, seed: int
) -> None:
    contexts = contexts_of(environment, 6, seed)
    rewards, logging = environment.expected_rewards(contexts), environment.logging_policy(contexts)
    policy = random_policy(seed, rewards.shape)
    outputs = [
        int(policy[0].argmax()),
        *policy[1:4].tolist(),
        {"row": 4},
        {"actions": [1], "probs": [0.5], "rest": 0.5},
    ]
    synthetic = score_synthetic(environment, outputs, seed, arrays={"action_dist": policy})
    tabled = score_policy(rewards, outputs, logging=logging, arrays={"action_dist": policy})
    assert synthetic.metrics == tabled.metrics
    assert (synthetic.task, synthetic.primary, synthetic.notes) == ("opl_synthetic", "optimality", ())


@settings(max_examples=25, deadline=None)
@given(ENVIRONMENTS)
def test_the_optimal_policy_is_1_and_the_uniform_one_is_0(
    score_synthetic: Score, environment: SyntheticEnvironment
) -> None:
    best = environment.expected_rewards(contexts_of(environment, 5)).argmax(axis=1)
    result = score_synthetic(environment, best.tolist())
    assert (value(result, "optimality"), value(result, "regret")) == (1.0, 0.0)
    uniform: list[object] = [
        {"actions": [], "probs": [], "rest": 1},
        [1 / environment.n_actions] * environment.n_actions,
    ]
    assert value(score_synthetic(environment, uniform * 2), "optimality") == 0.0
    logging = environment.logging_policy(contexts_of(environment, 5))
    assert value(score_synthetic(environment, logging.tolist()), "improvement_over_logging") == 0.0


@settings(max_examples=25, deadline=None)
@given(ENVIRONMENTS, st.floats(0, 1))
def test_values_are_linear_in_the_policy(
    score_synthetic: Score, environment: SyntheticEnvironment, share: float
) -> None:
    one, other = (random_policy(seed, (4, environment.n_actions)) for seed in (0, 1))
    values = [
        value(score_synthetic(environment, policy.tolist()), "policy_value")
        for policy in (one, other, share * one + (1 - share) * other)
    ]
    assert values[2] == pytest.approx(share * values[0] + (1 - share) * values[1], rel=1e-9, abs=1e-9)


def test_order_does_not_matter(tmp_path: Path, small_environment: SyntheticEnvironment) -> None:
    arrays, chosen = small_environment.to_golds()
    contexts = contexts_of(small_environment, 40)
    policy = random_policy(0, (40, 7)).tolist()
    results = []
    for order in (np.arange(40), np.random.default_rng(0).permutation(40)):
        golds = [{"id": str(row), "user_id": str(row % 9), "output": at} for at, row in enumerate(order.tolist())]
        tables = {"contexts": contexts[order], **arrays}
        write_envelope(tmp_path / "golds.zip", "opl_synthetic", golds, tables, chosen)
        items = [{"id": str(row), "output": policy[row]} for row in reversed(order.tolist())]
        write_envelope(tmp_path / "p.zip", "opl_synthetic", items)
        results.append(score(tmp_path / "golds.zip", tmp_path / "p.zip", n_bootstrap=50)["opl_synthetic"])
    assert results[0].metrics == results[1].metrics and results[0].n_clusters == 9


def test_blocks_give_what_one_block_gives(
    score_synthetic: Score, small_environment: SyntheticEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = random_policy(1, (23, 7)).tolist()
    whole = score_synthetic(small_environment, policy)
    monkeypatch.setattr("harness.opl.policy._BLOCK_CELLS", 20)
    assert score_synthetic(small_environment, policy).metrics == whole.metrics


def test_golds_bring_the_environment_back(tmp_path: Path, small_environment: SyntheticEnvironment) -> None:
    path = tmp_path / "golds.zip"
    write_synthetic_golds(path, small_environment, 12, seed=4)
    first = path.read_bytes()
    write_synthetic_golds(path, small_environment, 12, seed=4)
    assert path.read_bytes() == first
    golds = read_golds(path)
    again = SyntheticEnvironment.from_golds(golds.arrays, golds.settings)
    contexts = contexts_of(small_environment, 12, seed=4)
    assert np.array_equal(golds.arrays["contexts"], contexts)
    rewards = again.expected_rewards(contexts)
    assert np.array_equal(rewards, small_environment.expected_rewards(contexts))
    references = reference_values(path, "opl_synthetic")
    assert references == pytest.approx(
        {
            "uniform": rewards.mean(),
            "logging": (rewards * again.logging_policy(contexts)).sum(axis=1).mean(),
            "optimal": rewards.max(axis=1).mean(),
        }
    )
    for wrong in (lambda: reference_values(path), lambda: reference_values(path, "LaMP_2")):
        with pytest.raises(HarnessError):
            wrong()


def test_predictions_of_opl_policy_serve_when_renamed(
    tmp_path: Path, small_environment: SyntheticEnvironment, write_golds: Callable[..., Path]
) -> None:
    contexts = contexts_of(small_environment, 4, seed=1)
    rewards, logging = small_environment.expected_rewards(contexts), small_environment.logging_policy(contexts)
    write_golds(tmp_path / "policy.zip", rewards, logging)
    write_synthetic_golds(tmp_path / "synthetic.zip", small_environment, 4, seed=1)
    items = [{"id": str(row), "output": output} for row, output in enumerate([3, {"row": 0}, [1 / 7] * 7, {"row": 1}])]
    write_envelope(tmp_path / "p.zip", "opl_policy", items, {"action_dist": random_policy(0, (2, 7))})
    with zipfile.ZipFile(tmp_path / "p.zip") as old, zipfile.ZipFile(tmp_path / "renamed.zip", "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(b'"task":"opl_policy"', b'"task":"opl_synthetic"')
            new.writestr(name.replace("opl_policy", "opl_synthetic"), data)
    before = score(tmp_path / "policy.zip", tmp_path / "p.zip")["opl_policy"]
    after = score(tmp_path / "synthetic.zip", tmp_path / "renamed.zip")["opl_synthetic"]
    assert before.metrics == after.metrics
    with pytest.raises(SubmissionError, match="opl_policy"):
        score(tmp_path / "synthetic.zip", tmp_path / "p.zip")


def test_predictions_for_another_environment(tmp_path: Path, small_environment: SyntheticEnvironment) -> None:
    write_synthetic_golds(tmp_path / "golds.zip", small_environment, 3, seed=0)
    for items, message in (
        (
            [{"id": str(row), "output": [0.125] * 8} for row in range(3)],
            "8 probabilities are given but the golds have 7",
        ),
        ([{"id": str(row), "output": 7} for row in range(3)], "id '0': action 7 is not one of 0 to 6"),
        ([{"id": str(row), "output": 0} for row in range(4)], "not in the golds"),
    ):
        write_envelope(tmp_path / "p.zip", "opl_synthetic", items)
        with pytest.raises(SubmissionError) as caught:
            score(tmp_path / "golds.zip", tmp_path / "p.zip")
        assert message in str(caught.value)


def test_missing_predictions_may_be_left_out(tmp_path: Path, small_environment: SyntheticEnvironment) -> None:
    write_synthetic_golds(tmp_path / "golds.zip", small_environment, 5, seed=0)
    write_envelope(tmp_path / "p.zip", "opl_synthetic", [{"id": "3", "output": 6}, {"id": "1", "output": 2}])
    result = score(tmp_path / "golds.zip", tmp_path / "p.zip", allow_missing=True)["opl_synthetic"]
    rewards = small_environment.expected_rewards(contexts_of(small_environment, 5))
    assert value(result, "policy_value") == pytest.approx((rewards[3, 6] + rewards[1, 2]) / 2)


def test_defects_are_told(score_synthetic: Score) -> None:
    published = draw_environment(0, Sizes(n_actions=5), compat=True)
    assert score_synthetic(published, [0, 1]).notes == (
        "the environment reproduces defects of the published one: aliased_matrices, double_mean_noise",
    )


Change = Callable[[dict[str, object], dict[str, object]], object]
OTHER = draw_environment(0, Sizes(n_actions=7, dim_context=3, dim_query=3, dim_action_embedding=4, dim_output=6))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays, chosen: arrays.update(contexts=np.zeros((3, 4))), "contexts are (3, 4); they must be finite"),
        (lambda arrays, chosen: arrays.update(contexts=np.full((3, 5), np.nan)), "2 of the user and 3 of the query"),
        (lambda arrays, chosen: arrays.update(contexts=np.zeros((4, 5))), "contexts are (4, 5) but there are 3 golds"),
        (
            lambda arrays, chosen: arrays.update(contexts=np.full((3, 5), 1e308)),
            "ids 'a' to 'c' hold values that are not",
        ),
        (
            lambda arrays, chosen: [
                arrays.update(contexts=np.full((3, 5), 1e308)),
                chosen.update(reward_type="binary"),
            ],
            "ids 'a' to 'c' hold values that are not finite",
        ),
        (lambda arrays, chosen: arrays.update(contexts=np.zeros((3, 5))), "V_optimal == V_uniform"),
        (lambda arrays, chosen: arrays.update(reward_weights=OTHER.reward_weights), "environment: logging_weights is"),
        (
            lambda arrays, chosen: arrays.update(OTHER.to_golds()[0]),
            "contexts are (3, 5); they must be finite numbers, 6",
        ),
        (lambda arrays, chosen: arrays.pop("action_weights"), "opl_synthetic.action_weights.npy"),
        (lambda arrays, chosen: arrays.update(logging_weights=np.full((5, 4), 1e308)), "id 'a': the logging policy"),
        (
            lambda arrays, chosen: chosen.update(reward_type="binary", noise_level=1e200),
            "V_optimal == V_uniform",  # each reward is a toss-up
        ),
        (
            lambda arrays, chosen: chosen.update(max_abs_val=1.7e308, compat=["double_mean_noise"]),
            "environment: outputs of actions are not finite",
        ),
        (
            lambda arrays, chosen: arrays.update(
                action_weights=np.full((4, 6), 0x7FA00000, np.uint32).view(np.float32)
            ),
            "environment: action_weights holds values that are not finite",
        ),
        (
            lambda arrays, chosen: chosen.update(generator="trig"),
            "environment settings: generator 'trig' is not one of",
        ),
        (lambda arrays, chosen: chosen.clear(), "environment settings: lack 'generator'"),
    ],
)
def test_refuses_golds(tmp_path: Path, small_environment: SyntheticEnvironment, change: Change, message: str) -> None:
    tables, chosen = small_environment.to_golds()
    arrays: dict[str, object] = {"contexts": contexts_of(small_environment, 3), **tables}
    change(arrays, chosen)
    golds = [{"id": name, "output": row} for row, name in enumerate("abc")]
    write_envelope(tmp_path / "golds.zip", "opl_synthetic", golds, arrays, chosen)  # type: ignore[arg-type]
    write_envelope(tmp_path / "p.zip", "opl_synthetic", [{"id": name, "output": 1} for name in "abc"])
    with pytest.raises(HarnessError) as caught:
        score(tmp_path / "golds.zip", tmp_path / "p.zip")
    assert message in str(caught.value) and not isinstance(caught.value, SubmissionError)
    assert str(caught.value).startswith("golds ")


@pytest.mark.parametrize(("outputs", "message"), [([0, 2, 1, 0], "name the same row 0"), ([0, 1, 2, 4], "from 0 to 3")])
def test_refuses_rows(
    tmp_path: Path, small_environment: SyntheticEnvironment, outputs: list[int], message: str
) -> None:
    arrays, chosen = small_environment.to_golds()
    arrays["contexts"] = contexts_of(small_environment, 4)
    golds = [{"id": str(number), "output": output} for number, output in enumerate(outputs)]
    write_envelope(tmp_path / "golds.zip", "opl_synthetic", golds, arrays, chosen)
    with pytest.raises(HarnessError, match=message):
        reference_values(tmp_path / "golds.zip", "opl_synthetic")


def test_refuses_to_write_nothing(tmp_path: Path, small_environment: SyntheticEnvironment) -> None:
    for n_contexts, seed in ((0, 0), (1, -1)):
        with pytest.raises(HarnessError, match=f"{n_contexts} contexts and seed {seed}"):
            write_synthetic_golds(tmp_path / "golds.zip", small_environment, n_contexts, seed)
