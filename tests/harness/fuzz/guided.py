"""The same search guided by coverage, through atheris, which is installed by hand."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from tests.harness.fuzz.corpus import FOLDER
from tests.harness.fuzz.mutate import mutated
from tests.harness.fuzz.run_one import Input, run_one
from tests.harness.fuzz.seeds import pairs


def fuzz_guided(seconds: float, seed: int, found: Path) -> int:
    """Fuzz predictions; an input's first byte picks the task, the rest is the file. Ends at the first fault."""
    import atheris

    tasks = sorted(pairs())
    found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as corpus:
        for number, task in enumerate(tasks):
            (Path(corpus) / task).write_bytes(bytes([number]) + pairs()[task].preds)
        for path in FOLDER.iterdir():
            side, task, _ = path.name.split("-", 2)
            if side == "preds":
                (Path(corpus) / path.name).write_bytes(bytes([tasks.index(task)]) + path.read_bytes())

        def one(data: bytes) -> None:
            if data:
                pair = pairs()[tasks[data[0] % len(tasks)]]
                run_one(Input(pair.task, pair.golds, data[1:], False, True), Path(folder))

        def mutate(data: bytes, max_size: int, draw: int) -> bytes:
            rng = random.Random(draw)
            other = pairs()[rng.choice(tasks)].preds
            return (data[:1] + mutated(rng, data[1:], other))[:max_size]

        atheris.instrument_all()
        arguments = [f"-max_total_time={int(seconds)}", f"-seed={seed}", "-max_len=100000", "-rss_limit_mb=2048"]
        arguments += [f"-artifact_prefix={found}/", "-timeout=20", corpus]
        atheris.Setup([sys.argv[0], *arguments], one, custom_mutator=mutate)
        atheris.Fuzz()
    return 0
