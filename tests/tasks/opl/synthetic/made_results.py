"""Results of the benchmark from made-up numbers, written as its task writes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from expectations.tables import arrow_schema, declaration
from store import Artifact, Attempt, InputEntry, Provenance, Store
from store.digest import digest_of
from tasks.api import Runtime
from tasks.opl.synthetic.results import SUMMARY_FILE, VARIED, summary_json
from tasks.opl.synthetic.statistics import compare_pairs, summarise
from tasks.runner import prepare, run_job

Row = dict[str, object]
DEFAULT: Row = {
    "variant": "published",
    "compat": True,
    "generator": "trigonometric",
    "logging": "environment",
    "n_rounds": 8000,
    "n_actions": 1000,
    "reward_std": 1.0,
    "beta": 1.0,
    "kernel": None,
    "bandwidth": None,
    "density": None,
}
REFERENCES = {"uniform": 0.0, "logging": 0.04, "optimal": 1.0}
CLOSED_FORM = ("greedy", "sentence_greedy")  # have no curve


@dataclass(frozen=True)
class Made:
    """Results, and what they were written from: setting -> policy -> seed -> metrics, and rows of curves."""

    artifact: Artifact
    scores: dict[str, dict[str, dict[int, dict[str, float]]]]
    points: list[Row]


def settings(*changes: Mapping[str, object]) -> list[Row]:
    return [DEFAULT | dict(change) for change in changes]


def made_results(
    store: Store,
    fields: Sequence[Row],
    learners: Mapping[str, float],
    seeds: Sequence[int] = range(3),
    *,
    n_points: int = 21,
    shuffled: bool = False,
) -> Made:
    """Learners of given optimality, which moves a little with setting and seed."""
    rng = np.random.default_rng(7)
    scores: dict[str, dict[str, dict[int, dict[str, float]]]] = {}
    rows, points = list[Row](), list[Row]()
    ends = {seed: (rng.normal(0, 0.15), 0.75 + 0.1 * rng.random()) for seed in seeds}
    for place, of in enumerate(fields):
        setting = setting_name(of, fields)
        for seed in seeds:
            low, high = ends[seed]
            for policy, skill in (REFERENCES | dict(learners)).items():
                exact = policy in ("uniform", "optimal")
                optimality = skill if exact else skill * (0.7 + 0.3 / (1 + place)) + 0.06 * rng.normal()
                value = low + optimality * (high - low)
                metrics = {"policy_value": value, "optimality": optimality}
                scores.setdefault(setting, {}).setdefault(policy, {})[seed] = metrics
                ascends = policy in learners and policy not in CLOSED_FORM
                curve = curve_of(rng, low, value, n_points) if ascends else []
                told: Row = {"setting": setting, "seed": seed, "policy": policy}
                selected = curve[2 * len(curve) // 3]["step"] if curve else None
                numbers = {"value": value, "optimality": optimality, "improvement": value - low}
                rows.append(told | of | numbers | {"selected_step": selected})
                points += [told | point for point in curve]
    if shuffled:
        rows, points = ([each[i] for i in rng.permutation(len(each))] for each in (rows, points))

    def write(out: Attempt) -> None:
        write_table(out, "results", rows)
        if points:
            write_table(out, "curves", points)
        summaries = {setting: summarise(of, 0.95) for setting, of in scores.items()}
        out.write_json(SUMMARY_FILE, summary_json(0.95, summaries, {s: compare_pairs(of) for s, of in scores.items()}))

    return Made(commit(store, write, [f"{setting} {seed}" for setting in scores for seed in seeds]), scores, points)


def setting_name(of: Row, fields: Sequence[Row]) -> str:
    varying = [name for name in VARIED if len({each[name] for each in fields}) > 1 and name != "variant"]
    return " ".join([str(of["variant"]), *(f"{name}={of[name]}" for name in varying)])


def curve_of(rng: np.random.Generator, low: float, value: float, n_points: int) -> list[Row]:
    """Rises from `low` towards `value`; some runs end early."""
    n = n_points if rng.random() < 0.6 else max(2, n_points * 2 // 3)
    steps = 200 * np.arange(n)
    values = low + (value - low) * (1 - np.exp(-4 * steps / (200 * n_points))) + 0.005 * rng.normal(size=n)
    return [
        {"step": int(step), "estimate": None if rng.random() < 0.1 else float(at), "value": float(at)}
        for step, at in zip(steps, values, strict=True)
    ]


def write_table(out: Attempt, name: str, rows: Sequence[Row]) -> None:
    schema = arrow_schema(declaration(f"synthetic.{name}"))
    out.write_table(name, f"synthetic.{name}", pa.Table.from_pylist(list(rows), schema=schema))


def commit(store: Store, write: Callable[[Attempt], None], runs: Sequence[str] = ()) -> Artifact:
    """Commits what `write` writes, and a passing verdict on its tables."""
    attempt = store.begin("synthetic/results", digest_of(time.time_ns())[:40])
    write(attempt)
    inputs = {
        port: [
            InputEntry(name=f"synthetic/{name}", key=digest_of([port, run])[:40], digest=digest_of(run)) for run in runs
        ]
        for port, name in (("runs", "run"), ("scores", "scores"))
    }
    made_by = Provenance(
        task="synthetic.results", version=1, config={"level": 0.95}, inputs=inputs, libraries={"numpy": np.__version__}
    )
    made = store.commit(attempt, made_by, time.time())
    job = prepare("gate", {}, {"subject": [made]})
    store.commit(store.begin(job.name, job.key), Provenance(task="gate", version=1, config={}), time.time())
    return made


def report(store: Store, results: Artifact) -> str:
    """The page, made by the task as the runner runs it."""
    made = run_job(prepare("synthetic.report", {}, {"results": [results]}), store, Runtime(threads=1)).artifact
    return made.path("report.html").read_text(encoding="utf-8")
