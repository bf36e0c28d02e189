"""A small folder of a user's own data, in offline-prompts' files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tasks.opl.contract import COLUMNS, EMBEDDINGS, INTERACTIONS_CSV, MATRIX, MEAN, PCA, PROMPTS_CSV, QUERIES_CSV, VALUE
from tasks.opl.export import write_csv


def custom_folder(folder: Path) -> Path:
    """Two users, two items, three prompts; embeddings of all of them and the PCA of the queries."""
    interactions(folder, (0, 0, 1), (1, 1, 0), (1, 0, 1))
    write_csv(folder / PROMPTS_CSV, ("vocab",), [("love",), ("war",), ("art",)])
    write_csv(folder / QUERIES_CSV, ("query",), [("A, film",), ('B "b"',)])
    tensor(folder, EMBEDDINGS["users_text"], (2, 4))
    tensor(folder, EMBEDDINGS["queries"], (2, 5))
    tensor(folder, EMBEDDINGS["prompts"], (3, 6))
    tensor(folder, PCA["query"], (9, 5), MATRIX)
    return folder


def interactions(folder: Path, *rows: tuple[object, object, object]) -> None:
    write_csv(folder / INTERACTIONS_CSV, COLUMNS, [(*row, "A, film", "Said\nso") for row in rows])


def tensor(folder: Path, name: str, shape: tuple[int, ...], key: str = VALUE, value: float = 0.5) -> None:
    save_file({key: np.full(shape, value, np.float32)}, folder / f"{name}.safetensors")


def pca(folder: Path, kind: str, shape: tuple[int, int], mean: tuple[int, ...]) -> None:
    """A PCA as opl.export writes one."""
    arrays = {MATRIX: np.ones(shape, np.float32), MEAN: np.ones(mean, np.float32)}
    save_file(arrays, folder / f"{PCA[kind]}.safetensors")
