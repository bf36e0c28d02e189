"""Reads the tables of the language environment as arrays, in the order of their keys whatever the order of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from store import Table
from tasks.api import TaskError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def sorted_rows(table: Table, key: Sequence[str]) -> pa.Table:
    """The table's rows by ascending key; a table's digest does not depend on its order, so no result may.

    Raises:
        TaskError: the table is empty.
    """
    data = table.read()
    if data.num_rows == 0:
        raise TaskError(f"{table.name}: the table has no rows; look at the task that made it ({table.artifact})")
    return data.sort_by([(column, "ascending") for column in key])


def integers(data: pa.Table, column: str) -> Ints:
    """An integer column as int64 `(n_rows,)`."""
    return np.asarray(data[column].to_numpy(), dtype=np.int64)


@dataclass(frozen=True)
class Interactions:
    """Rewarded (user, item) pairs: three int64 arrays `(n_rows,)`, reward 0 or 1, by user and item."""

    user: Ints
    item: Ints
    reward: Ints

    @classmethod
    def read(cls, table: Table) -> Interactions:
        """Reads the table `interactions`."""
        data = sorted_rows(table, ("user_id", "item_id"))
        return cls(integers(data, "user_id"), integers(data, "item_id"), integers(data, "reward"))


@dataclass(frozen=True)
class Sentences:
    """What the language model wrote.

    Attributes:
        baseline: text of every item without a prompt, by item id `(n_items,)`.
        items: ids of the items that have keyword sentences, ascending `(n_described,)`.
        texts: their sentences, item by item and prompt by prompt `(n_described * n_prompts,)`.
        n_prompts: number of prompts.
    """

    baseline: list[str]
    items: Ints
    texts: list[str]
    n_prompts: int

    @classmethod
    def read(cls, table: Table, n_items: int | None = None, n_prompts: int | None = None) -> Sentences:
        """Reads the table `sentences`.

        Args:
            table: rows (item_id, prompt_id, text), prompt -1 for the baseline.
            n_items: how many items there must be a baseline for, where known.
            n_prompts: how many prompts each described item must have a sentence for, where known.

        Raises:
            TaskError: a baseline or a keyword sentence is missing; names the item.
        """
        data = sorted_rows(table, ("item_id", "prompt_id"))
        item, prompt, texts = integers(data, "item_id"), integers(data, "prompt_id"), data["text"].to_pylist()
        based = item[prompt == -1]
        wanted = np.arange(max(n_items or 0, int(item.max()) + 1))
        if len(based) != len(wanted) or not np.array_equal(based, wanted):
            lacking = np.setdiff1d(wanted, based)
            what = f"item {lacking[0]} has no" if len(lacking) else "an item has more than one"
            raise TaskError(f"{table.name}: {what} baseline sentence (prompt_id -1); describe the items again")
        if n_items is not None and len(based) != n_items:
            raise TaskError(
                f"{table.name}: {len(based)} baseline sentences for {n_items} items; describe the items again"
            )
        described, counts = np.unique(item[prompt >= 0], return_counts=True)
        if len(described) == 0:
            raise TaskError(f"{table.name}: no item has keyword sentences; describe the items with prompts")
        n = int(prompt.max()) + 1 if n_prompts is None else n_prompts
        grid = prompt[prompt >= 0]
        if np.any(counts != n) or not np.array_equal(grid.reshape(-1, n), np.tile(np.arange(n), (len(described), 1))):
            odd = described[counts != n][0] if np.any(counts != n) else described[0]
            raise TaskError(
                f"{table.name}: item {odd} does not have one sentence for each of {n} prompts; describe it again"
            )
        keyed = [text for text, p in zip(texts, prompt, strict=True) if p >= 0]
        return cls([text for text, p in zip(texts, prompt, strict=True) if p == -1], described, keyed, n)
