"""Fuzz `harness.score`: `python -m tests.harness.fuzz --seconds 600 --seed 0`; 0 where nothing was found.

Each input must end in a result or a `HarnessError`, within two seconds of CPU and a bound of memory; sound golds are
never blamed, and no message about predictions shows them. What is found is kept under --found, and put into the corpus
by adding it to corpus.py. `--engine atheris` guides the mutations by coverage (needs `pip install atheris`).
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import re
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from tests.harness.fuzz.corpus import inputs
from tests.harness.fuzz.mutate import mutated
from tests.harness.fuzz.run_one import Input, run_one
from tests.harness.fuzz.seeds import pairs

_MEMORY_BYTES = 1 << 30
_HANGS_AFTER = 60
_MOST_KEPT = 2000
# What differs between outcomes of one kind: names of members, quoted names, numbers.
_VARIABLE = re.compile(r"/\w+\.(zip|json)|(?<=: )[^:]*\.(json|npy)(?=: )|'[^']*'|\"[^\"]*\"|\d[\d,.]*|[0-9a-f]{8,}")


class Fuzzer:
    """Mutates what it has, keeps what ends as nothing before it ended, and writes down what must not happen."""

    def __init__(self, seed: int, folder: Path, found: Path) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.found = found
        self.sound = [Input(pair.task, pair.golds, pair.preds, False, False) for pair in pairs().values()]
        self.pool = [*inputs().values(), *self.sound]
        self.outcomes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def drawn(self) -> Input:
        """A mutation of something in the pool: of predictions mostly, of golds at times, seldom of both."""
        fresh = self.rng.random() < 0.6  # what has once been damaged seldom gets far
        base = self.rng.choice(self.sound if fresh else self.pool)
        other = self.rng.choice(self.pool)
        sound = pairs()[base.task]
        golds, preds = base.golds if base.golds_mutated else sound.golds, base.preds
        change_golds = base.golds_mutated or self.rng.random() < 0.15
        change_preds = not change_golds or self.rng.random() < 0.1
        golds = mutated(self.rng, golds, other.golds) if change_golds else sound.golds
        preds = mutated(self.rng, preds, other.preds) if change_preds else sound.preds
        zipped = (golds if change_golds else preds).startswith(b"PK") != (self.rng.random() < 0.05)
        suffix = ".zip" if zipped else ".json"
        return Input(base.task, golds, preds, change_golds, change_preds, suffix, self.rng.random() < 0.3)

    def tried(self, case: Input) -> None:
        """Score one input; what becomes of it is counted by its kind, digits and quoted names left out."""
        try:
            outcome = run_one(case, self.folder)
        except Exception as error:  # noqa: BLE001 (the search is for every kind)
            self._keep(case, error)
            return
        kind = _VARIABLE.sub("_", outcome)[:150]
        self.outcomes[kind] += 1
        if self.outcomes[kind] == 1 and len(self.pool) < _MOST_KEPT and len(case.preds) + len(case.golds) < 100_000:
            self.pool.append(case)

    def _keep(self, case: Input, error: Exception) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        self.faults[where] += 1
        if self.faults[where] > 1:
            return
        place = self.found / f"{len(self.faults):03d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"golds{case.suffix if case.golds_mutated else '.zip'}").write_bytes(case.golds)
        (place / f"preds{case.suffix if case.preds_mutated else '.zip'}").write_bytes(case.preds)
        (place / "fault.txt").write_text(
            f"allow_missing={case.allow_missing}\n" + "".join(traceback.format_exception(error)),
            "utf-8",
            "backslashreplace",
        )
        sys.stdout.write(f"{place}: {where}: {str(error)[:200]!a}\n")
        sys.stdout.flush()


def bound_memory() -> None:
    """A gigabyte above what is mapped now: what needs more ends in a MemoryError, which is a find."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    limit = pages * resource.getpagesize() + _MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def fuzz(seconds: float, seed: int, found: Path) -> Fuzzer:
    """Fuzz for so long, corpus first."""
    warnings.simplefilter("ignore")  # zipfile's, about the names it is asked to write
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(seed, Path(folder), found)
        end = time.monotonic() + seconds
        for case in list(fuzzer.pool):
            fuzzer.tried(case)
        bound_memory()  # after every task has been imported
        while time.monotonic() < end:
            faulthandler.dump_traceback_later(_HANGS_AFTER, exit=True)
            try:
                case = fuzzer.drawn()
            except MemoryError:
                continue  # a mutation outgrew the bound before any reader saw it
            fuzzer.tried(case)
        faulthandler.cancel_dump_traceback_later()
        return fuzzer


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.harness.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()) / "lampworks-fuzz")
    parser.add_argument("--engine", choices=["plain", "atheris"], default="plain")
    parser.add_argument("--outcomes", action="store_true", help="list how often each kind of outcome was met")
    options = parser.parse_args()
    if options.engine == "atheris":
        from tests.harness.fuzz.guided import fuzz_guided

        return fuzz_guided(options.seconds, options.seed, options.found)
    fuzzer = fuzz(options.seconds, options.seed, options.found)
    if options.outcomes:
        for kind, count in fuzzer.outcomes.most_common():
            sys.stdout.write(f"{count:8,}  {kind!a}\n")
    count = sum(fuzzer.outcomes.values()) + sum(fuzzer.faults.values())
    sys.stdout.write(
        f"{count:,} inputs, {len(fuzzer.outcomes)} kinds of outcome, {fuzzer.outcomes['scored']:,} scored, "
        f"{len(fuzzer.faults)} kinds of fault\n"
    )
    return 1 if fuzzer.faults else 0


if __name__ == "__main__":
    sys.exit(main())
