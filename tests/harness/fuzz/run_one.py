"""What every input must do: end in a result that can be written, or in one safe sentence, soon."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from harness import HarnessError, SubmissionError, score
from tests.harness.fuzz.seeds import MARK

MOST_SECONDS = 2.0
_MOST_CHARS = 2000


class FoundError(Exception):
    """What the fuzzer was looking for."""


@dataclass(frozen=True)
class Input:
    """Files to score; a file that is not the seed's own is `mutated`."""

    task: str
    golds: bytes
    preds: bytes
    golds_mutated: bool
    preds_mutated: bool
    suffix: str = ".zip"
    allow_missing: bool = False


def run_one(case: Input, folder: Path) -> str:
    """Score the input and return what became of it; raises `FoundError` for whatever must not happen."""
    names = [
        f"{kind}{case.suffix if mutated else '.zip'}"
        for kind, mutated in (("golds", case.golds_mutated), ("preds", case.preds_mutated))
    ]
    for name, data in zip(names, (case.golds, case.preds), strict=True):
        (folder / name).write_bytes(data)
    start = time.process_time()
    outcome = _scored(case, folder, names)
    if (seconds := time.process_time() - start) > MOST_SECONDS:
        raise FoundError(f"took {seconds:.1f} s of CPU and ended in: {outcome}")
    return outcome


def _scored(case: Input, folder: Path, names: list[str]) -> str:
    try:
        scores = score(
            folder / names[0], folder / names[1], n_bootstrap=5, per_sample=True, allow_missing=case.allow_missing
        )
    except HarnessError as error:
        _check_message(case, error)
        return f"{type(error).__name__}: {str(error).replace(str(folder), '')}"
    try:
        text = scores.to_json()
        text.encode("utf-8")
        json.loads(text)
    except (ValueError, TypeError) as error:
        raise FoundError(f"a result that is no JSON: {error}") from error
    return "scored"


def _check_message(case: Input, error: HarnessError) -> None:
    message = str(error)
    if not message.isprintable() or len(message) > _MOST_CHARS or not message:
        raise FoundError(f"a message of {len(message)} characters, or not printable: {message[:200]!r}")
    if isinstance(error, SubmissionError) and MARK in message and not case.golds_mutated:
        raise FoundError(f"a message that shows a gold: {message}")
    if not case.golds_mutated and not isinstance(error, SubmissionError):
        raise FoundError(f"sound golds are blamed: {message}")
    if not case.preds_mutated and isinstance(error, SubmissionError) and not case.golds_mutated:
        raise FoundError(f"sound predictions are blamed: {message}")
