from __future__ import annotations

import threading

import pytest

from store import Store, StoreError
from tasks.api import Runtime, TaskError
from tasks.runner import prepare, run_job, verdict_of

pytestmark = pytest.mark.usefixtures("toys")


@pytest.fixture
def numbers(local: Store, runtime: Runtime):
    artifact = run_job(prepare("toy.numbers", {}, {}), local, runtime).artifact
    run_job(prepare("gate", {}, {"subject": [artifact]}), local, runtime)
    return artifact


def test_what_is_committed_is_not_made_again(local, runtime, numbers):
    job = prepare("toy.total", {}, {"numbers": [numbers]})
    first, second = run_job(job, local, runtime), run_job(job, local, runtime)
    assert (first.cached, second.cached) == (False, True)
    assert first.artifact.read_json("sum.json") == 3.0 and first.artifact.manifest.made_by.metrics == {"sum": 3.0}
    assert first.artifact.digest == second.artifact.digest


def test_only_what_changes_the_result_changes_the_key(local, runtime, numbers):
    base = prepare("toy.total", {}, {"numbers": [numbers]})
    assert prepare("toy.total", {"scale": 1.0}, {"numbers": [numbers]}).key == base.key
    assert prepare("toy.total", {"scale": 2.0}, {"numbers": [numbers]}).key != base.key
    run_job(base, local, runtime)
    assert run_job(base, local, Runtime(threads=7, batch_size=3, device="cpu")).cached


def test_an_equal_upstream_stops_the_cascade(local, runtime, numbers):
    """Another configuration upstream with the same rows leaves the downstream key as it is: a table counts by its rows."""
    import time

    from store import Provenance

    attempt = local.begin("toy/numbers", "f" * 40)
    attempt.write_table("prompts", "prompts.keywords", numbers.table("prompts").read())
    attempt.write_json("note.json", "something else in the artifact")
    twin = local.commit(attempt, Provenance(task="other", version=1, config={}), time.time())
    assert twin.digest != numbers.digest
    assert prepare("toy.total", {}, {"numbers": [twin]}).key == prepare("toy.total", {}, {"numbers": [numbers]}).key


def test_an_ungated_table_is_refused(local, runtime):
    artifact = run_job(prepare("toy.numbers", {}, {}), local, runtime).artifact
    assert verdict_of(local, artifact) is None
    with pytest.raises(TaskError, match=r"no passing verdict; run `lampworks gate toy/numbers@"):
        run_job(prepare("toy.total", {}, {"numbers": [artifact]}), local, runtime)


def test_a_table_that_fails_the_gate_stays_ungated(local, runtime):
    artifact = run_job(prepare("toy.numbers", {"n": 0}, {}), local, runtime).artifact
    with pytest.raises(StoreError.__mro__[1], match="prompts"):
        run_job(prepare("gate", {}, {"subject": [artifact]}), local, runtime)
    assert verdict_of(local, artifact) is None


@pytest.mark.parametrize(("mode", "error"), [("nan", TaskError), ("full", StoreError), ("bug", RuntimeError)])
def test_a_failed_task_leaves_nothing(local, runtime, numbers, mode, error):
    job = prepare("toy.total", {"mode": mode}, {"numbers": [numbers]})
    with pytest.raises(error):
        run_job(job, local, runtime)
    assert local.find(job.name, job.key) is None
    assert not any(path.is_file() for path in (local.root / "toy" / mode).rglob("*"))


def test_two_runs_at_once_make_it_once(local, runtime, numbers, monkeypatch):
    monkeypatch.setenv("TOY_SLEEP", "0.5")
    job = prepare("toy.total", {"mode": "slow"}, {"numbers": [numbers]})
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(run_job(job, local, runtime))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.cached for outcome in outcomes) == [False, True, True]
    assert len({outcome.artifact.manifest.attempt for outcome in outcomes}) == 1


@pytest.mark.parametrize(
    ("name", "values", "ports", "words"),
    [
        ("toy.totl", {}, [], r"no task is called toy.totl \(did you mean toy.total\?\)"),
        ("toy.total", {}, [], r"needs --input numbers=toy/numbers"),
        ("toy.total", {"scael": 1}, ["numbers"], r"unknown key scael \(did you mean scale\?\); it knows scale, mode"),
        ("toy.total", {"scale": "much"}, ["numbers"], r"scale: .*got 'much'"),
        ("toy.total", {}, ["nombers"], r"has no input nombers; it takes numbers, extra"),
        ("movielens.tables", {}, ["dump"], r"the input dump takes sources/ml-\*, not toy/numbers"),
        ("toy.total", {}, ["numbers", "numbers"], r"takes one artifact and was given 2"),
    ],
)
def test_mistakes_are_told_in_one_line(numbers, name, values, ports, words):
    given = {}
    for port in ports:
        given.setdefault(port, []).append(numbers)
    with pytest.raises(TaskError, match=words) as caught:
        prepare(name, values, given)
    assert "\n" not in str(caught.value)


def test_licences_are_inherited(local, runtime):
    import time

    from store import Licence, Provenance

    attempt = local.begin("toy/numbers", "e" * 40)
    attempt.write_json("x", 1)
    terms = Licence(name="Research", redistribute="no", personal=True)
    parent = local.commit(attempt, Provenance(task="t", version=1, config={}, licences=(terms,)), time.time())
    numbers = run_job(prepare("toy.numbers", {}, {}), local, runtime).artifact
    run_job(prepare("gate", {}, {"subject": [numbers]}), local, runtime)
    child = run_job(prepare("toy.total", {}, {"numbers": [numbers], "extra": [parent]}), local, runtime).artifact
    assert child.manifest.redistribute == "no" and child.manifest.personal
