"""The one envelope of everything that is scored: `{"task": ..., "golds": [{"id": ..., "output": ...}]}`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness import registry
from harness.errors import HarnessError, MissingError, SubmissionError, shown
from harness.members import Limits, Source
from harness.npy import read_table
from harness.strict_json import parse
from harness.untrusted import open_source

if TYPE_CHECKING:
    from harness.registry import FloatArray

_SHAPE = '{"task": "<name>", "golds": [{"id": "...", "output": ...}]}'


@dataclass(frozen=True)
class Envelope:
    """Golds or predictions of one task, sorted by id; `users` is None where no item carries a `user_id`.

    `positions` are the items' places in the file, `size` is how many the file holds, `content` tells its JSON from others.
    """

    where: str
    task: str
    ids: tuple[str, ...]
    users: tuple[str, ...] | None
    outputs: tuple[object, ...]
    arrays: Mapping[str, FloatArray]
    settings: Mapping[str, object]
    positions: tuple[int, ...]
    size: int
    ids_are: str
    content: str
    sha256: str

    def only(self, ids: Sequence[str]) -> Envelope:
        """The items of these ids, which must be among its own, in the given order."""
        rows = {name: row for row, name in enumerate(self.ids)}
        chosen = [rows[name] for name in ids]
        return replace(
            self,
            ids=tuple(ids),
            users=None if self.users is None else tuple(self.users[row] for row in chosen),
            outputs=tuple(self.outputs[row] for row in chosen),
            positions=tuple(self.positions[row] for row in chosen),
        )


@dataclass(frozen=True)
class Items:
    """The checked items of one envelope's JSON, sorted by id."""

    told: str
    ids: tuple[str, ...]
    ids_are: str
    users: tuple[str, ...] | None
    outputs: tuple[object, ...]
    positions: tuple[int, ...]
    settings: Mapping[str, object]


class EnvelopeFile:
    """An opened golds or predictions file: the tasks it holds, each read when it is asked for."""

    def __init__(self, source: Source) -> None:
        self.where = source.where
        self.error = source.error
        self._source = source
        self._members: dict[str, str] = {}
        for name in source.json_names():
            told = source.peek_task(name) or self._told(name)
            task = _known(told)
            if task in self._members:
                raise self.error(
                    f"{self.where}: {shown([self._members[task], name])} are both of the task {task[:60]!r}; "
                    "give each task once"
                )
            self._members[task] = name
        if not self._members:
            raise self.error(f"{self.where}: holds no JSON; put one {_SHAPE} for each task into it")

    @property
    def tasks(self) -> list[str]:
        """The tasks in it, sorted, under their own names where they are known."""
        return sorted(self._members)

    def read(self, task: str) -> Envelope:
        """Its golds or predictions of `task`; raises its error where it has none, or none that can be read."""
        declared = registry.get(task)
        names = [name for name in (declared.name, *declared.also_named) if name in self._members]
        if not names:
            raise self.error(f"{self.where}: holds {shown(self.tasks)}, but {declared.name!r} is to be scored")
        name = self._members[names[0]]
        items, where, content = self._items(name)
        if _known(items.told) != names[0]:
            raise self.error(f"{where}: changed while it was read; score it again")
        of_golds = self.error is not SubmissionError
        if items.settings and not (of_golds and declared.settings):
            kind = "golds" if of_golds else "predictions"
            raise self.error(f'{where}: "settings" are no part of {kind} of {declared.name}; leave them out')
        folder = name.rpartition("/")[0]
        tables, read = {}, [name]
        for array in declared.gold_arrays if of_golds else declared.prediction_arrays:
            member = f"{folder}/{items.told}.{array}.npy" if folder else f"{items.told}.{array}.npy"
            if of_golds or self._source.has(member):
                tables[array] = read_table(self._source, member)
                read.append(member)
        return Envelope(
            where=where,
            task=declared.name,
            ids=items.ids,
            users=items.users,
            outputs=items.outputs,
            arrays=tables,
            settings=items.settings,
            positions=items.positions,
            size=len(items.ids),
            ids_are=items.ids_are,
            content=content,
            sha256=self._source.digest(read),
        )

    def _told(self, name: str) -> str:
        """The task of a JSON that does not begin with it; such a file is read twice and counted once."""
        told = self._items(name)[0].told
        with self._source.open(name) as member:
            self._source.spend(-member.size)
        return told

    def _items(self, name: str) -> tuple[Items, str, str]:
        """The items of one JSON, its place for messages, and its sha256."""
        limits = self._source.limits
        with self._source.open(name) as member:
            body = parse(member.read_all(limits.json_bytes), member.where, self.error, limits)
            return check_body(body, member.where, self.error), member.where, member.sha256.hexdigest()


@contextmanager
def open_golds(
    path: str | os.PathLike[str], limits: Limits | None = None, where: str | None = None
) -> Iterator[EnvelopeFile]:
    """Open a golds file, called `where` in messages; raises `HarnessError`."""
    with open_source(Path(path), "golds", HarnessError, limits or Limits(), where) as source:
        yield EnvelopeFile(source)


@contextmanager
def open_predictions(
    path: str | os.PathLike[str], limits: Limits | None = None, where: str | None = None
) -> Iterator[EnvelopeFile]:
    """Open a predictions file, called `where` in messages; raises `SubmissionError`."""
    with open_source(Path(path), "predictions", SubmissionError, limits or Limits(), where) as source:
        yield EnvelopeFile(source)


def read_golds(path: str | os.PathLike[str], task: str | None = None, limits: Limits | None = None) -> Envelope:
    """The golds of `task`, or of the only task in the file; raises `HarnessError`."""
    with open_golds(path, limits) as file:
        if task is None and len(file.tasks) > 1:
            raise file.error(f"{file.where}: holds {shown(file.tasks)}: name the task to score")
        return file.read(task or file.tasks[0])


def read_predictions(path: str | os.PathLike[str], golds: Envelope, limits: Limits | None = None) -> Envelope:
    """The predictions for exactly the ids of `golds`, in their order; raises `SubmissionError`."""
    with open_predictions(path, limits) as file:
        return matched(golds, file.read(golds.task))[1]


def matched(golds: Envelope, predictions: Envelope, allow_missing: bool = False) -> tuple[Envelope, Envelope]:
    """Golds and predictions of the same ids in the same order; raises `SubmissionError` where they do not fit.

    With `allow_missing` golds without a prediction are left out; predictions without a gold never are.
    """
    # Where golds are rows of tables, an honest policy may read as they do.
    tables = registry.get(golds.task).gold_arrays
    if predictions.sha256 == golds.sha256 or (predictions.content == golds.content and not tables):
        raise SubmissionError(
            f"{predictions.where}: is the file of golds itself, byte for byte; give the predictions of a model"
        )
    if predictions.ids_are != golds.ids_are:
        raise SubmissionError(
            f"{predictions.where}: its ids are {predictions.ids_are}, but those of the golds are {golds.ids_are}; "
            "write them alike"
        )
    if predictions.ids == golds.ids:
        return golds, predictions
    missing = set(golds.ids) - set(predictions.ids)
    unknown = set(predictions.ids) - set(golds.ids)
    faults = [
        f"{len(ids):,} {'id is' if len(ids) == 1 else 'ids are'} {what}: {shown(sorted(ids))}"
        for what, ids in (("missing", missing if not allow_missing else ()), ("not in the golds", unknown))
        if ids
    ]
    if faults:
        error = MissingError if missing and not unknown else SubmissionError
        raise error(f"{predictions.where}: {'; '.join(faults)}; give each gold id once")
    return golds.only(predictions.ids), predictions


def check_body(body: object, where: str, error: type[HarnessError]) -> Items:
    """The items of an envelope, sorted by id; raises `error` for whatever is no envelope."""
    if isinstance(body, list) and body and isinstance(body[0], dict) and "input" in body[0]:
        raise error(f"{where}: holds questions, not outputs; it must be {_SHAPE}")
    if not isinstance(body, dict) or not {"task", "golds"} <= set(body) <= {"task", "golds", "settings"}:
        keys = f"its keys are {shown(sorted(body))}" if isinstance(body, dict) else "it is no object"
        raise error(f"{where}: must be {_SHAPE}, golds and predictions alike, but {keys}")
    told, items, settings = body["task"], body["golds"], body.get("settings", {})
    if not isinstance(told, str) or not isinstance(settings, dict):
        raise error(f'{where}: "task" must be a string, and "settings" an object')
    if not isinstance(items, list) or not items:
        raise error(f'{where}: "golds" must be a list of at least one item')
    names, ids_are = _ids(items, where, error)
    order = sorted(range(len(names)), key=names.__getitem__)
    users = _users(items, where, error) if error is not SubmissionError else None
    return Items(
        told=told,
        ids=tuple([names[row] for row in order]),
        ids_are=ids_are,
        users=None if users is None else tuple([users[row] for row in order]),
        outputs=tuple([items[row]["output"] for row in order]),
        positions=tuple(order),
        settings=settings,
    )


def _known(told: str) -> str:
    """A task's own name for a known spelling of it; the name itself where it is not known."""
    try:
        return registry.canonical(told)
    except HarnessError:
        return told


def _ids(items: list[object], where: str, error: type[HarnessError]) -> tuple[list[str], str]:
    """The id of each item as a string, and what they are in the file: "strings" or "integers"."""
    for position, item in enumerate(items):
        if not isinstance(item, dict) or "id" not in item or "output" not in item:
            keys = f"its keys are {shown(sorted(item))}" if isinstance(item, dict) else "it is none"
            raise error(f'{where}: item {position} of "golds" must be an object with "id" and "output", but {keys}')
    ids = [cast("dict[str, object]", item)["id"] for item in items]
    kinds = set(map(type, ids))
    if kinds not in ({str}, {int}):
        common = str if str in kinds else int
        position = next(row for row, name in enumerate(ids) if type(name) is not common)
        raise error(
            f'{where}: item {position} of "golds" has the id {str(ids[position])[:40]}; '
            f"write all ids as {'strings' if common is str else 'integers'}"
        )
    names = cast("list[str]", ids) if kinds == {str} else [str(name) for name in ids]
    if len(set(names)) != len(names):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        word = "id is" if len(repeated) == 1 else "ids are"
        raise error(
            f"{where}: {len(repeated):,} {word} given more than once: {shown(sorted(repeated))}; give each id once"
        )
    return names, "strings" if kinds == {str} else "integers"


def _users(items: list[object], where: str, error: type[HarnessError]) -> list[str] | None:
    """The `user_id` of each item as a string, or None where none carries one."""
    rows = cast("list[dict[str, object]]", items)
    given = [row["user_id"] for row in rows if "user_id" in row]
    if not given:
        return None
    if len(given) < len(rows):
        raise error(f"{where}: {len(given):,} of {len(rows):,} items carry a user_id; give it to all or to none")
    if set(map(type, given)) not in ({str}, {int}):
        raise error(f"{where}: every user_id must be a string, or every one an integer")
    return [str(user) for user in given]
