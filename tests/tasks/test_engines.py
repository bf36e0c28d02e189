from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tasks import engines
from tasks.api import Runtime, TaskError
from tasks.registry import task
from tasks.runner import describe, prepare, run_job

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A `docker` that notes its arguments and runs the worker here, as the image's entry point would."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, os, subprocess, sys\n"
        f"open({str(tmp_path / 'seen.json')!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
        f"os.environ['PYTHONPATH'] = {str(ROOT)!r}\n"
        f"sys.exit(subprocess.run([{sys.executable!r}, '-m', 'tasks.worker', sys.argv[-1]]).returncode)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(engines.sys, "executable", str(tmp_path / "elsewhere" / "python"))
    return tmp_path / "seen.json"


def test_a_task_in_a_container_commits_to_the_mounted_store(docker, local, monkeypatch):
    monkeypatch.setenv("LAMPWORKS_LLM_API_KEY", "hush")
    runtime = Runtime(engine="docker", image="registry.example/{role}:1", llm_api_key="hush")
    outcome = run_job(prepare("prompts.keywords", {"limit": 3}, {}), local, runtime)
    assert outcome.artifact.table("prompts").rows == 3 and not outcome.cached
    seen = json.loads(docker.read_text())
    assert seen[:3] == ["run", "--rm", "--interactive"] and seen[-2:] == ["registry.example/gpu:1", "-"]
    assert f"{local.root}:{local.root}" in seen and "LAMPWORKS_LLM_API_KEY" in seen and "hush" not in " ".join(seen)
    assert run_job(prepare("prompts.keywords", {"limit": 3}, {}), local, runtime).cached


def test_a_mistake_in_a_container_is_the_same_line(docker, local):
    job = prepare("sources.fetch", {"source": "ml-1m"}, {})
    with pytest.raises(TaskError, match="ml-1m"):
        run_job(job, local, Runtime(engine="docker", offline=True))


def test_commands_for_pods_and_clusters(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "_program", lambda name, advice: name)
    runtime = Runtime(engine="pod", spark_master="spark://host:7077", driver_memory="4g", device="cuda")
    command = engines.pod(task("generate.descriptions"), runtime)
    assert command[0] == "kubectl" and "nvidia.com/gpu" in " ".join(command) and command[-2:] == ["--", "-"]
    assert "--image=lampworks-spark:latest" in engines.pod(task("movielens.tables"), runtime)
    submit = engines.spark_submit(tmp_path / "j", tmp_path / "a", runtime)
    assert submit[:5] == ["spark-submit", "--master", "spark://host:7077", "--driver-memory", "4g"]


def test_a_missing_program_is_told(monkeypatch, tmp_path, local):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(TaskError, match="docker is not on the PATH; install Docker"):
        run_job(prepare("sources.fetch", {"source": "ml-1m"}, {}), local, Runtime(engine="docker"))


def test_secrets_stay_out_of_the_job(local):
    request = describe(prepare("sources.fetch", {"source": "ml-1m"}, {}), local, Runtime(llm_api_key="hush"))
    assert "hush" not in json.dumps(request)
