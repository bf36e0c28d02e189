"""The synthetic off-policy learning benchmark: every setting and seed a run of its own, then one table and one report."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from dags.steps import by_hand, each, gated, options, over, plan, publish, step
from tasks.presets import Preset

PIPELINE = "opl_synthetic"
RUN = "synthetic.run"
SIZES = {"n_contexts": "synthetic.run.n_contexts"}


@task
def runs(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    """One value per setting and seed."""
    return Preset.model_validate(configuration).runs(RUN)


@dag(
    **by_hand(PIPELINE, SIZES),
    tags=["opl", "synthetic"],
    description="Off-policy learners of prompt policies where the truth is known in closed form.",
    doc_md=__doc__,
)
def opl_synthetic() -> None:
    """Runs mapped over settings and seeds, their scores, results, report, publication."""
    p = plan(PIPELINE, SIZES)
    done = each(RUN, p, "run", runs(p))
    scores = over("synthetic.score", p, "score", "run", done)
    results = gated(step("synthetic.results", p, "results", runs=done, scores=scores), p, "gate_results")
    publish(step("synthetic.report", p, "report", results=results), options())


opl_synthetic()
