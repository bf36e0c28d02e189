"""Writes report.html: one page with what the policies are worth, why, what they were made of, and how to make it again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from store import Artifact, Attempt, Table
from tasks.api import Context, Metrics, TaskError
from tasks.opl import report_lineage, report_log, report_sections, report_texts
from tasks.opl.config import ReportConfig
from tasks.opl.env import LanguageEnvironment
from tasks.opl.labels import in_order
from tasks.opl.predict import by_method
from tasks.opl.report_files import Curve, Quality, Scores, read
from tasks.opl.report_page import render
from tasks.opl.rounds import LoggedRounds, check_rounds

REPORT_FILE = "report.html"


@dataclass(frozen=True)
class Inputs:
    """Everything the page shows; whatever other artifact is given here appears in its lineage."""

    scores: Artifact
    tables: Artifact
    items: Table
    prompts: Table
    sentences: Table
    simulator: Artifact
    embeddings: Artifact
    environment: Artifact
    log: Artifact
    policies: list[Artifact]
    predictions: Artifact


def run(config: ReportConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes the page; the same inputs give the same bytes.

    Raises:
        TaskError: an input is not what its task writes, or was made from others than the rest.
    """
    scores = read(inputs.scores, "scores.json", Scores)
    environment = LanguageEnvironment.read(inputs.environment)
    rounds = LoggedRounds.read(inputs.log.table("rounds"))
    check_rounds(rounds, environment.n_contexts, environment.n_actions)
    learned = by_method(inputs.policies)
    unknown = [method for method in learned if method not in scores.policies]
    if unknown:
        raise TaskError(f"policies: {inputs.scores} has no score of {unknown[0]}; score the policies that are given")
    methods = in_order(learned)
    texts = report_texts.Texts.read(inputs.items, inputs.prompts, inputs.sentences, environment)
    given = list(artifacts(inputs))
    sections = {
        "results": report_sections.results(scores),
        "learning": report_sections.learning([read(learned[m], "curve.json", Curve) for m in methods], scores),
        "log": report_sections.log(
            report_log.propensities(rounds),
            [report_log.weights(m, learned[m], environment, rounds) for m in methods],
            environment.n_actions,
        ),
        "simulator": report_sections.simulator(read(inputs.simulator, "quality.json", Quality)),
        "keywords": report_texts.keywords(texts, environment, rounds, config.n_keywords),
        "films": report_texts.films(texts, environment, config.n_films, config.n_sentences),
        "data": report_sections.data(inputs.tables, inputs.sentences, environment, rounds),
        "licences": report_lineage.licences(given),
        "steps": report_lineage.steps(given),
        "reproduction": report_lineage.reproduction(given, {"opl.report": config.model_dump(mode="json")}),
    }
    page = render(
        scores=scores, scored=inputs.scores, n_prompts=environment.n_actions, n_rounds=len(rounds), **sections
    )
    out.path(REPORT_FILE).write_text(page, encoding="utf-8", newline="\n")
    return {"bytes": float(len(page.encode())), "n_policies": float(len(scores.order))}


def artifacts(inputs: Inputs) -> Iterator[Artifact]:
    """The artifacts of all ports, tables by the artifact that holds them."""
    for field in dataclasses.fields(inputs):
        value = getattr(inputs, field.name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Artifact | Table):
                yield one.artifact if isinstance(one, Table) else one
