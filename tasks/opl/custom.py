"""Turns a user's own data into what the tasks of MovieLens make: interactions, items, users, prompts, and the vectors given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from safetensors.numpy import save_file

from expectations.tables import arrow_schema, declaration
from store import Attempt, Licence
from tasks.api import Context, Metrics
from tasks.opl.custom_config import CustomConfig
from tasks.opl.custom_data import CustomData, read_custom_data
from tasks.opl.tables import Ints

VECTORS_FILE = "vectors.safetensors"
TERMS = Licence(
    name="The user's own data (terms not known here)",
    redistribute="no",
    personal=True,
    notice="Whoever has the right to may pass it on.",
)

Columns = Mapping[str, Sequence[object] | Ints]


@dataclass(frozen=True)
class Inputs:
    """The folder is named by the configuration."""


def run(config: CustomConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes the tables interactions, items, users and prompts, and vectors.safetensors: embeddings and PCA as given.

    Rewards are taken as they are: no thresholds, no k-core, no balancing.

    Raises:
        TaskError: the files are not as they must be.
    """
    data = read_custom_data(Path(config.folder))
    for (table, name), columns in tables(data).items():
        out.write_table(table, name, pa.table(dict(columns), schema=arrow_schema(declaration(name))))
    vectors = data.embeddings | data.pca
    save_file({name: np.ascontiguousarray(array) for name, array in vectors.items()}, out.path(VECTORS_FILE))
    out.set_licence(TERMS)
    return {
        "n_interactions": float(len(data.user)),
        "n_users": float(data.n_users),
        "n_items": float(len(data.queries)),
        "n_prompts": float(len(data.prompts)),
        "positive_share": float(data.reward.mean()),
    }


def tables(data: CustomData) -> dict[tuple[str, str], Columns]:
    """Table and its declaration -> columns."""
    n_items, n_prompts = len(data.queries), len(data.prompts)
    items: Columns = {"title": data.queries, "year": [None] * n_items, "genres": [""] * n_items}
    return {
        ("interactions", "opl.interactions"): {"user_id": data.user, "item_id": data.item, "reward": data.reward},
        ("items", "movielens.items"): {**items, **_counted("item_id", data.item, data.reward, n_items)},
        ("users", "movielens.users"): _counted("user_id", data.user, data.reward, data.n_users),
        ("prompts", "prompts.keywords"): {"prompt_id": range(n_prompts), "keyword": data.prompts},
    }


def _counted(key: str, ids: Ints, reward: Ints, size: int) -> dict[str, Ints]:
    """Ids, here and in the source the same, with their interactions of either reward."""
    counts = {name: np.bincount(ids[reward == r], minlength=size) for name, r in (("n_positive", 1), ("n_negative", 0))}
    return {key: np.arange(size), f"source_{key}": np.arange(size), **counts}
