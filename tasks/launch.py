"""Runs a pipeline's DAG through Airflow's own command, in a process of its own, and tells its progress as it goes.

Airflow is set up on first use: a home beside the store, an SQLite database, no examples. Its own chatter goes to a log file;
the steps report through a file of events, one JSON object a line: `{"log"}`, `{"step", "name", "key", "cached", "seconds"}`
or `{"step", "error"}`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tasks.api import TaskError

PROJECT = Path(__file__).resolve().parents[1]
Event = dict[str, object]
Tell = Callable[[str], None]


def airflow_home(store_url: str) -> Path:
    """The directory of Airflow's database, logs and settings: `airflow` beside the store's own."""
    if "AIRFLOW_HOME" in os.environ:
        return Path(os.environ["AIRFLOW_HOME"])
    return Path(".lampworks/airflow").resolve() if "://" in store_url else Path(store_url).parent / "airflow"


def airflow_environment(store_url: str, home: Path) -> dict[str, str]:
    """The environment under which Airflow finds the DAGs and the store; what the user has set stays."""
    defaults = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "LAMPWORKS_STORE": store_url,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")])),
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    return {
        **defaults,
        **os.environ,
        **{key: defaults[key] for key in ("AIRFLOW_HOME", "LAMPWORKS_STORE", "PYTHONPATH")},
    }


def find_airflow() -> str:
    """The `airflow` command of this environment.

    Raises:
        TaskError: it is not installed.
    """
    beside = Path(sys.executable).with_name("airflow")
    found = str(beside) if beside.exists() else shutil.which("airflow")
    if found is None:
        raise TaskError("Airflow is not installed here; install it with: pip install 'lampworks[airflow]'")
    return found


def launch(pipeline: str, conf: Mapping[str, object], store_url: str, tell: Tell) -> list[Event]:
    """Runs the DAG to its end and returns the steps' events.

    Raises:
        TaskError: a step failed for a reason that the user can mend; its own line.
        RuntimeError: anything else went wrong; names the log.
    """
    home = airflow_home(store_url)
    home.mkdir(parents=True, exist_ok=True)
    stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    log, events = home / f"run-{stamp}.log", home / f"run-{stamp}.events"
    environment = airflow_environment(store_url, home) | {"LAMPWORKS_EVENTS": str(events), "LAMPWORKS_RETRIES": "0"}
    airflow = find_airflow()
    with log.open("w") as out:
        if not (home / "migrated").exists():
            tell("setting up Airflow's database (once)")
            subprocess.run([airflow, "db", "migrate"], env=environment, stdout=out, stderr=out, check=True)
            (home / "migrated").touch()
        command = [airflow, "dags", "test", pipeline, "--conf", json.dumps(conf)]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        try:
            told = list(_follow(events, process, tell))
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    errors = [str(event["error"]) for event in told if "error" in event]
    if errors:
        raise TaskError(errors[0])
    if process.returncode or not told:
        raise RuntimeError(f"the DAG {pipeline} did not end well (status {process.returncode}); Airflow's log: {log}")
    events.unlink()
    return [event for event in told if "step" in event]


def _follow(path: Path, process: subprocess.Popen[bytes], tell: Tell) -> Iterator[Event]:
    """Yields the events as they are written, until the process has ended and all are read."""
    path.touch()
    with path.open() as handle:
        while True:
            ended = process.poll() is not None
            for line in handle:
                event: Event = json.loads(line)
                tell(_line(event))
                yield event
            if ended:
                return
            time.sleep(0.2)


def _line(event: Event) -> str:
    if "error" in event:
        return f"  {event['step']:<32} failed"
    if "step" not in event:
        return f"    {event['log']}"
    made = "reused" if event.get("cached") else f"{float(str(event.get('seconds', 0))):.1f} s"
    where = f"{event['name']}@{str(event['key'])[:12]}" if "name" in event else event.get("note", "")
    return f"  {event['step']:<32} {made:>9}   {where}"
