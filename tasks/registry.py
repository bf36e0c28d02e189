"""Every task by name: where its code and configuration live, what it reads, what it makes. Imports nothing heavy."""

from __future__ import annotations

import difflib
import fnmatch
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ValidationError

from tasks.api import Config, TaskError

Determinism = Literal["exact", "close", "sampled"]
"""`exact`: equal digests on a CPU with fixed threads; `close`: metrics within a tolerance; `sampled`: the first commit is canonical."""


@dataclass(frozen=True)
class Port:
    """One input of a task.

    Attributes:
        artifact: pattern of the artifact names that fit, or several, as in `movielens/tables or opl/custom`.
        table: the table that is read, when the task takes a table and not the whole artifact; a table must be gated.
        many: takes a list.
        optional: may be left out.
    """

    artifact: str
    table: str | None = None
    many: bool = False
    optional: bool = False

    def takes(self, name: str) -> bool:
        """Whether an artifact of the name fits."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.artifact.split(" or "))


@dataclass(frozen=True)
class TaskSpec:
    """A registry entry. `version` goes up whenever the same configuration and inputs would give another result."""

    name: str
    summary: str
    module: str
    config: str
    artifact: str
    version: int = 1
    ports: Mapping[str, Port] = field(default_factory=dict)
    determinism: Determinism = "exact"
    engine: Literal["process", "spark"] = "process"
    pool: str | None = None

    def config_class(self) -> type[Config]:
        """The task's configuration class."""
        module, _, name = self.config.partition(":")
        found: type[Config] = getattr(importlib.import_module(module), name)
        return found

    def configure(self, values: Mapping[str, object]) -> Config:
        """The validated configuration.

        Raises:
            TaskError: a key is unknown or a value does not fit; names the key.
        """
        cls = self.config_class()
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise TaskError(f"{self.name}: {explain(error, cls)}") from None


def explain(error: ValidationError, cls: type[Config]) -> str:
    """The first fault of a configuration in one line, with a suggestion for a misspelt key."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"])) or "config"
    if first["type"] == "extra_forbidden":
        return (
            f"unknown key {key}{did_you_mean(key, cls.model_fields)}; it knows {', '.join(cls.model_fields) or 'none'}"
        )
    return f"{key}: {first['msg'].removeprefix('Value error, ')} (got {first['input']!r})"


def did_you_mean(word: str, words: Mapping[str, object]) -> str:
    """`; did you mean …?` when one of the words is near."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


_MOVIELENS, _CUSTOM, _KEYWORDS = "movielens/tables", "opl/custom", "prompts/keywords"
_TABLES = f"{_MOVIELENS} or {_CUSTOM}"
_SENTENCES = Port("movielens/sentences", table="sentences")
_INTERACTIONS, _ITEMS = Port(_TABLES, table="interactions"), Port(_TABLES, table="items")
_PROMPTS = Port(f"{_KEYWORDS} or {_CUSTOM}", table="prompts")
_ENCODER = Port("sources/*")
_ENVIRONMENT = Port("opl/environment")

_ENTRIES = (
    TaskSpec(
        name="sources.fetch",
        summary="Fetch a data set or a model, held to its pinned hash.",
        module="tasks.sources.fetch",
        config="tasks.sources.config:FetchConfig",
        artifact="sources/{source}",
    ),
    TaskSpec(
        name="gate",
        summary="Hold every table of an artifact to its declaration with Great Expectations.",
        module="tasks.gate",
        config="tasks.config:GateConfig",
        artifact="verdicts/{subject}",
        ports={"subject": Port("*")},
    ),
    TaskSpec(
        name="movielens.tables",
        summary="Build interactions, items and users from a MovieLens dump with Spark.",
        module="spark_jobs.movielens.job",
        config="spark_jobs.movielens.config:MovieLensConfig",
        artifact=_MOVIELENS,
        ports={"dump": Port("sources/ml-*")},
        engine="spark",
    ),
    TaskSpec(
        name="prompts.keywords",
        summary="Candidate prompts: our own keyword list, or related words scraped from relatedwords.io.",
        module="tasks.prompts.keywords",
        config="tasks.prompts.config:KeywordConfig",
        artifact=_KEYWORDS,
        determinism="sampled",
    ),
    TaskSpec(
        name="opl.custom",
        summary="Take a user's own interactions, items, prompts and embeddings from offline-prompts' files.",
        module="tasks.opl.custom",
        config="tasks.opl.custom_config:CustomConfig",
        artifact=_CUSTOM,
    ),
    TaskSpec(
        name="generate.descriptions",
        summary="Describe every item once without and once with each keyword, by an LLM.",
        module="tasks.generate.descriptions",
        config="tasks.generate.config:DescriptionConfig",
        artifact="movielens/sentences",
        ports={
            "interactions": _INTERACTIONS,
            "items": _ITEMS,
            "prompts": _PROMPTS,
            "model": Port("sources/*", optional=True),
        },
        determinism="close",
        pool="gpu",
    ),
    TaskSpec(
        name="opl.simulator",
        summary="Train the reward simulator: collaborative filtering, then the text model.",
        module="tasks.opl.simulator",
        config="tasks.opl.config:SimulatorConfig",
        artifact="opl/simulator",
        ports={
            "interactions": _INTERACTIONS,
            "items": _ITEMS,
            "users": Port(_TABLES, table="users"),
            "sentences": _SENTENCES,
            "encoder": _ENCODER,
        },
        pool="gpu",
    ),
    TaskSpec(
        name="opl.embeddings",
        summary="Embed users, queries, prompts and sentences; reduce them by PCA.",
        module="tasks.opl.embeddings",
        config="tasks.opl.config:EmbeddingConfig",
        artifact="opl/embeddings",
        ports={
            "items": _ITEMS,
            "prompts": _PROMPTS,
            "sentences": _SENTENCES,
            "simulator": Port("opl/simulator"),
            "encoder": _ENCODER,
            "custom": Port(_CUSTOM, optional=True),
        },
        pool="gpu",
    ),
    TaskSpec(
        name="opl.export",
        summary="Write the reference's files (.csv, .safetensors, on request .pt).",
        module="tasks.opl.export",
        config="tasks.opl.config:ExportConfig",
        artifact="opl/export",
        ports={
            "interactions": _INTERACTIONS,
            "items": _ITEMS,
            "prompts": _PROMPTS,
            "sentences": _SENTENCES,
            "simulator": Port("opl/simulator"),
            "embeddings": Port("opl/embeddings"),
        },
    ),
    TaskSpec(
        name="opl.environment",
        summary="Tabulate the exact expected reward of every context and prompt.",
        module="tasks.opl.environment",
        config="tasks.opl.config:EnvironmentConfig",
        artifact="opl/environment",
        ports={
            "interactions": _INTERACTIONS,
            "sentences": _SENTENCES,
            "simulator": Port("opl/simulator"),
            "encoder": _ENCODER,
            "embeddings": Port("opl/embeddings"),
        },
        pool="gpu",
    ),
    TaskSpec(
        name="opl.learn",
        summary="Learn a prompt policy by one method.",
        version=2,
        module="tasks.opl.learn",
        config="tasks.opl.config:LearnConfig",
        artifact="opl/policy/{method}",
        ports={"environment": _ENVIRONMENT, "log": Port("opl/log", optional=True)},
        pool="gpu",
    ),
    TaskSpec(
        name="opl.log",
        summary="Log rounds of the softened online policy, with their propensities.",
        module="tasks.opl.log",
        config="tasks.opl.config:LogConfig",
        artifact="opl/log",
        ports={"environment": _ENVIRONMENT, "policy": Port("opl/policy/online")},
    ),
    TaskSpec(
        name="opl.predict",
        summary="Write golds and every policy's predictions on held-out users as zips.",
        module="tasks.opl.predict",
        config="tasks.opl.config:PredictConfig",
        artifact="opl/predictions",
        ports={"environment": _ENVIRONMENT, "log": Port("opl/log"), "policies": Port("opl/policy/*", many=True)},
    ),
    TaskSpec(
        name="opl.score",
        summary="Score the predictions with the harness.",
        version=2,
        module="tasks.opl.score",
        config="tasks.opl.config:ScoreConfig",
        artifact="opl/scores",
        ports={"predictions": Port("opl/predictions")},
    ),
    TaskSpec(
        name="opl.report",
        summary="One self-contained HTML page of values, curves, weights, simulator quality and sentences.",
        version=2,
        module="tasks.opl.report",
        config="tasks.opl.config:ReportConfig",
        artifact="opl/report",
        ports={
            "scores": Port("opl/scores"),
            "tables": Port(_TABLES),
            "items": _ITEMS,
            "prompts": _PROMPTS,
            "sentences": _SENTENCES,
            "simulator": Port("opl/simulator"),
            "embeddings": Port("opl/embeddings"),
            "environment": _ENVIRONMENT,
            "log": Port("opl/log"),
            "policies": Port("opl/policy/*", many=True),
            "predictions": Port("opl/predictions"),
        },
    ),
    TaskSpec(
        name="synthetic.run",
        summary="Draw a synthetic environment and a log, learn by every method, write golds and predictions.",
        module="tasks.opl.synthetic.run",
        config="tasks.opl.synthetic.config:RunConfig",
        artifact="synthetic/run",
    ),
    TaskSpec(
        name="synthetic.score",
        summary="Score a run's predictions with the harness.",
        module="tasks.opl.synthetic.score",
        config="tasks.opl.synthetic.config:SyntheticScoreConfig",
        artifact="synthetic/scores",
        ports={"run": Port("synthetic/run")},
    ),
    TaskSpec(
        name="synthetic.results",
        summary="Put runs together: tidy tables, means over seeds, paired comparisons.",
        module="tasks.opl.synthetic.results",
        config="tasks.opl.synthetic.config:ResultsConfig",
        artifact="synthetic/results",
        ports={"runs": Port("synthetic/run", many=True), "scores": Port("synthetic/scores", many=True)},
    ),
    TaskSpec(
        name="synthetic.report",
        summary="One self-contained HTML page: the paper's figures redrawn, tables, comparisons, learning curves.",
        module="tasks.opl.synthetic.report",
        config="tasks.opl.synthetic.config:SyntheticReportConfig",
        artifact="synthetic/report",
        ports={"results": Port("synthetic/results")},
    ),
)

TASKS: Mapping[str, TaskSpec] = {entry.name: entry for entry in _ENTRIES}


def task(name: str) -> TaskSpec:
    """The entry of a task.

    Raises:
        TaskError: no task has the name.
    """
    if name not in TASKS:
        raise TaskError(f"no task is called {name}{did_you_mean(name, TASKS)}; `lampworks ls` names them")
    return TASKS[name]
