"""The files by which offline-prompts takes custom data: their names, and a reader that checks that they fit each other."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from tasks.api import TaskError

Singles = NDArray[np.float32]

INTERACTIONS_CSV = "movielens_preprocessed_data.csv"
PROMPTS_CSV = "movielens_benchmark_prompts.csv"
QUERIES_CSV = "movielens_query.csv"
USERS = {"cf": "movielens_naive_cf_user_embeddings", "text": "movielens_transformer_user_embeddings"}
QUERIES, PROMPTS = "movielens_query_embs", "movielens_prompt_embs"
PCA = {kind: f"movielens_{kind}_pca_matrix" for kind in ("query", "prompt", "sentence")}
CF, TEXT = "movielens_naive_cf_params", "movielens_distilbert_reward_simulator"
COLUMNS = ("user_id", "item_id", "reward", "title", "description")
VALUE = "embeddings"
"""Name of the tensor in a file that holds one."""


@dataclass(frozen=True)
class CustomData:
    """Custom data for the language environment.

    Attributes:
        user, item, reward: interactions `(n_rows,)`; reward 0 or 1.
        queries: text of every item, by item id `(n_items,)`, all different.
        descriptions: its description without prompt, by item id, for the items that have interactions.
        prompts: keywords `(n_prompts,)`.
        users: vectors by simulator, "cf" or "text" `(n_users, dim)`.
        query_embeddings: `(n_items, dim_query)`.
        prompt_embeddings: `(n_prompts, dim_prompt)`.
        pca: matrices `(state_size, dim)` by kind of text, where there are any.
    """

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    reward: NDArray[np.int64]
    queries: list[str]
    descriptions: dict[int, str]
    prompts: list[str]
    users: dict[str, Singles]
    query_embeddings: Singles
    prompt_embeddings: Singles
    pca: dict[str, Singles]


def read_contract(directory: Path) -> CustomData:
    """Reads a directory in offline-prompts' layout (tensors as .safetensors).

    Raises:
        TaskError: a file or column is missing, a value is no number, or lengths do not fit; names the file and both sizes.
    """
    rows = _read_csv(directory / INTERACTIONS_CSV, COLUMNS)
    prompts = [row[0] for row in _read_csv(directory / PROMPTS_CSV, None)]
    queries = [row[0] for row in _read_csv(directory / QUERIES_CSV, ("query",))]
    if len(set(queries)) != len(queries):
        twice = next(query for query in queries if queries.count(query) > 1)
        raise TaskError(
            f"{directory / QUERIES_CSV}: the query {twice!r} occurs twice; queries must differ, so number them"
        )
    user, item, reward = (_integers(directory / INTERACTIONS_CSV, rows, column) for column in range(3))
    users = {kind: _tensor(directory / f"{name}.safetensors") for kind, name in USERS.items() if _has(directory, name)}
    if not users:
        raise TaskError(
            f"{directory}: it has neither {USERS['cf']}.safetensors nor {USERS['text']}.safetensors; add one"
        )
    query_embeddings, prompt_embeddings = (_tensor(directory / f"{name}.safetensors") for name in (QUERIES, PROMPTS))
    pca = {
        kind: _tensor(directory / f"{name}.safetensors", "matrix")
        for kind, name in PCA.items()
        if _has(directory, name)
    }
    _check_length(directory, QUERIES, query_embeddings, QUERIES_CSV, len(queries))
    _check_length(directory, PROMPTS, prompt_embeddings, PROMPTS_CSV, len(prompts))
    for kind, table in users.items():
        _check_ids(directory, "user_id", user, USERS[kind], len(table))
    _check_ids(directory, "item_id", item, QUERIES_CSV, len(queries))
    if not np.isin(reward, (0, 1)).all():
        line = int(np.argmax(~np.isin(reward, (0, 1)))) + 2
        raise TaskError(f"{directory / INTERACTIONS_CSV}, line {line}: reward is {reward[line - 2]}; it must be 0 or 1")
    _check_pca(directory, pca, {"query": query_embeddings, "prompt": prompt_embeddings})
    descriptions = {int(i): row[4] for i, row in zip(item, rows, strict=True)}
    return CustomData(
        user, item, reward, queries, descriptions, prompts, users, query_embeddings, prompt_embeddings, pca
    )


def _read_csv(path: Path, columns: tuple[str, ...] | None) -> list[list[str]]:
    """The columns' values row by row, in the order asked for; any single column when None."""
    if not path.is_file():
        raise TaskError(f"{path} is missing; see the files that opl.export writes")
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.reader(handle)
        header = next(reader, [])
        if columns is None and len(header) != 1:
            raise TaskError(f"{path}: it has {len(header)} columns; it must have exactly one, a prompt a line")
        missing = [column for column in columns or () if column not in header]
        if missing:
            raise TaskError(f"{path}: it has no column {missing[0]}; its columns are {', '.join(header) or 'none'}")
        places = [0] if columns is None else [header.index(column) for column in columns]
        rows = []
        for row in reader:
            if len(row) != len(header):
                raise TaskError(f"{path}, line {reader.line_num}: {len(row)} values for {len(header)} columns")
            rows.append([row[place] for place in places])
    if not rows:
        raise TaskError(f"{path}: it has no rows")
    return rows


def _integers(path: Path, rows: list[list[str]], column: int) -> NDArray[np.int64]:
    values = np.empty(len(rows), dtype=np.int64)
    for i, row in enumerate(rows):
        try:
            values[i] = int(row[column])
        except ValueError:
            raise TaskError(
                f"{path}, row {i + 1}: {COLUMNS[column]} is {row[column]!r}; it must be a whole number"
            ) from None
    return values


def _has(directory: Path, name: str) -> bool:
    return (directory / f"{name}.safetensors").is_file()


def _tensor(path: Path, name: str = VALUE) -> Singles:
    """One (n, d) float tensor of a safetensors file."""
    if not path.is_file():
        raise TaskError(f"{path} is missing; see the files that opl.export writes")
    try:
        found: Mapping[str, Singles] = load_file(path)
    except SafetensorError as error:
        raise TaskError(f"{path} is no safetensors file ({error}); export it again") from None
    if name not in found:
        raise TaskError(f"{path}: it has no tensor {name}; it has {', '.join(found) or 'none'}")
    if found[name].ndim != 2 or not np.isfinite(found[name]).all():
        raise TaskError(f"{path}: {name} has shape {found[name].shape}; it must be (rows, dimensions), all finite")
    return found[name]


def _check_length(directory: Path, name: str, tensor: Singles, other: str, length: int) -> None:
    if len(tensor) != length:
        raise TaskError(
            f"{directory / name}.safetensors has {len(tensor)} rows but {other} has {length}; they must be equal"
        )


def _check_ids(directory: Path, column: str, ids: NDArray[np.int64], other: str, size: int) -> None:
    wrong = (ids < 0) | (ids >= size)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise TaskError(
            f"{directory / INTERACTIONS_CSV}, row {first + 1}: {column} is {ids[first]} but {other} has {size} rows"
        )


def _check_pca(directory: Path, pca: dict[str, Singles], embedded: dict[str, Singles]) -> None:
    for kind, matrix in pca.items():
        if kind in embedded and matrix.shape[1] != embedded[kind].shape[1]:
            raise TaskError(
                f"{directory / PCA[kind]}.safetensors has shape {matrix.shape} but the {kind} embeddings have shape "
                f"{embedded[kind].shape}; their second sizes must agree"
            )
