"""The one envelope of everything that is scored: `{"task": ..., "golds": [{"id": ..., "output": ...}]}`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import registry
from harness.errors import HarnessError, SubmissionError, shown
from harness.npy import read_table
from harness.strict_json import parse
from harness.untrusted import Limits, Source, open_source

if TYPE_CHECKING:
    from harness.registry import FloatArray

_ITEM_KEYS = {"id", "output", "user_id"}


@dataclass(frozen=True)
class Envelope:
    """Golds or predictions of one task, sorted by id; `users` is None where no item carries a `user_id`."""

    where: str
    task: str
    ids: tuple[str, ...]
    users: tuple[str, ...] | None
    outputs: tuple[object, ...]
    arrays: Mapping[str, FloatArray]
    sha256: str


def read_golds(path: str | os.PathLike[str], task: str | None = None, limits: Limits | None = None) -> Envelope:
    """The golds of `task`, or of the only task in the file; raises `HarnessError`."""
    with open_source(Path(path), "golds", HarnessError, limits or Limits()) as source:
        return _read(source, task, predicted=False)


def read_predictions(path: str | os.PathLike[str], golds: Envelope, limits: Limits | None = None) -> Envelope:
    """The predictions for exactly the ids of `golds`, in their order; raises `SubmissionError`."""
    with open_source(Path(path), "predictions", SubmissionError, limits or Limits()) as source:
        predictions = _read(source, golds.task, predicted=True)
    if predictions.ids != golds.ids:
        faults = [
            f"{len(ids):,} {'id is' if len(ids) == 1 else 'ids are'} {what}: {shown(sorted(ids))}"
            for what, ids in (
                ("missing", set(golds.ids) - set(predictions.ids)),
                ("not in the golds", set(predictions.ids) - set(golds.ids)),
            )
            if ids
        ]
        raise SubmissionError(f"{predictions.where}: {'; '.join(faults)}; give each gold id once")
    return predictions


def _read(source: Source, task: str | None, predicted: bool) -> Envelope:
    names = source.json_names()
    if task is not None:
        registry.get(task)
    name = names[0] if len(names) == 1 else f"{task}.json"
    if task is None and len(names) != 1:
        found = (
            f"holds {shown(names)}: name the task to score"
            if names
            else "holds no JSON at its top; name it <task>.json"
        )
        raise source.error(f"{source.where}: {found}")
    with source.open(name) as member:
        body = parse(member.read_all(source.limits.json_bytes), member.where, source.error, source.limits)
        where = member.where
    told, ids, users, outputs = check_body(body, where, source.error)
    if task not in (None, told):
        raise source.error(f"{where}: its task is {told[:60]!r}, but {task!r} is scored")
    declared = registry.get(told)
    arrays = declared.gold_arrays
    if predicted:
        arrays = tuple(array for array in declared.prediction_arrays if source.has(f"{told}.{array}.npy"))
    tables = {array: read_table(source, f"{told}.{array}.npy") for array in arrays}
    return Envelope(where, told, ids, users, outputs, tables, source.digest())


def check_body(
    body: object, where: str, error: type[HarnessError]
) -> tuple[str, tuple[str, ...], tuple[str, ...] | None, tuple[object, ...]]:
    """Task, ids, users and outputs of an envelope, sorted by id; raises `error` for whatever is no envelope."""
    if not isinstance(body, dict) or set(body) != {"task", "golds"} or not isinstance(body["task"], str):
        raise error(f'{where}: must be {{"task": "<name>", "golds": [...]}}, with these two keys (in predictions too)')
    items = body["golds"]
    if not isinstance(items, list) or not items:
        raise error(f'{where}: "golds" must be a list of at least one item')
    for position, item in enumerate(items):
        if fault := _item_fault(item):
            raise error(f'{where}: item {position} of "golds" {fault}')
    items = sorted(items, key=lambda item: item["id"])
    ids = tuple(item["id"] for item in items)
    if repeated := [name for name, count in Counter(ids).items() if count > 1]:
        word = "id is" if len(repeated) == 1 else "ids are"
        raise error(f"{where}: {len(repeated):,} {word} given more than once: {shown(repeated)}")
    with_user = sum("user_id" in item for item in items)
    if 0 < with_user < len(items):
        raise error(f"{where}: {with_user} of {len(items)} items carry a user_id; give it to all or to none")
    users = tuple(item["user_id"] for item in items) if with_user else None
    return body["task"], ids, users, tuple(item["output"] for item in items)


def _item_fault(item: object) -> str | None:
    """What is wrong with one item of an envelope, or None."""
    if not isinstance(item, dict) or "id" not in item or "output" not in item:
        return 'must be an object with "id" and "output"'
    if unknown := sorted(set(item) - _ITEM_KEYS):
        return f"has the unknown key {shown(unknown)}"
    for key in ("id", "user_id"):
        if key in item and not isinstance(item[key], str):
            return f'has the {key} {str(item[key])[:40]}, which is not a string; write it as "..."'
    return None
