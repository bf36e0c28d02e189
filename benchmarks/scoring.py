"""Scoring: whole processes, metrics alone, single strings, and what large and hostile files cost.

Peers: rouge_score with its aggregator and scikit-learn, as LaMP's scorer uses them (`benchmarks.reference_scoring`).
Texts are words of a Zipf law over 20,000 words, about ten a headline; half the words of a prediction are the gold's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rouge_score import rouge_scorer

from benchmarks import reference_scoring
from harness import score_pair, score_strings, write_envelopes
from harness.lamp.labels import MOVIE_TAGS

# A dev set of the time-based separation.
SIZES = {
    "LaMP_1": 1500, "LaMP_2": 1410, "LaMP_3": 2500, "LaMP_4": 1500, "LaMP_5": 1500, "LaMP_6": 1250, "LaMP_7": 1498,
}  # fmt: skip
Texts = tuple[list[str], list[str]]


def rows() -> list[dict[str, object]]:
    """One row a job and peer."""
    rng = np.random.default_rng(0)
    pairs = headlines(rng, 10_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = written(folder / "one", {"LaMP_4": pairs})
        seven = written(folder / "seven", {task: outputs(rng, task, n) for task, n in SIZES.items()})
        return [
            *_in_process(pairs),
            *(_processes("score 10,000 headlines, whole process", one)),
            *(_processes(f"score seven tasks ({sum(SIZES.values()):,} samples), whole process", seven)),
            _help(),
            _million(folder, rng),
            _bomb(folder, one[0]),
        ]


def headlines(rng: np.random.Generator, n: int) -> Texts:
    """Golds and predictions of about ten words."""
    words = np.array([f"w{number}" if number % 9 else f"Word-{number}" for number in range(20_000)])
    weights = 1 / np.arange(1, len(words) + 1)
    drawn = rng.choice(words, size=(n, 2, 14), p=weights / weights.sum())
    lengths = rng.integers(6, 15, size=(n, 2))
    golds = [" ".join(row[0, : size[0]]) for row, size in zip(drawn, lengths, strict=True)]
    kept = rng.random((n, 14)) < 0.5
    mixed = np.where(kept, drawn[:, 0], drawn[:, 1])
    return golds, [" ".join(row[: size[1]]) for row, size in zip(mixed, lengths, strict=True)]


def outputs(rng: np.random.Generator, task: str, n: int) -> Texts:
    """Golds and predictions of a task."""
    if task in ("LaMP_1", "LaMP_2", "LaMP_3"):
        labels = {"LaMP_1": ["[1]", "[2]"], "LaMP_2": list(MOVIE_TAGS), "LaMP_3": list("12345")}[task]
        return tuple([str(label) for label in rng.choice(labels, n)] for _ in range(2))  # type: ignore[return-value]
    return headlines(rng, n)


def written(folder: Path, tasks: dict[str, Texts]) -> tuple[Path, Path]:
    """The zips of golds and of predictions, these in another order."""
    folder.mkdir()
    for side, name in enumerate(("golds.zip", "preds.zip")):
        items = {
            task: [{"id": str(row), "output": text} for row, text in enumerate(texts[side])][:: 1 - 2 * side]
            for task, texts in tasks.items()
        }
        write_envelopes(folder / name, items)
    return folder / "golds.zip", folder / "preds.zip"


def _in_process(pairs: Texts) -> list[dict[str, object]]:
    """Metrics alone, on strings in memory, in one process and thread."""
    few = (pairs[0][:2000], pairs[1][:2000])
    scorer = rouge_scorer.RougeScorer(["rouge1", "rougeL"])

    def theirs_alone() -> list[float]:
        return [scorer.score(gold, pred)["rougeL"].fmeasure for gold, pred in zip(*pairs, strict=True)]

    def ours_alone() -> list[float]:
        return score_strings(*pairs, task="LaMP_4").per_sample["rouge-L"].tolist()

    def ours_one_by_one() -> list[float]:
        return [score_pair(gold, pred, task="LaMP_4")["rouge-L"] for gold, pred in zip(*few, strict=True)]

    def theirs_one_by_one() -> list[float]:
        return [scorer.score(gold, pred)["rougeL"].fmeasure for gold, pred in zip(*few, strict=True)]

    alone = _beside("ROUGE-1 and -L of 10,000 headlines", ours_alone, "RougeScorer(rouge1, rougeL)", theirs_alone, 5)
    single = _beside(
        "one call a pair, 2,000 pairs", ours_one_by_one, "RougeScorer(rouge1, rougeL)", theirs_one_by_one, 5
    )
    whole = _beside(
        "metrics of 10,000 headlines",
        lambda: score_strings(*pairs, task="LaMP_4").metrics,
        "rouge_score with its aggregator",
        lambda: reference_scoring.rouge(*pairs),
        2,
        same=False,
    )
    for row, n in ((alone, 10_000), (single, 2_000), (whole, 10_000)):
        row["note"] = f"{1e6 * float(str(row['ours_s'])) / n:.2f} µs a pair"
    return [alone, single, whole]


def _processes(size: str, files: tuple[Path, Path]) -> list[dict[str, object]]:
    """The whole process from the command line to its end, the better of three, beside the peer's."""
    where = ["--golds", str(files[0]), "--preds", str(files[1]), "--json"]
    theirs = _run([sys.executable, "-m", "benchmarks.reference_scoring", *map(str, files)], 2)
    made = []
    for name, command in (
        ("python -m harness", [sys.executable, "-m", "harness", *where]),
        ("lampworks score", [str(Path(sys.executable).with_name("lampworks")), "score", *where]),
    ):
        ours = _run(command, 3)
        made.append(
            _row(
                size, ours[0], "rouge_score, scikit-learn", theirs[0], ours[1], f"{name}, with intervals and zips read"
            )
        )
    return made


def _help() -> dict[str, object]:
    seconds, peak = _run([str(Path(sys.executable).with_name("lampworks")), "score", "--help"], 5)
    return _row("lampworks score --help", seconds, None, None, peak, "")


def _million(folder: Path, rng: np.random.Generator) -> dict[str, object]:
    """One file of a million headlines, with and without intervals."""
    golds, preds = headlines(rng, 100_000)
    files = written(folder / "million", {"LaMP_4": (golds * 10, preds * 10)})
    command = [sys.executable, "-m", "harness", "--golds", str(files[0]), "--preds", str(files[1]), "--json"]
    alone = _run([*command, "--n-bootstrap", "0"], 1)
    seconds, peak = _run(command, 1)
    size = sum(path.stat().st_size for path in files) / 1e6
    return _row(
        "score 1,000,000 headlines",
        seconds,
        None,
        None,
        peak,
        f"{size:.0f} MB of zips; {alone[0]:.1f} s without intervals",
    )


def _bomb(folder: Path, golds: Path) -> dict[str, object]:
    """A JSON that packs 1000 to 1, refused."""
    bomb = folder / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("LaMP_4.json", '{"task": "LaMP_4", "golds": [' + "0," * 100_000_000 + "0]}")
    seconds, peak = _run([sys.executable, "-m", "harness", "--golds", str(golds), "--preds", str(bomb)], 2, status=2)
    return _row("refuse a 200 MB bomb", seconds, None, None, peak, f"{bomb.stat().st_size / 1e3:.0f} kB packed")


# A process of its own, and a small one: a child's peak memory counts that of the parent it is forked from.
_RUNNER = """
import os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, ended, usage = os.wait4(child.pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss, os.waitstatus_to_exitcode(ended))
"""


def _run(command: list[str], times: int, status: int = 0) -> tuple[float, int]:
    """Least seconds of a command's runs, and the largest peak memory in MB."""
    best, peak = float("inf"), 0
    for _ in range(times):
        told = subprocess.run(
            [sys.executable, "-S", "-c", _RUNNER, *command], capture_output=True, text=True, check=True
        )
        seconds, memory, ended = told.stdout.split()
        best, peak = min(best, float(seconds)), max(peak, int(memory) // 1024)
        if int(ended) != status:
            raise AssertionError(f"{' '.join(command)} ended with {ended}")
    return best, peak


def _beside(
    size: str, ours: Callable[[], object], peer: str, theirs: Callable[[], object], times: int, same: bool = True
) -> dict[str, object]:
    """The best of several runs each, in turn, so that a busy moment does not fall on one side alone."""
    ours_s = peer_s = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        found = ours()
        ours_s, started = min(ours_s, time.perf_counter() - started), time.perf_counter()
        other = theirs()
        peer_s = min(peer_s, time.perf_counter() - started)
        if same and found != other:
            raise AssertionError("the two ways differ")
    return _row(size, ours_s, peer, peer_s, None, "")


def _row(
    size: str, ours_s: float, peer: str | None, peer_s: float | None, peak: int | None, note: str
) -> dict[str, object]:
    return {
        "job": "scoring",
        "size": size,
        "ours_s": ours_s,
        "peer": peer,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s if peer_s else None,
        "peak_memory_mb": peak,
        "note": note,
    }
