"""The process in which `harness.serve` scores one submission: `python -m harness.serve_child REQUEST`, a JSON."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from harness.errors import HarnessError, SubmissionError, printable
from harness.serve import OUT_OF_MEMORY

_OPEN_FILES = 64
_ALARM_AFTER = 5


def main(request: str) -> int:
    """Score what the request names and write one JSON; what it cannot say it says by its exit code."""
    asked = json.loads(request)
    _confine(asked["limits"])
    try:
        told = _score(asked)
        os.write(1, json.dumps(told, allow_nan=False).encode())  # no buffer that might be written in part
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def _confine(limits: Mapping[str, float]) -> None:
    """Limits of the kernel, set before any file of the request is opened."""
    memory, cpu = int(limits["memory_bytes"]), int(limits["cpu_seconds"])
    for what, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_NPROC, 0, 0),  # no processes or threads of its own; root is exempt
        (resource.RLIMIT_AS, memory, memory),
    ):
        resource.setrlimit(what, (soft, hard))
    # The clock is the parent's, but a child whose parent has died must end too.
    signal.alarm(int(limits["wall_seconds"]) + _ALARM_AFTER)


def _score(asked: Mapping[str, object]) -> dict[str, object]:
    from harness.scoring import score

    golds, preds = Path(str(asked["golds"])), Path(str(asked["preds"]))
    try:
        scores = score(golds, preds, task=cast("str | None", asked["task"]), allow_missing=bool(asked["allow_missing"]))
    except SubmissionError as error:
        return {"submission": _without_folders(str(error), golds, preds)}
    except HarnessError as error:
        return {"golds": str(error)}
    return {"scores": scores.to_dict()}


def _without_folders(message: str, *paths: Path) -> str:
    """The message with names in place of paths: where the host keeps its files is no business of the submitter's."""
    for path in sorted(paths, key=lambda path: -len(str(path))):  # one may lie inside the other
        message = message.replace(printable(str(path)), printable(path.name))
    return message


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
