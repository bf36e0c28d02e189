"""Runs put together: tidy tables, the text for people, what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from store import Artifact, Store
from tasks.api import Runtime, TaskError
from tasks.opl.synthetic.texts import against, best_published
from tasks.runner import prepare, run_job
from tests.tasks.opl.synthetic.test_run import QUICK, SMALL

LEARNERS = {
    "ips": {"method": "ips", **QUICK},
    "ips_published": {"method": "ips", "published": True, "n_steps": 40, "eval_every": 20},
    "sentence_greedy": {"method": "sentence_greedy", "reward_model": "bilinear"},
}


def task(store: Store, name: str, values: object = None, **inputs: object) -> Artifact:
    given = {port: list(value) if isinstance(value, list) else [value] for port, value in inputs.items()}
    return run_job(prepare(name, values or {}, given), store, Runtime()).artifact


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Store, list[Artifact], list[Artifact]]:
    store = Store.open(str(tmp_path_factory.mktemp("results")))
    runs = [
        task(store, "synthetic.run", {**SMALL, "learners": LEARNERS, "n_rounds": n, "seed": seed})
        for n in (100, 200)
        for seed in (0, 1, 2)
    ]
    return store, runs, [task(store, "synthetic.score", run=run) for run in runs]


@pytest.fixture(scope="module")
def results(made) -> Artifact:
    store, runs, scores = made
    return task(store, "synthetic.results", runs=runs, scores=scores)


def test_results_hold_one_row_for_each_policy_of_each_run(results, made) -> None:
    rows = results.table("results").read().to_pylist()
    assert len(rows) == 6 * 6
    assert {row["setting"] for row in rows} == {"published n_rounds=100", "published n_rounds=200"}
    values = {(row["n_rounds"], row["seed"], row["policy"]): row for row in rows}
    for artifact in made[1]:
        config, metrics = artifact.manifest.made_by.config, artifact.manifest.made_by.metrics
        for name in LEARNERS:
            row = values[config["n_rounds"], config["seed"], name]
            assert row["value"] == pytest.approx(metrics[f"value_{name}"], abs=1e-5)
            logging = values[config["n_rounds"], config["seed"], "logging"]["value"]
            assert row["improvement"] == pytest.approx(row["value"] - logging)
    assert values[100, 0, "optimal"]["optimality"] == pytest.approx(1)
    assert values[100, 0, "sentence_greedy"]["selected_step"] is None
    assert values[100, 0, "ips_published"]["selected_step"] == 40


def test_curves_are_those_of_the_runs(results) -> None:
    rows = results.table("curves").read().to_pylist()
    assert {row["policy"] for row in rows} == {"ips", "ips_published"}
    assert {row["step"] for row in rows if row["policy"] == "ips_published"} == {0, 20, 40}


def test_the_order_of_runs_does_not_change_the_tables(results, made) -> None:
    store, runs, scores = made
    again = task(store, "synthetic.results", runs=runs[::-1], scores=scores[3:] + scores[:3])
    assert again.manifest.tables["results"].digest == results.manifest.tables["results"].digest


def test_the_text_says_what_was_compared(results) -> None:
    text = results.path("table.txt").read_text()
    assert "published n_rounds=100, 3 seeds; best published: Inverse propensity (IPS), as published" in text
    assert max(map(len, text.splitlines())) < 140
    summary = results.read_json("summary.json")
    pairs = summary["settings"]["published n_rounds=200"]["comparisons"]
    assert {(pair["policy"], pair["other"]) for pair in pairs} == {
        ("ips", "ips_published"),
        ("ips", "sentence_greedy"),
        ("ips_published", "sentence_greedy"),
    }


def test_runs_and_scores_must_fit(made) -> None:
    store, runs, scores = made
    with pytest.raises(TaskError, match="has no scores"):
        task(store, "synthetic.results", runs=runs, scores=scores[:-1])
    with pytest.raises(TaskError, match="6 scores are of 5 runs"):
        task(store, "synthetic.results", runs=runs[:-1], scores=scores)
    other = task(store, "synthetic.run", {**SMALL, "learners": {"ips": LEARNERS["ips"]}, "n_rounds": 100, "seed": 0})
    with pytest.raises(TaskError, match="with seed 0 is there twice"):
        task(
            store, "synthetic.results", runs=[*runs, other], scores=[*scores, task(store, "synthetic.score", run=other)]
        )


def test_nothing_is_the_best_published_where_nothing_is_published() -> None:
    assert best_published([], {"ips"}) is None
    assert against([], "ips", None) is None


def test_tables_are_gated(results, made) -> None:
    verdict = task(made[0], "gate", subject=results)
    assert Path(verdict.path("verdict.json")).exists() or verdict.manifest.files
