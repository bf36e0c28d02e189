"""Scoring for a service: one submission in a process of its own, under limits, with a message safe to show its sender."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

from harness.errors import HarnessError
from harness.members import CHUNK, MIB

MESSAGE_CHARS = 280
# How the child ends when memory runs out, for then it may be unable to say so.
OUT_OF_MEMORY = 81
_OUTPUT_BYTES = 4 * MIB
_STDERR_BYTES = 4096
_DAY = 24 * 60 * 60
_GOLDS_AT_FAULT = "the benchmark's own files are at fault; its owner has been told"
_NOT_STARTED = "scoring could not be started; the benchmark's owner has been told"
_FAILED = "scoring failed for a reason that is not known; the benchmark's owner has been told"


@dataclass(frozen=True)
class ServeLimits:
    """What scoring one submission may use: address space in bytes, seconds of CPU, seconds by the clock, at most a day.

    Raises `HarnessError` for what is no such limit.
    """

    memory_bytes: int = 4096 * MIB
    cpu_seconds: int = 60
    wall_seconds: float = 120

    def __post_init__(self) -> None:
        for name, kinds, told, least, most in (
            ("memory_bytes", (int,), "an integer", 1, sys.maxsize),
            ("cpu_seconds", (int,), "an integer", 1, _DAY),
            ("wall_seconds", (int, float), "a number", 0, _DAY),
        ):
            value = getattr(self, name)
            if not isinstance(value, kinds) or not least <= value <= most:
                raise HarnessError(f"{name} is {value!r}: give {told} from {least} to {most:,}")


@dataclass(frozen=True)
class Served:
    """`scores`, the JSON of `Scores.to_dict()`; or `message`, which may be shown to the submitter, and then `detail`.

    `detail` is for the host of the benchmark alone: it may hold gold values and paths.
    """

    scores: dict[str, object] | None = None
    message: str | None = None
    detail: str | None = None


def serve_one(
    golds: str | os.PathLike[str],
    preds: str | os.PathLike[str],
    *,
    task: str | None = None,
    allow_missing: bool = False,
    limits: ServeLimits = ServeLimits(),
) -> Served:
    """Score one submission in a child process: whatever the files and their names are, a `Served` soon after `limits`.

    It raises nothing for them: what keeps the child from starting is an outcome too. A zip or a directory may bring
    tables; beside one JSON alone none are read, for its neighbours may be other submitters'. The child has no standard
    input, hardly any environment, an empty working directory, and cannot write files. It is not kept from the network
    or from reading other files: run the service itself in a container for that. Needs a POSIX system.
    """
    try:
        with TemporaryDirectory(prefix="lampworks-", ignore_cleanup_errors=True) as folder:
            request = {
                "golds": os.path.abspath(golds),
                "preds": _alone(os.path.abspath(preds), folder),
                "task": task,
                "allow_missing": allow_missing,
                "limits": asdict(limits),
            }
            return _run(json.dumps(request), folder, limits)
    except (OSError, ValueError) as cause:  # ValueError: a name with a NUL in it, or one that cannot be encoded
        return Served(message=_NOT_STARTED, detail=str(cause)[:_STDERR_BYTES])


def _alone(preds: str, folder: str) -> str:
    """A link to the submission in a folder of its own, under its own name."""
    link = os.path.join(folder, "submission", os.path.basename(preds))
    os.mkdir(os.path.dirname(link))
    os.symlink(preds, link)
    return link


def _run(request: str, folder: str, limits: ServeLimits) -> Served:
    """What the child makes of the request within the limits; nothing it started outlives it."""
    working_directory = os.path.join(folder, "empty")
    os.mkdir(working_directory)
    child = subprocess.Popen(
        [sys.executable, "-P", "-X", "faulthandler", "-m", "harness.serve_child", request],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=working_directory,
        env=_environment(),
        start_new_session=True,
    )
    with child:
        try:
            output, errors, overrun = _listen(child, limits.wall_seconds)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
    if overrun:
        return Served(message=overrun, detail=errors)
    return _outcome(code, output, errors, limits)


def _environment() -> dict[str, str]:
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    root = str(Path(__file__).resolve().parents[1])
    return {"PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", **one_thread}


def _listen(child: subprocess.Popen[bytes], wall_seconds: float) -> tuple[bytes, str, str | None]:
    """What the child writes until it closes both streams, and why it was not heard to the end, if it was not."""
    deadline = time.monotonic() + wall_seconds
    output, errors = bytearray(), bytearray()
    overrun = None
    with selectors.DefaultSelector() as selector:
        for stream in (child.stdout, child.stderr):
            selector.register(cast("IO[bytes]", stream), selectors.EVENT_READ)
        while selector.get_map() and overrun is None:
            left = deadline - time.monotonic()
            if left <= 0:
                overrun = _needs_more(_seconds(wall_seconds), "takes", "take")
                break
            for key, _ in selector.select(left):
                piece = os.read(key.fd, CHUNK)
                if not piece:
                    selector.unregister(key.fileobj)
                elif key.fileobj is child.stdout:
                    output += piece
                else:
                    errors += piece
                    del errors[:-_STDERR_BYTES]
            if len(output) > _OUTPUT_BYTES:
                overrun = f"the scores take more than {_OUTPUT_BYTES:,} bytes, the most that is read of them"
    return bytes(output), errors.decode(errors="replace"), overrun


def _outcome(code: int, output: bytes, errors: str, limits: ServeLimits) -> Served:
    if code == OUT_OF_MEMORY:
        return Served(message=_needs_more(f"{limits.memory_bytes:,} bytes of memory", "needs", "use"), detail=errors)
    if code == -signal.SIGXCPU:
        return Served(message=_needs_more(f"{_seconds(limits.cpu_seconds)} of CPU", "takes", "take"), detail=errors)
    try:
        told = json.loads(output) if code == 0 else None
    except (ValueError, RecursionError):
        told = None
    match told:
        case {"scores": dict(scores)}:
            return Served(scores=scores)
        case {"submission": str(message)}:
            return Served(message=message[:MESSAGE_CHARS])
        case {"golds": str(message)}:
            return Served(message=_GOLDS_AT_FAULT, detail=message)
    return Served(message=_FAILED, detail=f"the process ended with {code}; {errors}")


def _needs_more(limit: str, verb: str, may: str) -> str:
    return f"scoring {verb} more than {limit}, the most it may {may}"


def _seconds(number: float) -> str:
    return f"{number:g} second{'' if number == 1 else 's'}"
