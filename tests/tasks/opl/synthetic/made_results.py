"""Results of the benchmark from made-up numbers, written as its task writes them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from expectations.tables import arrow_schema, declaration
from store import Artifact, Attempt, InputEntry, Provenance, Store
from store.digest import digest_of
from tasks.opl.synthetic.results import SUMMARY_FILE, VARIED, summary_json
from tasks.opl.synthetic.statistics import compare_pairs, summarise

DEFAULT = {
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
SKILL = {"uniform": 0.0, "logging": 0.04, "optimal": 1.0}


def settings(*changes: Mapping[str, object]) -> list[dict[str, object]]:
    return [DEFAULT | dict(change) for change in changes]


def made_results(
    store: Store,
    fields: Sequence[Mapping[str, object]],
    learners: Mapping[str, float],
    seeds: Iterable[int] = range(3),
    *,
    n_points: int = 21,
    shuffled: bool = False,
) -> Artifact:
    """Learners by their skill, an optimality that shrinks where the field's place in the list grows."""
    rng = np.random.default_rng(7)
    rows, points, scores = [], [], {}
    seeds = list(seeds)
    levels = {seed: (rng.normal(0, 0.15), 0.75 + 0.1 * rng.random()) for seed in seeds}
    for place, of in enumerate(fields):
        varying = [name for name in VARIED if len({each[name] for each in fields}) > 1 and name != "variant"]
        setting = " ".join([str(of["variant"]), *(f"{name}={of[name]}" for name in varying)])
        by_policy = scores.setdefault(setting, {})
        for seed in seeds:
            low, high = levels[seed]
            for policy, skill in (SKILL | dict(learners)).items():
                reference = policy in ("uniform", "optimal")
                optimality = skill if reference else skill * (0.6 + 0.4 / (1 + place)) + 0.08 * rng.normal()
                value = low + optimality * (high - low)
                by_policy.setdefault(policy, {})[seed] = {"policy_value": value, "optimality": optimality}
                curve = curve_of(rng, low, value, n_points) if policy in learners and "greedy" not in policy else []
                selected = curve[len(curve) * 2 // 3]["step"] if curve else None
                told = {"setting": setting, "seed": seed, "policy": policy}
                numbers = {"value": value, "optimality": optimality, "improvement": value - low}
                rows.append(told | of | numbers | {"selected_step": selected})
                points += [told | point for point in curve]
    if shuffled:
        rows, points = ([each[i] for i in rng.permutation(len(each))] for each in (rows, points))

    def write(out: Attempt) -> None:
        for name, written in (("results", rows), ("curves", points)):
            if written:
                schema = arrow_schema(declaration(f"synthetic.{name}"))
                out.write_table(name, f"synthetic.{name}", pa.Table.from_pylist(written, schema=schema))
        summaries = {setting: summarise(of, 0.95) for setting, of in scores.items()}
        pairs = {setting: compare_pairs(of) for setting, of in scores.items()}
        out.write_json(SUMMARY_FILE, summary_json(0.95, summaries, pairs))

    runs = [("synthetic/run", str(place), str(seed)) for place in range(len(fields)) for seed in seeds]
    return commit(store, write, {"runs": runs, "scores": [("synthetic/scores", *rest) for _, *rest in runs]})


def curve_of(rng: np.random.Generator, low: float, value: float, n_points: int) -> list[dict[str, object]]:
    """Rises from `low` to `value`; some runs end early."""
    n = n_points if rng.random() < 0.6 else max(2, n_points * 2 // 3)
    steps = 200 * np.arange(n)
    values = low + (value - low) * (1 - np.exp(-4 * steps / (200 * n_points))) + 0.005 * rng.normal(size=n)
    return [
        {"step": int(step), "estimate": None if rng.random() < 0.1 else float(at), "value": float(at)}
        for step, at in zip(steps, values, strict=True)
    ]


def commit(store: Store, write, inputs: Mapping[str, Sequence[Sequence[str]]] | None = None) -> Artifact:
    key = digest_of([time.time_ns()])[:40]
    attempt = store.begin("synthetic/results", key)
    write(attempt)
    entries = {
        port: [
            InputEntry(name=name, key=digest_of([name, *rest])[:40], digest=digest_of(rest)) for name, *rest in given
        ]
        for port, given in (inputs or {}).items()
    }
    made_by = Provenance(
        task="synthetic.results", version=1, config={"level": 0.95}, inputs=entries, libraries={"numpy": np.__version__}
    )
    return store.commit(attempt, made_by, time.time())
