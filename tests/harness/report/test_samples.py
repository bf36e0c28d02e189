"""Which samples are worst, which differ, and how they are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness import registry
from harness.intervals import cluster_codes
from harness.registry import Samples
from harness.report.measures import pull
from harness.report.samples import differing, wins, worst
from harness.scoring import Settings, measure
from tests.harness.report.conftest import scored

Files = tuple[Path, dict[str, Path]]


def test_worst_first_and_only_what_is_below_the_mean(lamp: Files) -> None:
    golds, systems = lamp
    one = scored(golds, systems["tuned"], "LaMP_4")
    found = worst(registry.get("LaMP_4"), "tuned", one, 10**6)
    column = one.samples.columns["rouge-1"]
    rows = sorted(
        np.flatnonzero(column < column.mean()), key=lambda row: column[row]
    )  # ties by id, as the ids are sorted
    assert [sample.id for sample in found.samples] == [one.golds.ids[row] for row in rows][:50]
    assert found.n_in_all == len(rows) > 20
    first = found.samples[0]
    row = one.golds.ids.index(first.id)
    assert first.gold.preview == one.golds.outputs[row] and first.user == one.golds.users[row]
    assert first.answers[0].output.preview == one.predictions.outputs[row]


def test_errors_are_worst_where_they_are_largest(lamp: Files) -> None:
    golds, systems = lamp
    one = scored(golds, systems["base"], "LaMP_3")
    shown = worst(registry.get("LaMP_3"), "base", one, 10**6).samples
    errors = [float(one.samples.columns["absolute_error"][one.golds.ids.index(sample.id)]) for sample in shown]
    assert errors == sorted(errors, reverse=True) and errors[0] == one.samples.columns["absolute_error"].max()


def test_a_perfect_system_has_no_worst_sample(lamp: Files, tmp_path: Path) -> None:
    golds, systems = lamp
    one = scored(golds, systems["base"], "LaMP_1")
    columns = {"correct": np.ones(60), "gold_label": np.zeros(60), "predicted_label": np.zeros(60)}
    perfect = type(one)(one.golds, one.predictions, Samples(columns), one.result, one.resampled)
    assert worst(registry.get("LaMP_1"), "base", perfect, 10**6).samples == []


def test_pull_of_a_ratio_is_what_leaving_the_sample_out_does(opl: Files) -> None:
    """Optimality has no value of one context: the pull must rank as the change when the context is left out."""
    golds, systems = opl
    task, one = registry.get("opl_policy"), scored(golds, systems["first"], "opl_policy")
    pulled = pull(task, one)
    left_out = []
    for row in range(30):
        kept = {name: np.delete(column, row) for name, column in one.samples.columns.items()}
        metrics, _ = measure(task, Samples(kept), cluster_codes(29, None), Settings(n_bootstrap=0))
        left_out.append(one.result.metrics["optimality"].value - metrics["optimality"].value)
    assert np.corrcoef(pulled, left_out)[0, 1] > 0.999
    assert abs(pulled.sum()) < 1e-12
    found = worst(task, "first", one, 10**6)
    assert [sample.id for sample in found.samples][:3] == [one.golds.ids[row] for row in np.argsort(pulled)[:3]]


def test_differing_samples_and_wins(lamp: Files) -> None:
    golds, systems = lamp
    task = registry.get("LaMP_4")
    pair = scored(golds, systems["tuned"], "LaMP_4"), scored(golds, systems["base"], "LaMP_4")
    ahead = pair[0].samples.columns["rouge-1"] - pair[1].samples.columns["rouge-1"]
    better, worse = differing(task, ("tuned", "base"), pair, 10**6)
    assert (better.n_in_all, worse.n_in_all) == ((ahead > 0).sum(), (ahead < 0).sum())
    gains = [ahead[pair[0].golds.ids.index(sample.id)] for sample in better.samples]
    assert gains == sorted(gains, reverse=True) and gains[0] == ahead.max()
    assert [answer.system for answer in better.samples[0].answers] == ["tuned", "base"]
    counted = wins(task, pair)["rouge-1"]
    assert (counted.better, counted.equal, counted.worse) == ((ahead > 0).sum(), (ahead == 0).sum(), (ahead < 0).sum())


def test_fewer_errors_win(lamp: Files) -> None:
    golds, systems = lamp
    pair = scored(golds, systems["tuned"], "LaMP_3"), scored(golds, systems["base"], "LaMP_3")
    ours, theirs = (one.samples.columns["absolute_error"] for one in pair)
    assert wins(registry.get("LaMP_3"), pair)["MAE"].better == (ours < theirs).sum()


@pytest.mark.parametrize("budget", [0, 300])
def test_texts_keep_within_the_budget(lamp: Files, budget: int) -> None:
    golds, systems = lamp
    one = scored(golds, systems["base"], "LaMP_4")
    shown = worst(registry.get("LaMP_4"), "base", one, budget).samples
    spent = sum(sample.gold.size + sample.answers[0].output.size for sample in shown)
    assert len(shown) == 1 if budget == 0 else spent <= budget and len(shown) > 1
