"""Puts scored runs together: tidy tables of values and curves, means over seeds, and paired comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from expectations.tables import arrow_schema, declaration
from store import Artifact, Attempt
from tasks.api import Context, Metrics, TaskError
from tasks.opl.labels import PUBLISHED
from tasks.opl.score import SCORES_FILE
from tasks.opl.synthetic.config import ResultsConfig, RunConfig
from tasks.opl.synthetic.draw import settings_of
from tasks.opl.synthetic.run import CURVES_FILE
from tasks.opl.synthetic.statistics import Comparison, Summary, compare_pairs, summarise
from tasks.opl.synthetic.texts import text_table

RESULTS, CURVES = "results", "curves"
SUMMARY_FILE, TABLE_FILE = "summary.json", "table.txt"
VARIED = (
    "variant",
    "compat",
    "generator",
    "logging",
    "n_rounds",
    "n_actions",
    "reward_std",
    "beta",
    "kernel",
    "bandwidth",
    "density",
)
"""Fields of a run that a benchmark may vary."""


@dataclass(frozen=True)
class Inputs:
    """Runs, and what the harness says of each."""

    runs: list[Artifact]
    scores: list[Artifact]


class Point(BaseModel):
    """A point of a learner's curve."""

    model_config = ConfigDict(frozen=True)

    step: int
    estimate: float | None
    value: float


class Told(BaseModel):
    """What a run tells of a learner."""

    model_config = ConfigDict(frozen=True)

    method: str
    selected_step: int
    notes: dict[str, float]
    points: list[Point]


@dataclass(frozen=True)
class ScoredRun:
    """A run's configuration and name, its curves, and its policies' metrics by the harness."""

    setting: str
    config: RunConfig
    curves: Mapping[str, Told]
    scores: Mapping[str, Mapping[str, float]]


def run(config: ResultsConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes the tables results and curves, summary.json and table.txt.

    Raises:
        TaskError: a run without scores, scores without their run, or one setting and seed twice.
    """
    runs = read_runs(inputs.runs, inputs.scores)
    out.write_table(RESULTS, "synthetic.results", _table("synthetic.results", _result_rows(runs)))
    curves = list(_curve_rows(runs))
    if curves:
        out.write_table(CURVES, "synthetic.curves", _table("synthetic.curves", curves))
    values = {
        setting: {
            name: {r.config.seed: r.scores[name] for r in runs if r.setting == setting and name in r.scores}
            for name in _policies(runs, setting)
        }
        for setting in dict.fromkeys(r.setting for r in runs)
    }
    summaries = {setting: summarise(by_policy, config.level) for setting, by_policy in values.items()}
    pairs = {setting: compare_pairs(by_policy) for setting, by_policy in values.items()}
    out.write_json(SUMMARY_FILE, summary_json(config.level, summaries, pairs))
    published = {name for r in runs for name in r.config.learners if name.endswith(PUBLISHED)}
    out.path(TABLE_FILE).write_text(text_table(summaries, pairs, published), encoding="utf-8")
    return {"n_runs": float(len(runs)), "n_settings": float(len(values))}


def read_runs(runs: Sequence[Artifact], scores: Sequence[Artifact]) -> list[ScoredRun]:
    """Every run with its scores: settings as they come, each by seed.

    Raises:
        TaskError: they do not fit each other.
    """
    scored = {artifact.manifest.made_by.inputs["run"][0].key: artifact for artifact in scores}
    lacking = [str(artifact) for artifact in runs if artifact.key not in scored]
    if lacking or len(scored) != len(runs):
        what = f"{lacking[0]} has no scores" if lacking else f"{len(scored)} scores are of {len(runs)} runs"
        raise TaskError(f"synthetic.results: {what}; give the runs and the scores of the same runs")
    configs = [RunConfig.model_validate(artifact.manifest.made_by.config) for artifact in runs]
    varying = [name for name in VARIED if len({getattr(config, name) for config in configs}) > 1]
    found = []
    for artifact, config in zip(runs, configs, strict=True):
        curves = artifact.read_json(CURVES_FILE)
        results = scored[artifact.key].read_json(SCORES_FILE)
        assert isinstance(curves, dict) and isinstance(results, dict)
        metrics = {
            name: {metric: float(value["value"]) for metric, value in result["metrics"].items()}
            for name, result in results.items()
        }
        told = {name: Told.model_validate(value) for name, value in curves.items()}
        found.append(ScoredRun(setting_name(config, varying), config, told, metrics))
    names = [(each.setting, each.config.seed) for each in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise TaskError(f"synthetic.results: {twice[0]} with seed {twice[1]} is there twice; give each run once")
    settings = list(dict.fromkeys(each.setting for each in found))
    return sorted(found, key=lambda each: (settings.index(each.setting), each.config.seed))


def setting_name(config: RunConfig, varying: Sequence[str]) -> str:
    """The variant, and the fields that differ among the runs, as in `published n_rounds=500`."""
    told = [f"{name}={getattr(config, name)}" for name in varying if name != "variant"]
    return " ".join([config.variant, *told])


def _policies(runs: Sequence[ScoredRun], setting: str) -> list[str]:
    return list(dict.fromkeys(name for r in runs if r.setting == setting for name in r.scores))


def _result_rows(runs: Sequence[ScoredRun]) -> Iterator[dict[str, object]]:
    for r in runs:
        logging = r.scores["logging"]["policy_value"]
        for name, metrics in r.scores.items():
            ascended = name in r.curves and len(r.curves[name].points) > 1
            yield {
                "setting": r.setting,
                "seed": r.config.seed,
                "policy": name,
                **{field: getattr(r.config, field) for field in VARIED},
                "generator": settings_of(r.config).generator,
                "beta": settings_of(r.config).beta,
                "value": metrics["policy_value"],
                "optimality": metrics["optimality"],
                "improvement": metrics["policy_value"] - logging,
                "selected_step": r.curves[name].selected_step if ascended else None,
            }


def _curve_rows(runs: Sequence[ScoredRun]) -> Iterator[dict[str, object]]:
    for r in runs:
        for name, told in r.curves.items():
            if len(told.points) > 1:
                for point in told.points:
                    yield {"setting": r.setting, "seed": r.config.seed, "policy": name, **point.model_dump()}


def _table(name: str, rows: Iterator[dict[str, object]] | Sequence[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(declaration(name)))


def summary_json(
    level: float, summaries: Mapping[str, Sequence[Summary]], pairs: Mapping[str, Sequence[Comparison]]
) -> dict[str, object]:
    """Means and comparisons by setting, for programs."""
    return {
        "level": level,
        "settings": {
            setting: {
                "policies": [each.to_json() for each in rows],
                "comparisons": [each.to_json() for each in pairs[setting]],
            }
            for setting, rows in summaries.items()
        },
    }
