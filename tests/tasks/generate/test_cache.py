from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.generate.base import Identity, Message, Sampling, Usage
from tasks.generate.cache import CachedText, CacheError, SentenceCache, cache_key
from tasks.generate.generate import Request, generate_texts

IDENTITY = Identity("model", "r1", "engine", "float32")
ROOT = Path(__file__).resolve().parents[3]


def text(said: str) -> CachedText:
    return CachedText(said, Usage(3, 2))


def test_what_is_put_is_got_again_from_another_connection(tmp_path):
    path = tmp_path / "deep" / "s.sqlite"
    with SentenceCache(path) as cache:
        cache.put({"a": text("one\n“two”"), "b": text("")})
    with SentenceCache(path) as cache:
        assert cache.get(["b", "a", "missing"]) == {"a": text("one\n“two”"), "b": text("")}
        assert len(cache) == 2 and cache.get([]) == {}


def test_more_keys_than_one_query_takes(tmp_path):
    texts = {f"k{i}": text(str(i)) for i in range(1203)}
    with SentenceCache(tmp_path / "s.sqlite") as cache:
        cache.put(texts)
        assert cache.get(list(texts)) == texts


def test_the_first_text_of_a_key_stays(tmp_path):
    with SentenceCache(tmp_path / "s.sqlite") as one, SentenceCache(tmp_path / "s.sqlite") as other:
        one.put({"a": text("first")})
        other.put({"a": text("second")})
        assert one.get(["a"]) == other.get(["a"]) == {"a": text("first")}


CHANGES = {
    "model": {"identity": replace(IDENTITY, model="other")},
    "revision": {"identity": replace(IDENTITY, revision="r2")},
    "engine": {"identity": replace(IDENTITY, engine="other")},
    "dtype": {"identity": replace(IDENTITY, dtype="bfloat16")},
    "max_new_tokens": {"sampling": Sampling(max_new_tokens=31)},
    "temperature": {"sampling": Sampling(temperature=0.5)},
    "seed": {"sampling": Sampling(seed=1)},
    "stop": {"sampling": Sampling(stop=("\n",))},
    "template": {"template": "t/2"},
    "prompt": {"prompt": "another"},
    "chat": {"prompt": (Message("user", "prompt"),)},
    "role": {"prompt": (Message("system", "prompt"),)},
}


@pytest.mark.parametrize("change", CHANGES)
def test_all_that_a_text_depends_on_is_in_its_key(change):
    base = {"identity": IDENTITY, "sampling": Sampling(), "template": "t/1", "prompt": "prompt"}
    keys = {cache_key(**(base | other)) for name, other in CHANGES.items() if name != change}
    assert cache_key(**(base | CHANGES[change])) not in keys | {cache_key(**base)}


def test_a_key_is_the_same_tomorrow():
    known = cache_key(IDENTITY, Sampling(), "t/1", (Message("user", "é"),))
    assert known == "b81c90a16d8aba83953ac77a71ade4b1823d28d759f4e10b2cb5d7985c792ecd"


def test_damage_is_told_and_not_mended_by_forgetting(tmp_path):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"this is no database, but it is long enough to be taken for one" * 20)
    with pytest.raises(CacheError, match=r"s\.sqlite: damaged \(file is not a database\); move the file away"):
        SentenceCache(path)
    assert path.exists()


def test_damage_inside_is_told(tmp_path):
    path = tmp_path / "s.sqlite"
    with SentenceCache(path) as cache:
        cache.put({f"k{i}": text("x" * 200) for i in range(2000)})
    content = bytearray(path.read_bytes())
    for at in range(4096, len(content), 4096):
        content[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(content[: len(content) // 4096 * 4096])
    with SentenceCache(path) as cache, pytest.raises(CacheError, match="damaged"):
        cache.get(["k1"])


def test_a_newer_layout_is_refused(tmp_path):
    path = tmp_path / "s.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=9")
    database.commit()
    database.close()
    with pytest.raises(CacheError, match="layout 9"):
        SentenceCache(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "s.sqlite").mkdir()
    with pytest.raises(CacheError, match="unable to open database file"):
        SentenceCache(tmp_path / "s.sqlite")


def _fill(path: Path, name: str, barrier) -> None:
    barrier.wait()
    with SentenceCache(path) as cache:
        for start in range(0, 400, 4):
            cache.put({f"k{i}": text(f"{name} {i}") for i in range(start, start + 4)})


def test_two_processes_fill_one_cache(tmp_path):
    path = tmp_path / "s.sqlite"
    spawn = multiprocessing.get_context("fork")
    barrier = spawn.Barrier(2)
    processes = [spawn.Process(target=_fill, args=(path, name, barrier)) for name in ("one", "two")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    with SentenceCache(path) as cache:
        stored = cache.get([f"k{i}" for i in range(400)])
    assert len(stored) == 400
    assert all(stored[f"k{i}"].text.split()[1] == str(i) for i in range(400))


CHILD = """
import sys, time
from pathlib import Path
from tasks.generate.base import Generation, Identity, Sampling, Usage
from tasks.generate.cache import SentenceCache
from tasks.generate.generate import Request, generate_texts

class Slow:
    identity = Identity("m", "", "slow", "")
    def generate(self, prompts, sampling):
        for at, prompt in enumerate(prompts):
            time.sleep(0.01)
            with open(sys.argv[2], "a") as log:
                log.write(prompt + "\\n")
            yield Generation(at, prompt.upper(), Usage(1, 1))

with SentenceCache(Path(sys.argv[1])) as cache:
    requests = [Request(f"p{i}", "t/1") for i in range(200)]
    texts = generate_texts(requests, Slow(), Sampling(), cache)
print(",".join(text.text for text in texts))
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    path, log = tmp_path / "s.sqlite", tmp_path / "log"
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(path), str(log)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not log.exists() or len(log.read_text().splitlines()) < 70):
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    before = log.read_text().splitlines()
    with SentenceCache(path) as cache:
        kept = len(cache)
    assert 0 < kept < 200 and len(before) - kept <= 16, "a kill costs at most one group of texts"
    log.unlink()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ",".join(f"P{i}" for i in range(200))
    assert len(log.read_text().splitlines()) == 200 - kept, "no committed text is made twice"


def test_equal_prompts_are_made_once_and_order_is_kept(tmp_path, echo):
    requests = [Request(prompt, "t/1") for prompt in ("a", "b", "a", "c")]
    shown: list[int] = []
    with SentenceCache(tmp_path / "s.sqlite") as cache:
        texts = generate_texts(requests, echo, Sampling(), cache, shown.append)
        assert [one.text for one in texts] == ["a!", "b!", "a!", "c!"]
        assert sorted(echo.asked) == ["a", "b", "c"] and shown == [0, 1, 1, 1]
        assert not any(one.cached for one in texts) and texts[0].key == texts[2].key
        again = generate_texts([*requests, Request("d", "t/1")], echo, Sampling(), cache)
    assert [one.text for one in again] == ["a!", "b!", "a!", "c!", "d!"]
    assert [one.cached for one in again] == [True] * 4 + [False] and len(echo.asked) == 4
    assert again[0].usage == Usage(3, 2)


def test_what_was_finished_before_a_failure_is_kept(tmp_path, echo):
    echo.fail_after = 5
    requests = [Request(f"p{i}", "t/1") for i in range(8)]
    with SentenceCache(tmp_path / "s.sqlite") as cache:
        with pytest.raises(RuntimeError, match="fell over"):
            generate_texts(requests, echo, Sampling(), cache)
        assert len(cache) == 5
        echo.fail_after = None
        assert [one.text for one in generate_texts(requests, echo, Sampling(), cache)] == [f"p{i}!" for i in range(8)]
    assert sorted(echo.asked) == sorted(f"p{i}" for i in range(8))


def test_another_process_being_first_wins(tmp_path, echo):
    requests = [Request("a", "t/1")]
    key = cache_key(echo.identity, Sampling(), "t/1", "a")
    with SentenceCache(tmp_path / "s.sqlite") as cache, SentenceCache(tmp_path / "s.sqlite") as other:
        plain_generate = echo.generate

        def late(prompts, sampling):
            other.put({key: text("theirs")})
            yield from plain_generate(prompts, sampling)

        echo.generate = late
        assert generate_texts(requests, echo, Sampling(), cache)[0].text == "theirs"
