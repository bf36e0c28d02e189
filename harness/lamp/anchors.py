"""Published scores of LaMP's tasks and the sizes of its splits, to hold a score against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from harness.registry import canonical

Separation = Literal["time", "user"]
Split = Literal["train", "dev", "test"]


@dataclass(frozen=True)
class Sizes:
    """Samples in each split of a task, None where unknown; each pair is a mean and its standard deviation."""

    task: str
    separation: Separation
    source: str
    train: int | None = None
    dev: int | None = None
    test: int | None = None
    input_words: tuple[float, float] | None = None
    output_words: tuple[float, float] | None = None
    profile_items: tuple[float, float] | None = None


@dataclass(frozen=True)
class AnchorTable:
    """The rows of one task in one published table: method -> metric -> value, as printed, with three decimals.

    `separation` says whether the splits part time or users, `n_samples` how many samples the split has (None:
    unknown), `items_in_prompt` how many of the user's items a prompt was given (None: another way of personalizing).
    """

    task: str
    source: str
    table: str
    model: str
    separation: Separation
    split: Split
    items_in_prompt: int | None
    note: str
    n_samples: int | None
    rows: Mapping[str, Mapping[str, float]]

    @property
    def setting(self) -> str:
        """Separation, split and items in the prompt in a few words."""
        items = "" if self.items_in_prompt is None else f", {self.items_in_prompt} items"
        return f"{self.separation}, {self.split}{items}"


@dataclass(frozen=True)
class PublishedGain:
    """A published difference between two methods whose own scores are not at hand."""

    task: str
    source: str
    via: str
    model: str
    separation: Separation
    metric: str
    change: str
    gain: float

    def __str__(self) -> str:
        return (
            f"{self.change}: {self.metric} {self.gain:+.3f} "
            f"({self.model}, {self.separation}-based, split not stated; {self.source}, {self.via})"
        )


def anchors_for(task: str) -> tuple[AnchorTable, ...]:
    """The published tables with rows of the task, none for most; raises `HarnessError` for a task there is not."""
    return tuple(table for table in _tables() if table.task == canonical(task))


def gains_for(task: str) -> tuple[PublishedGain, ...]:
    """The published differences of the task; raises `HarnessError` for a task there is not."""
    return tuple(gain for gain in _gains() if gain.task == canonical(task))


def sizes_for(task: str) -> tuple[Sizes, ...]:
    """The published or counted sizes of the task's splits; raises `HarnessError` for a task there is not."""
    return tuple(sizes for sizes in _sizes() if sizes.task == canonical(task))


@cache
def _tables() -> tuple[AnchorTable, ...]:
    lengths = {(sizes.task, sizes.separation): {"dev": sizes.dev, "test": sizes.test} for sizes in _sizes()}
    return tuple(
        AnchorTable(
            task=task,
            n_samples=lengths.get((task, table["separation"]), {}).get(table["split"]),
            rows={method: values[task] for method, values in table["rows"].items() if task in values},
            **{key: value for key, value in table.items() if key != "rows"},
        )
        for table in json.loads(_text("anchors.json"))["tables"]
        for task in sorted({task for values in table["rows"].values() for task in values})
    )


@cache
def _gains() -> tuple[PublishedGain, ...]:
    return tuple(PublishedGain(**gain) for gain in json.loads(_text("anchors.json"))["gains"])


@cache
def _sizes() -> tuple[Sizes, ...]:
    return tuple(Sizes(**sizes) for sizes in json.loads(_text("sizes.json"), object_hook=_with_pairs))


def _with_pairs(values: dict[str, object]) -> dict[str, object]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _text(name: str) -> str:
    return files("harness.lamp").joinpath(name).read_text(encoding="utf-8")
