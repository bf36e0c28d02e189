"""The entry of a process that runs one task: under `spark-submit`, in a container, in a pod.

    python tasks/worker.py job.json [answer.json]

The job file holds task, configuration, input addresses, store and runtime; secrets come from the environment. The answer is
`{"name", "key"}`, or `{"error"}` with exit status 2 for what the user can mend.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if __package__ in (None, ""):  # started as a file, by spark-submit: make the project importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from store import Store, UserError
from tasks.api import Runtime, TaskError

if TYPE_CHECKING:
    from tasks.runner import Job

_SECRETS = ("llm_api_key",)


def describe(job: Job, store: Store, runtime: Runtime) -> dict[str, object]:
    """The job file's content; secrets are left out, they travel in the environment."""
    return {
        "task": job.spec.name,
        "config": job.config.model_dump(mode="json"),
        "inputs": {port: [[a.name, a.key] for a in given] for port, given in job.given.items()},
        "store": store.backend.url,
        "cache": str(store.root),
        "runtime": runtime.model_dump(mode="json", exclude=set(_SECRETS)),
    }


def spark_command(request: Path, answer: Path, runtime: Runtime) -> list[str]:
    """The `spark-submit` command for a job file.

    Raises:
        TaskError: there is no `spark-submit`.
    """
    beside = Path(sys.executable).with_name("spark-submit")
    found = str(beside) if beside.exists() else shutil.which("spark-submit")
    if found is None:
        raise TaskError("spark-submit is not on the PATH; install the extra: pip install 'lampworks[spark]'")
    master = runtime.spark_master or f"local[{runtime.threads}]"
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    options = ["--master", master, "--driver-memory", runtime.driver_memory, "--name", "lampworks"]
    return [found, *options, str(Path(__file__).resolve()), str(request), str(answer)]


def work(request: Mapping[str, object]) -> dict[str, str]:
    """Runs the described job in this process and returns the artifact's name and key."""
    from tasks.runner import prepare, run_job

    store = Store.open(str(request["store"]), Path(str(request["cache"])))
    inputs, config, runtime = request["inputs"], request["config"], request["runtime"]
    assert isinstance(inputs, dict) and isinstance(config, dict) and isinstance(runtime, dict)
    given = {port: [store.get(name, key) for name, key in addresses] for port, addresses in inputs.items()}
    settings = runtime | {
        name: os.environ[env] for name in _SECRETS if (env := f"LAMPWORKS_{name.upper()}") in os.environ
    }
    outcome = run_job(
        prepare(str(request["task"]), config, given), store, Runtime.model_validate(settings), submit=False
    )
    return {"name": outcome.artifact.name, "key": outcome.artifact.key}


def main(arguments: list[str]) -> int:
    """Runs the job file; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    status, answer = 0, {}
    try:
        answer = work(json.loads(Path(arguments[0]).read_text()))
    except UserError as error:
        status, answer = 2, {"error": str(error)}
        sys.stderr.write(f"{error}\n")
    if len(arguments) > 1:
        Path(arguments[1]).write_text(json.dumps(answer))
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
