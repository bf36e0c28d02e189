"""What `ls` prints: every task and everything about one, from the declarations alone."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from harness import HarnessError, registry
from harness.listing import describe_tasks, write


def listed(only: str | None = None, as_json: bool = False) -> str:
    stream = io.StringIO()
    write(stream, as_json, only)
    return stream.getvalue()


def test_the_overview_names_every_task_and_its_metrics() -> None:
    text = listed()
    for name in registry.names():
        task = registry.get(name)
        assert f"{name} " in text and task.summary in text
        better = "higher" if task.higher_is_better else "lower"
        assert f"  {task.primary} ({better} is better)" in text
    assert max(map(len, text.splitlines())) < 200


@pytest.mark.parametrize("name", registry.names())
def test_a_page_tells_everything(name: str) -> None:
    task, text = registry.get(name), listed(name)
    assert text.startswith(f"{name}, version {task.version}\n")
    told = (task.summary, task.gold_output, task.prediction_output, *task.labels)
    tables = (*task.gold_arrays, *task.prediction_arrays)
    for word in (*told, *(f"{name}.{table}.npy" for table in tables)):
        assert word in text
    for metric in task.metrics:
        better = "higher" if metric.higher_is_better else "lower"
        primary = "primary, " if metric.name == task.primary else ""
        assert f"  {metric.name} ({primary}{better} is better)\n    {metric.formula}\n    {metric.source}\n" in text


def test_json_says_the_same() -> None:
    tasks = json.loads(listed(as_json=True))
    assert [task["name"] for task in tasks] == registry.names()
    assert json.loads(json.dumps(describe_tasks())) == tasks
    one = json.loads(listed("LaMP-3", as_json=True))
    assert one in tasks and one["name"] == "LaMP_3" and one["spellings"] == ["LaMP_3", "LaMP-3"]
    assert [metric["name"] for metric in one["metrics"] if metric["primary"]] == [one["primary"]]
    assert one["sizes"][0]["splits"] == {"train": 20000, "dev": 2500, "test": 2500}
    assert json.loads(listed("opl_policy", as_json=True))["gold_tables"] == ["rewards", "logging"]
    assert json.loads(listed("ranking", as_json=True))["settings"] is True


def test_sizes_and_published_scores_are_named_with_their_source() -> None:
    text = listed("LaMP-6")
    assert "time-based: train 4,821, dev 1,250, test 1,250, 454.87 ± 889.41 words in" in text
    assert "user-based: train 4,840, dev 1,353, test 1,246 (counted in the downloaded files by others)" in text
    assert "arXiv 2404.05970, Table 3 (time, test, 4 items)" in text
    assert "rouge-1 +0.183" in text
    assert "files of LaMP_2, when asked for" in listed("LaMP-2-old")


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(HarnessError, match=r"unknown task 'LaMP_9': did you mean 'LaMP_"):
        listed("LaMP_9")


def test_it_imports_only_what_declarations_need() -> None:
    code = "import sys, harness.listing; harness.listing.write(sys.stderr, False); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"rich", "pydantic", "scipy", "pandas", "torch", "pyarrow", "typer"} & set(loaded)
    assert not {name for name in loaded if name.split(".")[0] in ("store", "tasks", "expectations", "spark_jobs")}
