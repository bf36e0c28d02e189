"""Runs a pipeline's DAG through Airflow's own command, in a process of its own, and tells its progress as it goes.

Airflow is set up on first use: a home beside the store, an SQLite database for each run, no examples. Its own chatter goes to a log file;
the steps report through a file of events, one JSON object a line: `{"log"}`, `{"step", "name", "key", "cached", "seconds"}`
or `{"step", "error"}`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tasks.api import TaskError

CONNECTION = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
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
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        CONNECTION: f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",  # no login, hence this machine only:
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": f"http://localhost:{os.environ.get('AIRFLOW__API__PORT', '8080')}",
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
    name = f"run-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    log, events, database = (home / f"{name}.{suffix}" for suffix in ("log", "events", "db"))
    own = {"LAMPWORKS_EVENTS": str(events), "LAMPWORKS_RETRIES": "0", CONNECTION: f"sqlite:///{database}"}
    environment = airflow_environment(store_url, home) | own
    airflow = find_airflow()
    try:
        # A database of its own: two runs at once do not lock each other out, and no history piles up.
        shutil.copyfile(_template(airflow, home, tell), database)
        told = _run([airflow, "dags", "test", pipeline, "--conf", json.dumps(conf)], environment, log, events, tell)
    finally:
        for leftover in (database, events):
            leftover.unlink(missing_ok=True)
    return told


def _template(airflow: str, home: Path, tell: Tell) -> Path:
    """An empty migrated database, made once for each version of Airflow."""
    path = home / f"empty-{importlib.metadata.version('apache-airflow')}.db"
    if not path.exists():
        tell("setting up Airflow's database (once)")
        made = path.with_suffix(f".{os.getpid()}")
        environment = airflow_environment(str(home), home) | {CONNECTION: f"sqlite:///{made}"}
        done = subprocess.run([airflow, "db", "migrate"], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"`airflow db migrate` failed:\n{done.stderr}")
        os.replace(made, path)
    return path


def _run(command: list[str], environment: dict[str, str], log: Path, events: Path, tell: Tell) -> list[Event]:
    with log.open("w") as out:
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
    steps = [event for event in told if "step" in event]
    if process.returncode or not steps:
        raise RuntimeError(f"the DAG did not end well (status {process.returncode}); Airflow's log: {log}")
    return steps


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
