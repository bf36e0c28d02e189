"""Where everything on the page comes from, and how to make it again: read off the manifests of what the page was given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml
from pydantic import JsonValue

from store import Artifact, InputEntry, Licence

SOURCES = "sources/"
_USES = {
    "movielens.tables": ("dump", "ratings"),
    "opl.simulator": ("encoder", "encoder"),
    "generate.descriptions": ("model", "llm"),
}
"""Task -> its port for a source, and the name of that use in a preset."""


@dataclass(frozen=True)
class Step:
    """One artifact of the lineage; `task` is empty where only its address is known here."""

    name: str
    key: str
    digest: str
    task: str = ""
    version: int = 0
    config: str = ""
    inputs: tuple[str, ...] = ()
    libraries: str = ""


@dataclass(frozen=True)
class Reproduction:
    """A preset that runs the pipeline with the same configuration, and why it may fall short."""

    preset: str
    unknown: list[str]


def steps(given: Iterable[Artifact]) -> list[Step]:
    """Every artifact given or named as an input of one, inputs before what was made of them."""
    known = {(artifact.name, artifact.key): artifact for artifact in given}
    done: dict[tuple[str, str], Step] = {}

    def walk(name: str, key: str, digest: str) -> None:
        if (name, key) in done:
            return
        artifact = known.get((name, key))
        if artifact is None:
            done[name, key] = Step(name, key, digest)
            return
        for entry in _inputs(artifact):
            walk(entry.name, entry.key, "" if entry.table else entry.digest)
        done[name, key] = _step(artifact)

    for name, key in sorted(known):
        walk(name, key, known[name, key].digest)
    return list(done.values())


def _inputs(artifact: Artifact) -> list[InputEntry]:
    return [entry for _, entries in sorted(artifact.manifest.made_by.inputs.items()) for entry in entries]


def _step(artifact: Artifact) -> Step:
    made_by = artifact.manifest.made_by
    inputs = [
        f"{port} = {entry.name}@{entry.key[:12]}" + (f", table {entry.table}" if entry.table else "")
        for port, entries in sorted(made_by.inputs.items())
        for entry in entries
    ]
    return Step(
        artifact.name,
        artifact.key,
        artifact.digest,
        made_by.task,
        made_by.version,
        json.dumps(made_by.config, sort_keys=True, indent=1, ensure_ascii=False),
        tuple(inputs),
        ", ".join(f"{name} {version}" for name, version in sorted(made_by.libraries.items())),
    )


def reproduction(given: Iterable[Artifact], own: Mapping[str, Mapping[str, JsonValue]]) -> Reproduction:
    """The preset of the pipeline as it was run.

    Args:
        given: artifacts whose configurations are known.
        own: configurations of tasks that have no artifact yet, by task.
    """
    artifacts = sorted({artifact.key: artifact for artifact in given}.values(), key=lambda a: (a.name, a.key))
    sources, configs, methods = dict[str, str](), dict[str, dict[str, JsonValue]](), list[str]()
    unknown = []
    for artifact in artifacts:
        made_by = artifact.manifest.made_by
        config = dict(made_by.config)
        if made_by.task in _USES:
            sources |= _source(made_by.inputs, *_USES[made_by.task])
        if made_by.task == "opl.learn":
            method = str(config.pop("method", ""))
            methods += [method] if method != "online" else []
            if configs.get("opl.learn", config) != config:
                unknown.append(f"opl.learn for {method} was configured apart: see its entry below")
                continue
        configs[made_by.task] = config
    named = {step.name for step in steps(artifacts) if not step.task and not step.name.startswith(SOURCES)}
    unknown += [f"{name} is known by its digest alone" for name in sorted(named)]
    preset = {
        "summary": "The run that a report shows.",
        "sources": sources,
        "methods": methods,
        "steps": {task: dict(config) for task, config in {**configs, **own}.items() if config},
    }
    return Reproduction(yaml.safe_dump(preset, sort_keys=True, allow_unicode=True, width=100), unknown)


def _source(inputs: Mapping[str, list[InputEntry]], port: str, use: str) -> dict[str, str]:
    names = [entry.name for entry in inputs.get(port, []) if entry.name.startswith(SOURCES)]
    return {use: names[0].removeprefix(SOURCES)} if names else {}


def licences(given: Iterable[Artifact]) -> list[Licence]:
    """The terms of every source that the artifacts derive from, each once."""
    found = {licence.model_dump_json(): licence for a in given for licence in a.manifest.made_by.licences}
    return [found[text] for text in sorted(found)]
