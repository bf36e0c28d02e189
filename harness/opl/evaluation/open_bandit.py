"""The Open Bandit Dataset: fashion recommendations logged with their probabilities (Saito et al. 2021, 2008.07146)."""

from __future__ import annotations

import csv
import gzip
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError, shown
from harness.opl.evaluation.feedback import BanditFeedback

if TYPE_CHECKING:
    from harness.opl.evaluation.arrays import FloatArray

_REQUIRED = ("item_id", "position", "click", "propensity_score")
_AFFINITY = "user-item_affinity_"


def load_open_bandit(path: str | os.PathLike[str], n_actions: int | None = None) -> BanditFeedback:
    """A log of the Open Bandit Dataset, `.csv` or `.csv.gz`, as feedback.

    reward is `click`, action `item_id`, pscore `propensity_score`, position `position` counted from 0 (the file counts
    from 1), and context the user's affinity to each item, `(n_rounds, n_items)`, where the file has it. Hashed user
    features are left out, as their codes differ from log to log. `n_actions` is the largest item of the log plus 1
    where it is not given.

    Raises `HarnessError` with the file, the line and the column at fault.
    """
    file = Path(path)
    where = f"log {file}"
    try:
        with _opened(file) as stream:
            columns, affinities = _columns(csv.DictReader(stream, strict=True), where)
    except (OSError, EOFError, zlib.error) as cause:
        reason = getattr(cause, "strerror", None) or "is no whole gzip file"
        raise HarnessError(f"{where}: cannot be read ({reason}); give a .csv or .csv.gz of the dataset") from None
    except (UnicodeDecodeError, csv.Error) as cause:
        raise HarnessError(f"{where}: is no CSV in UTF-8 ({cause}); give a .csv or .csv.gz of the dataset") from None
    action = columns["item_id"]
    try:
        return BanditFeedback(
            reward=columns["click"],
            action=action,  # type: ignore[arg-type]  # made whole numbers by the feedback, which refuses others
            pscore=columns["propensity_score"],
            n_actions=max(int(action.max()), 0) + 1 if n_actions is None else n_actions,
            context=affinities,
            position=columns["position"] - 1,  # type: ignore[arg-type]
        )
    except HarnessError as cause:
        raise HarnessError(f"{where}: {cause}") from None


def empirical_action_dist(log: BanditFeedback, rounds: BanditFeedback) -> FloatArray:
    """How often the policy of `log` took each action, by position, laid out for `rounds`: `(n_rounds, n_actions)`.

    The policy must not depend on the context, as those of the Open Bandit Dataset do not. Raises `HarnessError` where
    the numbers of actions differ, or `rounds` has a position that `log` has not.
    """
    if log.n_actions != rounds.n_actions:
        raise HarnessError(
            f"log: has {log.n_actions} actions, the rounds {rounds.n_actions}; load both with one n_actions"
        )
    at_log = np.zeros(log.n_rounds, dtype=np.int64) if log.position is None else log.position
    at_rounds = np.zeros(rounds.n_rounds, dtype=np.int64) if rounds.position is None else rounds.position
    counts = np.zeros((int(max(at_log.max(), at_rounds.max())) + 1, log.n_actions))
    np.add.at(counts, (at_log, log.action), 1.0)
    unseen = counts[at_rounds].sum(axis=1) == 0
    if unseen.any():
        raise HarnessError(f"log: has no round at position {int(at_rounds[unseen][0])}, which the rounds have")
    taken = counts[at_rounds]
    shares: FloatArray = taken / taken.sum(axis=1, keepdims=True)
    return shares


@contextmanager
def _opened(file: Path) -> Iterator[IO[str]]:
    if file.suffix == ".gz":
        with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as stream:
            yield stream
    else:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            yield stream


def _columns(reader: csv.DictReader[str], where: str) -> tuple[dict[str, FloatArray], FloatArray | None]:
    """The required columns, each `(n_rounds,)`, and the affinities, `(n_rounds, n_items)`."""
    names = list(reader.fieldnames or ())
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise HarnessError(f"{where}: has no column {shown(missing)}; the first line must name {shown(_REQUIRED)}")
    affinity = sorted((name for name in names if name.startswith(_AFFINITY)), key=lambda name: (len(name), name))
    wanted = (*_REQUIRED, *affinity)
    rows = [_numbers(row, wanted, f"{where}: line {reader.line_num}") for row in reader]
    if not rows:
        raise HarnessError(f"{where}: has no rounds; give a whole log")
    table = np.array(rows)
    columns = {name: table[:, index] for index, name in enumerate(_REQUIRED)}
    return columns, table[:, len(_REQUIRED) :] if affinity else None


def _numbers(row: Mapping[str, str | None], wanted: tuple[str, ...], place: str) -> list[float]:
    numbers = []
    for name in wanted:
        cell = row[name]
        try:
            number = float(cell or "")
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise HarnessError(f"{place}: {name} is {(cell or '')[:40]!r}, which is no finite number; mend the line")
        numbers.append(number)
    return numbers
