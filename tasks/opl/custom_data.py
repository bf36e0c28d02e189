"""A user's own data: read from a folder in offline-prompts' layout, and checked that its files fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from expectations.tables import declaration
from tasks.api import TaskError
from tasks.opl.contract import COLUMNS, EMBEDDINGS, INTERACTIONS_CSV, MATRIX, MEAN, PCA, PROMPTS_CSV, QUERIES_CSV, VALUE
from tasks.opl.custom_files import Singles, check_texts, read_csv, read_tensors, whole_numbers
from tasks.opl.tables import Ints

_USERS = ("users_cf", "users_text")


@dataclass(frozen=True)
class CustomData:
    """What the folder holds.

    Attributes:
        user, item, reward: interactions `(n_rows,)`; every pair once, reward 0 or 1.
        queries: text of every item, by item id `(n_items,)`.
        prompts: keywords `(n_prompts,)`.
        embeddings: those that there are of users_cf and users_text `(n_users, dim)`, queries `(n_items, dim)` and
            prompts `(n_prompts, dim)`.
        pca: `<kind>_matrix (state_size, dim)` and `<kind>_mean (state_size,)` of the kinds of text that have one.
    """

    user: Ints
    item: Ints
    reward: Ints
    queries: list[str]
    prompts: list[str]
    embeddings: dict[str, Singles]
    pca: dict[str, Singles]

    @property
    def n_users(self) -> int:
        """Rows of the users' embeddings; without them, users of the interactions."""
        return next((len(self.embeddings[of]) for of in _USERS if of in self.embeddings), int(self.user.max()) + 1)


def read_custom_data(folder: Path) -> CustomData:
    """Reads the folder.

    Raises:
        TaskError: a file or column is missing, a value cannot be used, or sizes do not fit; names the file and both sizes.
    """
    path, wanted = folder / INTERACTIONS_CSV, COLUMNS[:3]
    columns = zip(wanted, read_csv(path, wanted), strict=True)
    user, item, reward = (whole_numbers(path, name, texts) for name, texts in columns)
    (queries,) = read_csv(folder / QUERIES_CSV, ("query",))
    (prompts,) = read_csv(folder / PROMPTS_CSV)
    found = {of: read_tensors(folder, name, VALUE) for of, name in EMBEDDINGS.items()}
    embeddings = {of: tensors[VALUE] for of, tensors in found.items() if tensors}
    data = CustomData(user, item, reward, queries, prompts, embeddings, _read_pca(folder))
    check_texts(folder / QUERIES_CSV, "query", queries, _longest("movielens.items", "title"))
    check_texts(folder / PROMPTS_CSV, "prompt", prompts, _longest("prompts.keywords", "keyword"))
    if len(prompts) < 2:
        raise TaskError(f"{folder / PROMPTS_CSV}: one prompt leaves nothing to choose; give at least two")
    _check_embeddings(folder, data)
    _check_interactions(path, data)
    return data


def _longest(table: str, column: str) -> int | None:
    return declaration(table).column(column).max_length


def _read_pca(folder: Path) -> dict[str, Singles]:
    """Matrices and means; a mean is 0 where there is none, as the reference takes none off."""
    pca: dict[str, Singles] = {}
    for kind, name in PCA.items():
        tensors = read_tensors(folder, name, MATRIX)
        if tensors:
            size = len(tensors[MATRIX])
            mean = tensors.get(MEAN, np.zeros(size, dtype=np.float32))
            if mean.shape != (size,) or not np.isfinite(mean).all():
                shapes = f"mean has shape {mean.shape} and matrix {tensors[MATRIX].shape}"
                raise TaskError(f"{folder / name}.safetensors: {shapes}; mean must be ({size},), all finite")
            pca |= {f"{kind}_{MATRIX}": tensors[MATRIX], f"{kind}_{MEAN}": mean}
    return pca


def _check_embeddings(folder: Path, data: CustomData) -> None:
    users = (EMBEDDINGS["users_cf"], data.n_users)
    sizes = {"queries": (QUERIES_CSV, len(data.queries)), "prompts": (PROMPTS_CSV, len(data.prompts))}
    for of, vectors in data.embeddings.items():
        other, size = sizes.get(of, users)
        if len(vectors) != size:
            raise TaskError(
                f"{folder / EMBEDDINGS[of]}.safetensors has {len(vectors)} rows but {other} has {size}; they must be equal"
            )
    for kind, of in {"query": "queries", "prompt": "prompts"}.items():
        if of not in data.embeddings or f"{kind}_{MATRIX}" not in data.pca:
            continue
        matrix, vectors = data.pca[f"{kind}_{MATRIX}"], data.embeddings[of]
        if matrix.shape[1] != vectors.shape[1]:
            raise TaskError(
                f"{folder / PCA[kind]}.safetensors has shape {matrix.shape} but the {kind} embeddings have shape "
                f"{vectors.shape}; their second sizes must agree"
            )


def _check_interactions(path: Path, data: CustomData) -> None:
    _check_users(path, data)
    _check_ids(path, "item_id", data.item, QUERIES_CSV, len(data.queries))
    wrong = ~np.isin(data.reward, (0, 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise TaskError(f"{path}, row {row + 1}: reward is {data.reward[row]}; it must be 0 or 1")
    if len(np.unique(data.reward)) < 2:
        raise TaskError(f"{path}: every reward is {data.reward[0]}; both 0 and 1 must occur")
    pair = data.user * len(data.queries) + data.item
    order = np.argsort(pair, kind="stable")
    twice = np.flatnonzero(np.diff(pair[order]) == 0)
    if len(twice):
        one, two = order[twice[0]], order[twice[0] + 1]
        raise TaskError(
            f"{path}, rows {one + 1} and {two + 1}: user {data.user[one]} and item {data.item[one]} occur twice; keep one row"
        )


def _check_users(path: Path, data: CustomData) -> None:
    for of in _USERS:
        if of in data.embeddings:
            _check_ids(path, "user_id", data.user, EMBEDDINGS[of], len(data.embeddings[of]))
            return
    ids = np.unique(data.user)
    gap = ids != np.arange(len(ids))
    if gap.any():
        next_id = int(np.argmax(gap))
        raise TaskError(
            f"{path}: user_id {ids[next_id]} occurs but {next_id} does not; without user embeddings number the users from 0, "
            "without a gap"
        )


def _check_ids(path: Path, column: str, ids: Ints, other: str, size: int) -> None:
    wrong = (ids < 0) | (ids >= size)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise TaskError(f"{path}, row {row + 1}: {column} is {ids[row]} but {other} has {size} rows; ids count from 0")
