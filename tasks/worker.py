"""The entry of a process that runs one task: under `spark-submit`, in a container, in a pod.

    python tasks/worker.py job.json answer.json
    python -m tasks.worker - < job.json

The job holds task, configuration, input addresses, store and runtime; secrets come from the environment. The answer, a file or
the last line of stdout, is `{"name", "key"}`, or `{"error"}` with exit status 2 for what the user can mend.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

if __package__ in (None, ""):  # started as a file, by spark-submit: make the project importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from store import Store, UserError
from tasks.api import Runtime
from tasks.engines import SECRETS
from tasks.runner import prepare, run_job


def work(request: Mapping[str, object]) -> dict[str, str]:
    """Runs the described job in this process and returns the artifact's name and key."""
    store = Store.open(str(request["store"]), Path(str(request["cache"])))
    inputs, config, runtime = request["inputs"], request["config"], request["runtime"]
    assert isinstance(inputs, dict) and isinstance(config, dict) and isinstance(runtime, dict)
    given = {port: [store.get(name, key) for name, key in addresses] for port, addresses in inputs.items()}
    settings = runtime | {
        name: os.environ[env] for name in SECRETS if (env := f"LAMPWORKS_{name.upper()}") in os.environ
    }
    job = prepare(str(request["task"]), config, given)
    artifact = run_job(job, store, Runtime.model_validate(settings), submit=False).artifact
    return {"name": artifact.name, "key": artifact.key}


def main(arguments: list[str]) -> int:
    """Runs the job; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    text = sys.stdin.read() if arguments[0] == "-" else Path(arguments[0]).read_text()
    status = 0
    try:
        answer = work(json.loads(text))
    except UserError as error:
        status, answer = 2, {"error": str(error)}
        sys.stderr.write(f"{error}\n")
    if len(arguments) > 1:
        Path(arguments[1]).write_text(json.dumps(answer))
    else:
        sys.stdout.write(json.dumps(answer) + "\n")
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
