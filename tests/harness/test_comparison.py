"""Paired differences against a slow loop, their calibration, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from harness import HarnessError, score, write_envelope, write_envelopes
from harness.comparison import Comparison, compare, holm, two_sided_p
from harness.intervals import bootstrap_sums
from harness.lamp.labels import MOVIE_TAGS

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes outputs of `LaMP_2`, or of the tasks given as a mapping; ids are the places."""

    def run(name: str, outputs: Sequence[str] | dict[str, Sequence[str]], users: Sequence[str] | None = None) -> Path:
        tasks = outputs if isinstance(outputs, dict) else {"LaMP_2": outputs}
        path = tmp_path / f"{name}.zip"
        write_envelopes(
            path,
            {
                task: [
                    {"id": str(place), "output": one, **({"user_id": users[place]} if users else {})}
                    for place, one in enumerate(of)
                ]
                for task, of in tasks.items()
            },
        )
        return path

    return run


def tags(seed: int, n: int, like: Sequence[str] = (), share: float = 0.0) -> list[str]:
    """Tags at random, of which a share are those of `like`."""
    rng = np.random.default_rng(seed)
    drawn = [str(tag) for tag in rng.choice(MOVIE_TAGS[:6], n)]
    return [like[i] if like and rng.random() < share else tag for i, tag in enumerate(drawn)]


@pytest.mark.parametrize("clustered", [False, True])
def test_a_slow_loop_agrees(write: Write, clustered: bool) -> None:
    n, n_bootstrap, seed = 60, 50, 7
    gold = tags(0, n)
    systems = {"base": tags(1, n, gold, 0.3), "tuned": tags(2, n, gold, 0.6)}
    users = [str(i % 11) for i in range(n)] if clustered else None
    golds = write("golds", gold, users)
    found = compare(
        golds, {name: write(name, of) for name, of in systems.items()}, n_bootstrap=n_bootstrap, seed=seed
    ).differences["LaMP_2"]["tuned"]

    order = sorted(range(n), key=str)
    groups = [[i for i in order if users[i] == user] for user in sorted(set(users))] if users else [[i] for i in order]
    draws = np.random.default_rng(seed).integers(len(groups), size=(n_bootstrap, len(groups)), dtype=np.uint16)
    scorers = {
        "accuracy": accuracy_score,
        "f1": lambda true, made: f1_score(true, made, labels=MOVIE_TAGS, average="macro", zero_division=0),
    }
    for metric, scorer in scorers.items():
        differences = []
        for draw in draws:
            rows = [row for group in draw for row in groups[group]]
            true = [gold[row] for row in rows]
            ours, base = (scorer(true, [systems[name][row] for row in rows]) for name in ("tuned", "base"))
            differences.append(ours - base)
        value = scorer(gold, systems["tuned"]) - scorer(gold, systems["base"])
        assert found[metric].value == pytest.approx(value, abs=1e-12)
        assert found[metric].interval == pytest.approx(np.quantile(differences, [0.025, 0.975]), abs=1e-12)
        tails = min(sum(d <= 1e-12 for d in differences), sum(d >= -1e-12 for d in differences))
        assert found[metric].p_value == pytest.approx(min(1, 2 * (tails + 1) / (n_bootstrap + 1)))
        assert found[metric].better is True


def test_the_same_answers_in_another_order_do_not_differ(tmp_path: Path, write: Write) -> None:
    gold = tags(0, 40)
    made = tags(1, 40, gold, 0.5)
    write_envelope(tmp_path / "again.zip", "LaMP_2", [{"id": str(i), "output": made[i]} for i in reversed(range(40))])
    systems = {"a": write("a", made), "b": tmp_path / "again.zip"}
    for one in compare(write("golds", gold), systems, n_bootstrap=100).differences["LaMP_2"]["b"].values():
        assert (one.value, one.interval, one.p_value, one.better) == (0.0, (0.0, 0.0), 1.0, None)


def test_swapping_the_baseline_turns_the_sign_alone(write: Write) -> None:
    gold = tags(0, 80)
    golds, one, two = write("golds", gold), write("one", tags(1, 80, gold, 0.2)), write("two", tags(2, 80, gold, 0.5))
    there = compare(golds, {"one": one, "two": two}, n_bootstrap=200).differences["LaMP_2"]["two"]
    back = compare(golds, {"two": two, "one": one}, n_bootstrap=200).differences["LaMP_2"]["one"]
    for metric in ("accuracy", "f1"):
        assert there[metric].value == -back[metric].value
        assert there[metric].interval == pytest.approx([-bound for bound in reversed(back[metric].interval)])
        assert there[metric].p_value == back[metric].p_value
        assert (there[metric].better, back[metric].better) == (True, False)


def test_lower_is_better_for_errors(write: Write) -> None:
    golds, near, far = (write(name, {"LaMP_3": [of] * 5}) for name, of in (("golds", "4"), ("near", "5"), ("far", "1")))
    found = compare(golds, {"far": far, "near": near}, n_bootstrap=100).differences["LaMP_3"]["near"]["MAE"]
    assert found.value == -2.0 and found.better is True


def test_what_may_be_chance_is_neither_better_nor_worse(write: Write) -> None:
    gold = tags(0, 40)
    systems = {name: write(name, tags(seed, 40, gold, 0.5)) for seed, name in enumerate("abc", start=1)}
    for task in compare(write("golds", gold), systems, n_bootstrap=200).differences.values():
        for metrics in task.values():
            for one in metrics.values():
                significant = (one.p_holm if one.p_holm is not None else one.p_value or 1) < 0.05
                assert (one.better is not None) == significant


def test_a_single_user_shows_no_difference(tmp_path: Path) -> None:
    items = [{"id": str(i), "output": "a b c", "user_id": "u"} for i in range(3)]
    write_envelope(tmp_path / "g.zip", "LaMP_4", items)
    for name in "ab":
        write_envelope(tmp_path / f"{name}.zip", "LaMP_4", [{"id": str(i), "output": f"a {name}"} for i in range(3)])
    comparison = compare(tmp_path / "g.zip", {name: tmp_path / f"{name}.zip" for name in "ab"})
    for one in comparison.differences["LaMP_4"]["b"].values():
        assert (one.interval, one.p_value, one.better, one.p_holm) == (None, None, None, None) and one.value != 0


def test_too_few_resamples_for_so_many_comparisons_are_said(write: Write) -> None:
    gold = tags(0, 30)
    systems = {name: write(name, tags(seed, 30, gold, 0.5)) for seed, name in enumerate("abc", start=1)}
    few, many = (compare(write("golds", gold), systems, n_bootstrap=n).notes for n in (60, 400))
    assert few == (
        "2 comparisons of primary metrics: with 60 resamples no adjusted p can be below 0.066; take at least 400 (--n-bootstrap)",
    )
    assert many == ()


def test_under_the_null_one_test_in_twenty_rejects() -> None:
    """400 pairs of equally good systems with skewed scores: 5 % of p-values lie below 0.05, give or take 2.2 SD."""
    rejected = 0
    for pair in range(400):
        rng = np.random.default_rng(pair)
        skill = rng.beta(1, 3, 120)
        ours, theirs = (skill * rng.random(120) for _ in range(2))
        sums = bootstrap_sums({"d": ours - theirs}, np.arange(120), 300, np.random.default_rng(pair))
        rejected += two_sided_p(sums["d"] / sums["n"]) < 0.05
    assert 0.026 <= rejected / 400 <= 0.074


def test_p_values_count_both_tails_and_never_reach_zero() -> None:
    assert two_sided_p(np.full(99, 0.5)) == pytest.approx(0.02)
    assert two_sided_p(np.array([-1.0] * 10 + [1.0] * 89)) == pytest.approx(0.22)
    assert two_sided_p(np.zeros(99)) == 1.0


def test_holm_as_in_r() -> None:
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_its_steps_reject(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    for level in (0.01, 0.05, 0.2):
        rejected: set[int] = set()
        for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if (len(p_values) - step) * p_values[index] > level:
                break
            rejected.add(index)
        assert rejected == {index for index, a in enumerate(adjusted) if a <= level}


def test_holm_counts_all_tasks_and_systems_but_primary_metrics_alone(write: Write) -> None:
    gold = {"LaMP_2": tags(0, 40), "LaMP_4": tags(3, 40)}
    systems = {
        name: write(name, {task: tags(place + 10, 40, of, 0.2 * place) for task, of in gold.items()})
        for place, name in enumerate("abc")
    }
    found = compare(write("golds", gold), systems, n_bootstrap=100).differences
    primary = [
        found[task][name][metric] for task, metric in (("LaMP_2", "accuracy"), ("LaMP_4", "rouge-1")) for name in "bc"
    ]
    assert [one.p_holm for one in primary] == holm([one.p_value or math.nan for one in primary])
    assert found["LaMP_2"]["b"]["f1"].p_holm is None and found["LaMP_4"]["c"]["rouge-L"].p_holm is None


def test_scores_are_those_of_score(write: Write) -> None:
    gold = tags(0, 30)
    golds, a, b = write("golds", gold), write("a", tags(1, 30, gold, 0.5)), write("b", tags(2, 30, gold, 0.5))
    found = compare(golds, {"a": a, "b": b}, n_bootstrap=30, per_sample=True)
    assert found.baseline == "a" and list(found.systems) == ["a", "b"]
    for name, path in (("a", a), ("b", b)):
        assert found.systems[name].to_json() == score(golds, path, n_bootstrap=30, per_sample=True).to_json()


def test_one_system_has_no_differences(write: Write) -> None:
    found = compare(write("golds", tags(0, 9)), {"a": write("a", tags(1, 9))}, n_bootstrap=10)
    assert found.differences == {"LaMP_2": {}}


def test_without_resamples_there_is_no_test(write: Write) -> None:
    found = compare(
        write("golds", tags(0, 9)), {"a": write("a", tags(1, 9)), "b": write("b", tags(2, 9))}, n_bootstrap=0
    ).differences["LaMP_2"]["b"]["accuracy"]
    assert found.interval is None and found.p_value is None and found.p_holm is None


def test_json_is_deterministic(write: Write) -> None:
    golds, preds = write("golds", tags(0, 9)), {"b": write("b", tags(1, 9)), "a": write("a", tags(2, 9))}
    text = compare(golds, preds, n_bootstrap=10).to_json()
    assert text == compare(golds, preds, n_bootstrap=10).to_json() and text.endswith("}\n")
    read = json.loads(text)
    assert read["baseline"] == "b" and set(read["systems"]) == {"a", "b"}
    assert set(read["differences"]["LaMP_2"]["a"]["f1"]) == {"value", "interval", "p_value", "better", "p_holm"}


def test_other_samples_are_not_compared(tmp_path: Path, write: Write) -> None:
    golds = write("golds", tags(0, 9))
    for name, left_out in (("a", 3), ("b", 4)):
        items = [{"id": str(i), "output": "comedy"} for i in range(9) if i != left_out]
        write_envelope(tmp_path / f"{name}.zip", "LaMP_2", items)
    preds = {name: tmp_path / f"{name}.zip" for name in "ab"}
    with pytest.raises(
        HarnessError, match=r"'b' and 'a' answer different samples of LaMP_2, 2 of them only one .*'3', '4'"
    ):
        compare(golds, preds, n_bootstrap=10, allow_missing=True)


def test_a_task_that_one_lacks_is_left_out(write: Write) -> None:
    golds = write("golds", {"LaMP_2": tags(0, 9), "LaMP_4": tags(3, 9)})
    whole, part = write("whole", {"LaMP_2": tags(1, 9), "LaMP_4": tags(4, 9)}), write("part", tags(2, 9))

    def differences(**preds: Path) -> Comparison:
        return compare(golds, preds, n_bootstrap=10, allow_missing=True)

    ahead = differences(whole=whole, part=part)
    assert list(ahead.differences["LaMP_2"]) == ["part"] and ahead.differences["LaMP_4"] == {}
    assert ahead.systems["part"].missing == ("LaMP_4",)
    assert list(differences(part=part, whole=whole).differences) == ["LaMP_2"]
