"""Writes the language environment's assets as the files that offline-prompts reads."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from store import Artifact, Attempt, Table
from tasks.api import Context, Metrics
from tasks.opl import contract
from tasks.opl.config import ExportConfig
from tasks.opl.custom_data import read_custom_data
from tasks.opl.simulator import CF_FILE, TEXT_FILE
from tasks.opl.tables import Interactions, Sentences, sorted_rows

Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Inputs:
    """Everything the files are made from."""

    interactions: Table
    items: Table
    prompts: Table
    sentences: Table
    simulator: Artifact
    embeddings: Artifact


def run(config: ExportConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes the csv and safetensors files, with `torch_files` the reference's .pt beside them, and reads them back.

    The .pt are exports for the reference's loaders; nothing here reads a pickle. The simulators' files hold the trained
    weights under the reference's names, without the frozen encoder's.

    Raises:
        TaskError: the parts do not fit each other.
    """
    titles = [str(title) for title in sorted_rows(inputs.items, ("item_id",))["title"].to_pylist()]
    keywords = [str(word) for word in sorted_rows(inputs.prompts, ("prompt_id",))["keyword"].to_pylist()]
    baseline = Sentences.read(inputs.sentences, n_items=len(titles), n_prompts=len(keywords)).baseline
    data = Interactions.read(inputs.interactions)
    columns = (data.user.tolist(), data.item.tolist(), data.reward.tolist())
    rows = [(u, i, r, titles[i], baseline[i]) for u, i, r in zip(*columns, strict=True)]
    write_csv(out.path(contract.INTERACTIONS_CSV), contract.COLUMNS, rows)
    write_csv(out.path(contract.PROMPTS_CSV), ("vocab",), ((word,) for word in keywords))
    write_csv(out.path(contract.QUERIES_CSV), ("query",), ((query,) for query in distinct(titles)))
    files = tensors(inputs)
    for name, arrays in files.items():
        save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, out.path(f"{name}.safetensors"))
        if config.torch_files:
            write_torch(arrays, out.path(f"{name}.pt"))
    read = read_custom_data(out.root)
    return {
        "n_interactions": float(len(read.user)),
        "n_items": float(len(read.queries)),
        "n_prompts": float(len(read.prompts)),
    }


def tensors(inputs: Inputs) -> dict[str, dict[str, Singles]]:
    """File name without suffix -> its tensors."""
    embedded = load_file(inputs.embeddings.path("embeddings.safetensors"))
    maps = load_file(inputs.embeddings.path("pca.safetensors"))
    cf, text = (load_file(inputs.simulator.path(file)) for file in (CF_FILE, TEXT_FILE))
    chosen = f"users_{inputs.embeddings.manifest.made_by.config['users']}"
    vectors = {
        "users_cf": cf["user_embedding.weight"],
        "users_text": text["user_embedding.weight"],
        chosen: embedded["users"],  # the simulator's, unless a user gave their own
        "queries": embedded["queries"],
        "prompts": embedded["prompts"],
    }
    files: dict[str, dict[str, Singles]] = {contract.CF: cf, contract.TEXT: text}
    files |= {contract.EMBEDDINGS[of]: {contract.VALUE: array} for of, array in vectors.items()}
    for kind, name in contract.PCA.items():
        if f"{kind}_matrix" in maps:  # a user who gives vectors need not tell how they were reduced
            files[name] = {part: maps[f"{kind}_{part}"] for part in (contract.MATRIX, contract.MEAN)}
    return files


def distinct(titles: Sequence[str]) -> list[str]:
    """The titles, a second film of one title marked ` (2)` and so on: the reference wants queries that differ."""
    taken, seen, queries = set(titles), Counter[str](), []
    for title in titles:
        seen[title] += 1
        query, n = title, seen[title]
        while n > 1 and (query := f"{title} ({n})") in taken:
            n += 1
        taken.add(query)
        queries.append(query)
    return queries


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """UTF-8, line feeds, quotes where needed."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_torch(arrays: Mapping[str, Singles], path: Path) -> None:
    """The reference's form: a bare tensor where there is one, the matrix alone of a PCA, a state dict of a model."""
    held = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    bare = held.get(contract.VALUE, held.get(contract.MATRIX))
    torch.save(held if bare is None else bare, path)
