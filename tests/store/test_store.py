from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store import CorruptArtifactError, MissingArtifactError, Provenance, Store, StoreError
from store.backend import LocalBackend
from store.lineage import collect, garbage, verify, verify_all
from store.lineage import publish as send

MADE_BY = Provenance(task="t", version=1, config={})


def test_what_is_committed_is_read_back(local, make):
    made = make(local, "a/b", "1", {"x.json": '{"v": 1}', "d/y.txt": "why"})
    found = local.get("a/b", "1" * 16)
    assert found.read_json("x.json") == {"v": 1}
    assert (found.dir("d") / "y.txt").read_text() == "why" == (found.dir() / "d/y.txt").read_text()
    assert found.digest == made.digest
    assert local.find("a/b", "2" * 16) is None


def test_aux_files_are_kept_but_do_not_count(local, make):
    one = make(local, "a", "1", {"x": "same", "aux/timing": "1 s"})
    two = make(local, "a", "2", {"x": "same", "aux/timing": "2 s"})
    assert one.digest == two.digest
    assert two.path("aux/timing").read_text() == "2 s"


def test_tables_are_known_by_their_rows(local):
    digests = []
    for key, rows in (("1" * 16, [1, 2, 3]), ("2" * 16, [3, 2, 1])):
        attempt = local.begin("t", key)
        attempt.write_table("numbers", "decl", pa.table({"n": rows}))
        artifact = local.commit(attempt, MADE_BY, time.time())
        assert artifact.table("numbers").rows == 3
        assert artifact.table("numbers").read().column("n").to_pylist() == rows
        digests.append(artifact.digest)
    assert digests[0] == digests[1]
    with pytest.raises(MissingArtifactError, match="no table letters; it has numbers"):
        artifact.table("letters")


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_one_wrong_byte_is_seen_on_read(local, make, damage):
    make(local, "a", "1", {"x": "content"})
    path = next((local.root / "a" / ("1" * 16)).glob("*/x"))
    if damage == "flip":
        path.write_text("c0ntent")
    elif damage == "cut":
        path.write_text("con")
    else:
        path.unlink()
    with pytest.raises(CorruptArtifactError, match="x "):
        local.get("a", "1" * 16).path("x")
    assert len(verify(local, local.get("a", "1" * 16))) == 1
    assert len(verify_all(local, remove=True)["a@" + "1" * 16]) == 1
    assert local.find("a", "1" * 16) is None


def test_a_garbled_manifest_is_named(local, make):
    make(local, "a", "1", {"x": "y"})
    manifest = local.root / "a" / ("1" * 16) / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"digest"', '"digestion"', 1))
    with pytest.raises(CorruptArtifactError, match=r"a/1+/manifest.json"):
        local.get("a", "1" * 16)


def test_the_second_writer_uses_the_winner(local):
    first, second = local.begin("a", "1" * 16), local.begin("a", "1" * 16)
    first.write_json("x", 1)
    second.write_json("x", 2)
    won = local.commit(first, MADE_BY, time.time())
    lost = local.commit(second, MADE_BY, time.time())
    assert lost.manifest == won.manifest and lost.read_json("x") == 1
    assert not second.root.exists()


def _race(root: str, value: int, barrier) -> None:
    store = Store.open(root)
    attempt = store.begin("a", "1" * 16)
    attempt.write_json("x", value)
    barrier.wait()
    store.commit(attempt, MADE_BY, time.time())


def test_many_processes_at_once_end_with_one_artifact(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    processes = [context.Process(target=_race, args=(str(tmp_path), i, barrier)) for i in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    store = Store.open(str(tmp_path))
    assert [name for name, _ in store.addresses()] == ["a"]
    assert len([p for p in (tmp_path / "a" / ("1" * 16)).iterdir() if p.is_dir()]) == 1


def test_a_killed_writer_leaves_nothing_that_is_read(tmp_path):
    code = (
        "import sys, time; from store import Store; s = Store.open(sys.argv[1]);"
        "a = s.begin('a', '1' * 16); a.write_json('x', 1); print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert process.stdout is not None and process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    store = Store.open(str(tmp_path))
    assert store.find("a", "1" * 16) is None
    dead, orphans = garbage(store, lambda artifact: None)
    assert dead == [] and len(orphans) == 1 and orphans[0].endswith("/x")
    assert garbage(store, lambda artifact: None, older_than_s=3600)[1] == []  # it may still be running


def test_pointers_and_addresses(local, make):
    make(local, "a", "1", {"x": "1"})
    two = make(local, "a", "2", {"x": "2"})
    assert local.resolve("a").key == two.key == local.resolve("a:latest").key
    assert local.resolve("a@111").key == "1" * 16
    for address, words in {"b": "no b", "a@9": "no key starts with 9", "a:nightly": "no a:nightly"}.items():
        with pytest.raises(MissingArtifactError, match=words):
            local.resolve(address)


def test_paths_stay_inside(local):
    attempt = local.begin("a", "1" * 16)
    for path in ("../x", "/etc/x", "a/../../x", ""):
        with pytest.raises(StoreError, match="no path inside"):
            attempt.path(path)


def test_garbage_is_what_no_pointer_reaches(local, make):
    parent = make(local, "p", "1", {"x": "1"})
    make(local, "c", "2", {"x": "2"}, parent)
    make(local, "p", "3", {"x": "3"})
    make(local, "c", "4", {"x": "4"}, local.get("p", "3" * 16))
    dead, orphans = garbage(local, lambda artifact: None)
    assert {str(a) for a in dead} == {"p@111111111111", "c@222222222222"} and orphans == []
    collect(local, dead, orphans)
    assert garbage(local, lambda artifact: None) == ([], []) and len(list(local.addresses())) == 2


def test_a_full_disk_is_one_line(local, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="the disk is full"):
        LocalBackend(local.root).write("x", b"1", None)
    monkeypatch.undo()
    assert list(local.root.rglob("*")) == [] or not (local.root / "x").exists()


class Commits(RuleBasedStateMachine):
    """Any order of begins, commits, crashes and publications: no reader ever sees a manifest without all its files."""

    @initialize()
    def start(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store.open(str(Path(self.folder.name) / "s"))
        self.there = LocalBackend(Path(self.folder.name) / "there")
        self.open: list[object] = []
        self.truth: dict[str, str] = {}

    @rule(key=st.sampled_from("123"), value=st.integers())
    def begin(self, key: str, value: int) -> None:
        attempt = self.store.begin("a", key * 16)
        attempt.write_json("x", value)
        self.open.append(attempt)

    @rule()
    def commit(self) -> None:
        if self.open:
            artifact = self.store.commit(self.open.pop(0), MADE_BY, time.time())
            self.store.point(artifact)
            assert self.truth.setdefault(artifact.key, artifact.digest) == artifact.digest

    @rule()
    def crash(self) -> None:
        self.open.clear()

    @rule()
    def publish(self) -> None:
        if self.truth:
            send(self.store, self.store.resolve("a"), self.there, lambda artifact: None)

    @invariant()
    def readers_see_whole_artifacts(self) -> None:
        if not hasattr(self, "store"):
            return
        for store in (self.store, Store(self.there.root)):
            for name, key in store.addresses():
                assert verify(store, store.get(name, key)) == []

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestCommits = Commits.TestCase
TestCommits.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
