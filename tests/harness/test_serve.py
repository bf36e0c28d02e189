"""Scoring for a service, in real processes: what the submitter is told, what the host, and that nothing leaks."""

from __future__ import annotations

import json
import math
import os
import random
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.scoring import score
from harness.serve import Served, ServeLimits, serve_one
from harness.serve_child import _without_folders
from tests.harness.fuzz.mutate import mutated
from tests.harness.fuzz.seeds import MARK, envelope, pairs
from tests.harness.made_zips import MIB, bomb

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits on memory differ elsewhere")
OWNER_TOLD = "the benchmark's own files are at fault; its owner has been told"


@pytest.fixture
def golds(tmp_path: Path) -> Path:
    path = tmp_path / "secret place" / "golds.zip"
    path.parent.mkdir()
    path.write_bytes(pairs()["LaMP_4"].golds)
    return path


@pytest.fixture
def preds(tmp_path: Path) -> Path:
    path = tmp_path / "uploads" / "preds.zip"
    path.parent.mkdir()
    path.write_bytes(pairs()["LaMP_4"].preds)
    return path


def large(path: Path, task: str, output: str, count: int) -> Path:
    """Sound predictions of which the first is large."""
    items = [{"id": str(row), "output": "OUTPUT" if row == 0 else 0} for row in range(4)]
    text = json.dumps({"task": task, "golds": items})
    path.write_text(text.replace('"OUTPUT"', "[" + ",".join([output] * count) + "]"))
    return path


def test_a_good_pair_gives_the_scores_of_score(golds: Path, preds: Path) -> None:
    served = serve_one(golds, preds)
    assert served == Served(scores=json.loads(score(golds, preds).to_json()))
    assert serve_one(golds, preds, task="LaMP-4").scores == served.scores
    assert serve_one(os.path.relpath(golds), os.path.relpath(preds)).scores == served.scores


def test_allow_missing_is_passed_on(golds: Path, preds: Path) -> None:
    body = {"task": "LaMP_4", "golds": [{"id": "0", "output": "a guess"}]}
    preds.with_suffix(".json").write_text(json.dumps(body))
    told = serve_one(golds, preds.with_suffix(".json"))
    assert told.message is not None and "3 ids are missing: '1', '2', '3'" in told.message
    assert serve_one(golds, preds.with_suffix(".json"), allow_missing=True).scores is not None


def test_the_submitter_is_told_what_is_wrong_without_the_hosts_folders(golds: Path, preds: Path) -> None:
    preds.write_bytes(b"hello" * 20)
    served = serve_one(golds, preds)
    assert served.message == (
        "predictions preds.zip: not a whole zip (cut short, or with bytes or a comment after its end); zip it again"
    )
    assert served.scores is None and served.detail is None
    served = serve_one(golds, preds.with_name("none.zip"))
    assert served.message == "predictions none.zip: No such file or directory"
    preds.write_bytes(bomb("p.json", b"[0],", 64 * MIB))
    assert "more than 200 times its packed size" in str(serve_one(golds, preds).message)


def test_a_message_is_at_most_280_characters(golds: Path, tmp_path: Path) -> None:
    items = [{"id": f"{row} {'x' * 50}", "output": ""} for row in range(9)]
    (tmp_path / f"{'p' * 200}.json").write_text(json.dumps({"task": "LaMP_4", "golds": items}))
    served = serve_one(golds, tmp_path / f"{'p' * 200}.json")
    assert served.message is not None and len(served.message) == 280


def test_predictions_inside_the_folder_of_golds_tell_nothing_of_it(tmp_path: Path) -> None:
    inside = tmp_path / "golds" / "uploads" / "preds.zip"
    inside.parent.mkdir(parents=True)
    (tmp_path / "golds" / "LaMP_4.json").write_bytes(envelope("LaMP_4", ["a", "b", "c", "d"]))
    inside.write_bytes(b"hello" * 20)
    told = str(serve_one(tmp_path / "golds", inside).message)
    assert told.startswith("predictions preds.zip: not a whole zip")
    outer, inner = Path("/srv/golds"), Path("/srv/golds/up/p.zip")
    for paths in ((outer, inner), (inner, outer)):
        assert _without_folders(f"predictions {inner}: golds {outer}", *paths) == "predictions p.zip: golds golds"


def test_a_json_given_alone_brings_no_tables_of_its_neighbours(tmp_path: Path) -> None:
    """In a folder of uploads what lies beside it may be somebody else's; a folder or a zip is one submission."""
    golds, folder = tmp_path / "golds.zip", tmp_path / "uploads"
    golds.write_bytes(pairs()["opl_policy"].golds)
    folder.mkdir()
    alice = folder / "alice.json"
    alice.write_text(
        json.dumps({"task": "opl_policy", "golds": [{"id": str(i), "output": {"row": 0}} for i in range(4)]})
    )
    np.save(folder / "opl_policy.action_dist.npy", np.array([[0.2, 0.3, 0.5]]))
    assert serve_one(golds, alice).message == (
        "predictions alice.json: id '0': \"row\" points into <task>.action_dist.npy, which is not beside the JSON"
    )
    assert serve_one(golds, folder).scores == json.loads(score(golds, alice).to_json())
    packed = tmp_path / "alice.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    assert serve_one(golds, packed).scores is not None


@pytest.mark.parametrize(
    "limits",
    [
        {"wall_seconds": math.inf},
        {"wall_seconds": 1e10},
        {"wall_seconds": math.nan},
        {"wall_seconds": -1},
        {"cpu_seconds": math.inf},
        {"cpu_seconds": 0},
        {"cpu_seconds": 1 << 70},
        {"memory_bytes": 1 << 70},
        {"memory_bytes": -1},
        {"memory_bytes": 4e9},
        {"memory_bytes": "4 GB"},
    ],
)
def test_limits_that_cannot_be_set_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(
        HarnessError, match=rf"^{next(iter(limits))} is .*: give an? (integer|number) from [01] to [0-9,]+$"
    ):
        ServeLimits(**limits)  # type: ignore[arg-type]


def test_the_largest_and_the_smallest_limits_can_be_set(golds: Path, preds: Path) -> None:
    largest = ServeLimits(memory_bytes=(1 << 63) - 1, cpu_seconds=86_400, wall_seconds=86_400)
    assert serve_one(golds, preds, limits=largest).scores is not None
    for least in (ServeLimits(memory_bytes=1), ServeLimits(wall_seconds=0)):
        assert serve_one(golds, preds, limits=least).message is not None


@pytest.mark.parametrize("name", ["x" * 200_000, "x/" * 100_000, "\0", "\ud800", "x" * 300])
def test_names_no_file_can_have_are_outcomes_too(golds: Path, preds: Path, name: str) -> None:
    served = [serve_one(golds, name), serve_one(name, preds), serve_one(golds, preds, task=name)]
    for one in served:
        assert one.scores is None and one.message and len(one.message) <= 280 and one.message.isprintable()
        assert one.message.startswith("predictions ") or (one.detail and len(one.detail) < 5000)


def test_faults_of_the_golds_are_the_hosts(golds: Path, preds: Path) -> None:
    golds.write_bytes(golds.read_bytes().replace(b'"task":"LaMP_4"', b'"task":"LaMP_9"'))
    served = serve_one(golds, preds)
    assert (served.scores, served.message) == (None, OWNER_TOLD)
    assert served.detail is not None and str(golds) in served.detail
    served = serve_one(golds.with_name("none"), preds)
    assert served.message == OWNER_TOLD and "No such file" in str(served.detail)
    assert serve_one(golds, preds, task="LaMP_99").message == OWNER_TOLD


@LINUX
def test_memory_is_bounded(tmp_path: Path) -> None:
    """Forty million bytes that no limit on files refuses become lists of half a gigabyte."""
    (tmp_path / "golds.zip").write_bytes(pairs()["click"].golds)
    hog = large(tmp_path / "preds.json", "click", "[]", 5_000_000)
    limits = ServeLimits(memory_bytes=400 * MIB)
    served = serve_one(tmp_path / "golds.zip", hog, limits=limits)
    assert served.message == "scoring needs more than 419,430,400 bytes of memory, the most it may use"
    assert "id '0'" in str(serve_one(tmp_path / "golds.zip", hog).message)
    (tmp_path / "preds.zip").write_bytes(pairs()["click"].preds)
    assert serve_one(tmp_path / "golds.zip", tmp_path / "preds.zip", limits=limits).scores is not None


def test_processor_and_clock_are_bounded(tmp_path: Path) -> None:
    """A longest common subsequence of texts as long as are read: half a million steps on integers of half a million bits."""
    for name, words in (("golds.json", "a b b "), ("preds.json", "b a ")):
        text = (words * 500_000)[:1_000_000]
        body = {"task": "LaMP_4", "golds": [{"id": str(row), "output": text} for row in range(4)]}
        (tmp_path / name).write_text(json.dumps(body))
    files = tmp_path / "golds.json", tmp_path / "preds.json"
    served = serve_one(*files, limits=ServeLimits(cpu_seconds=1))
    assert served.message == "scoring takes more than 1 second of CPU, the most it may take"
    start = time.monotonic()
    served = serve_one(*files, limits=ServeLimits(wall_seconds=0.7))
    assert time.monotonic() - start < 30  # far less than all of it would take
    assert served.message == "scoring takes more than 0.7 seconds, the most it may take"


FAKE = """#!/bin/sh
{program}
"""


@pytest.mark.parametrize(
    ("program", "message", "detail"),
    [
        ("echo the gold is X >&2; exit 3", "scoring failed", "ended with 3; the gold is X"),
        ("kill -SEGV $$", "scoring failed", "ended with -11"),
        ("kill -KILL $$", "scoring failed", "ended with -9"),
        ("echo 'no json'", "scoring failed", "ended with 0"),
        ("echo '[1]'", "scoring failed", "ended with 0"),
        ("echo '{\"scores\": 7}'", "scoring failed", "ended with 0"),
        ("yes", "the scores take more than 4,194,304 bytes, the most that is read of them", ""),
        ("yes >&2", "scoring takes more than 2 seconds", "y\ny\n"),
        ("sleep 60 & sleep 60", "scoring takes more than 2 seconds", ""),
        ("sleep 60 & echo '{\"scores\": {}}'", "scoring takes more than 2 seconds", ""),
    ],
)
def test_whatever_the_child_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str, detail: str
) -> None:
    fake = tmp_path / "python"
    fake.write_text(FAKE.format(program=program))
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(fake))
    start = time.monotonic()
    served = serve_one("g", "p", limits=ServeLimits(wall_seconds=2))
    assert time.monotonic() - start < 30  # half of what it would sleep
    assert served.scores is None and message in str(served.message) and detail in str(served.detail)
    assert len(str(served.detail)) < 5000


def test_nothing_of_a_service_is_left(
    tmp_path: Path, golds: Path, preds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file, no process; and the child sees neither the environment nor the working directory of the service."""
    import tempfile

    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("SECRET", "s")
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nenv >&2; pwd >&2; ls -A >&2; sleep 60 & echo pids $$ $! >&2; exec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    served = serve_one(golds, preds, limits=ServeLimits(wall_seconds=3))
    assert served.detail is not None and "SECRET" not in served.detail and str(tmp_path / "tmp") in served.detail
    *_, working_directory, told = served.detail.splitlines()
    assert Path(working_directory).is_relative_to(tmp_path / "tmp")  # nothing is listed after it: it is empty
    assert not list((tmp_path / "tmp").iterdir())
    _, *pids = told.split()
    deadline = time.monotonic() + 30
    while any(map(runs, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs(pid: str) -> bool:
    """Whether that process is there and no zombie, which a container's first process may never collect."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


@LINUX
def test_the_child_may_not_write_files_or_open_many(tmp_path: Path) -> None:
    program = (
        "import os, resource, sys; from harness.serve_child import _confine\n"
        "_confine({'memory_bytes': 1 << 30, 'cpu_seconds': 5, 'wall_seconds': 5})\n"
        "try: os.write(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY), b'x')\n"
        "except OSError as error: print(error.strerror)\n"
        "try: [open('/dev/null') for _ in range(100)]\n"
        "except OSError as error: print(error.strerror)\n"
        "held = resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_AS\n"
        "print(*(resource.getrlimit(what)[1] for what in held))"  # the hard limits, which cannot be raised again
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "x")], cwd=root, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["File too large", "Too many open files", "0 64 6 1073741824"], done.stderr


@pytest.mark.parametrize("task", sorted(pairs()))
def test_no_message_holds_a_gold(tmp_path: Path, task: str) -> None:
    """Mutated predictions, in real processes; the fuzzer does the same with thousands in one."""
    rng = random.Random(task)
    pair = pairs()[task]
    (tmp_path / "golds.zip").write_bytes(pair.golds)
    for number in range(4):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(mutated(rng, pair.preds, pair.preds))
        served = serve_one(tmp_path / "golds.zip", path)
        assert (served.scores is None) != (served.message is None)
        if served.message is not None:
            assert MARK not in served.message and len(served.message) <= 280 and served.message.isprintable()
            assert served.message.startswith("predictions "), served
