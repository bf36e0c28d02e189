"""The corpus replayed, and a few seconds of the fuzzer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness import SubmissionError
from tests.harness.fuzz.corpus import CASES, inputs
from tests.harness.fuzz.run_one import FoundError, Input, run_one
from tests.harness.fuzz.seeds import MARK, pairs

EXPECTED = {name: outcome for name, _, outcome in CASES}


def test_the_corpus_is_what_the_script_writes() -> None:
    assert inputs().keys() == EXPECTED.keys()
    written = {name: data for name, data, _ in CASES}
    for name, case in inputs().items():
        if "bomb" not in name:  # deflate's bytes differ between zlib builds
            assert written[name] == (case.golds if case.golds_mutated else case.preds), name


@pytest.mark.parametrize("name", EXPECTED)
def test_replays(name: str, tmp_path: Path) -> None:
    assert EXPECTED[name] in run_one(inputs()[name], tmp_path)


@pytest.mark.parametrize("task", pairs())
def test_the_seeds_are_sound(task: str, tmp_path: Path) -> None:
    pair = pairs()[task]
    assert run_one(Input(task, pair.golds, pair.preds, False, False), tmp_path) == "scored"


def test_some_seconds_find_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.harness.fuzz", "--seconds", "5", "--seed", "7", "--found", str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).resolve().parents[3], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    count = int(done.stdout.split(" inputs")[0].replace(",", ""))
    assert count > 100 and "0 kinds of fault" in done.stdout


def test_the_fuzzer_finds_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault put in on purpose is met, written down once, and can be repeated from what was written."""
    import harness.strict_json as strict_json
    from tests.harness.fuzz.__main__ import Fuzzer

    refuse = strict_json._refuse_constant
    monkeypatch.setattr(strict_json, "_refuse_constant", lambda constant: 1 // (constant != "NaN") or refuse(constant))
    fuzzer = Fuzzer(0, tmp_path, tmp_path / "found")
    for name, case in inputs().items():
        if "nan" in name or "infinity" in name:
            fuzzer.tried(case)
    assert list(fuzzer.faults.values()) == [1]
    (place,) = (tmp_path / "found").iterdir()
    assert "ZeroDivisionError" in (place / "fault.txt").read_text()
    assert b"NaN" in (place / "preds.json").read_bytes()


def test_a_gold_in_a_message_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tests.harness.fuzz.run_one as run_one_module

    def leaks(*_: object, **__: object) -> None:
        raise SubmissionError(f"the gold is {MARK}")

    monkeypatch.setattr(run_one_module, "score", leaks)
    with pytest.raises(FoundError, match="shows a gold"):
        run_one(inputs()["preds-LaMP_3-sound.json"], tmp_path)
