"""MovieLens prompt policies: from raw ratings to the scored values of learned policies."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from dags.steps import by_hand, custom, each, gated, options, plan, publish, source, step

PIPELINE = "movielens_opl"
SIZES = {
    "n_items": "generate.descriptions.n_items",
    "n_prompts": "prompts.keywords.limit",
    "n_rounds": "opl.log.n_rounds",
}


@task
def learners(configuration: dict[str, Any]) -> list[dict[str, str]]:
    """One value per method to learn by."""
    return [{"method": method} for method in configuration["methods"]]


@dag(
    **by_hand(PIPELINE, SIZES),
    tags=["opl", "movielens"],
    description="From raw ratings to the scored values of learned prompt policies.",
    doc_md=__doc__,
)
def movielens_opl() -> None:
    """Sources, tables, prompts, sentences, simulator, environment, log, learners, scores, report, publication.

    A user's own data, where there are any, stand for the ratings, the tables and the prompts made of them.
    """
    p = plan(PIPELINE, SIZES)
    own = custom(p)
    ratings, encoder, llm = source(p, "ratings", instead=own), source(p, "encoder"), source(p, "llm")

    tables = gated(step("movielens.tables", p, "tables", dump=ratings, instead=own), p, "gate_tables")
    prompts = gated(step("prompts.keywords", p, "prompts", instead=own), p, "gate_prompts")
    corpus = {"interactions": tables, "items": tables}
    sentences = gated(
        step("generate.descriptions", p, "sentences", **corpus, prompts=prompts, model=llm), p, "gate_sentences"
    )

    simulator = step("opl.simulator", p, "simulator", **corpus, users=tables, sentences=sentences, encoder=encoder)
    texts = {"sentences": sentences, "simulator": simulator, "encoder": encoder}
    embeddings = step("opl.embeddings", p, "embeddings", items=tables, prompts=prompts, custom=own, **texts)
    environment = gated(
        step("opl.environment", p, "environment", interactions=tables, embeddings=embeddings, **texts),
        p,
        "gate_environment",
    )

    online = step("opl.learn", p, "learn_online", {"method": "online"}, environment=environment)
    log = gated(step("opl.log", p, "log", environment=environment, policy=online), p, "gate_log")
    learned = each("opl.learn", p, "learn", learners(p), environment=environment, log=log)

    policies = {"environment": environment, "log": log, "policies": every(online, learned)}
    predictions = step("opl.predict", p, "predict", **policies)
    scores = step("opl.score", p, "score", predictions=predictions)
    shown = {
        "items": tables,
        "prompts": prompts,
        "sentences": sentences,
        "simulator": simulator,
        "embeddings": embeddings,
    }
    report = step("opl.report", p, "report", scores=scores, tables=tables, predictions=predictions, **shown, **policies)
    publish(report, options())


@task
def every(first: dict[str, str], rest: list[dict[str, str]]) -> list[dict[str, str]]:
    """One list of the policies."""
    return [first, *rest]


movielens_opl()
