"""The command behind `python -m harness` and `lampworks score`.

A larger command line calls one function and exits with what it returns:

    raise typer.Exit(score_command(golds, preds, as_json=json, output=output))
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HarnessError


def score_command(
    golds: str | os.PathLike[str],
    preds: str | os.PathLike[str],
    *,
    task: str | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    per_sample: bool = False,
    as_json: bool = False,
    output: Path | None = None,
) -> int:
    """Score, write the result to stdout (a table, or JSON) and as JSON to `output`; the exit code.

    0, or 2 after one line on stderr for a mistake of the user's: then nothing goes to stdout or to `output`.
    """
    from harness.render import render
    from harness.scoring import score

    try:
        result = score(golds, preds, task=task, n_bootstrap=n_bootstrap, seed=seed, per_sample=per_sample)
        if output is not None:
            _write_whole(output, result.to_json())
    except HarnessError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    if as_json:
        sys.stdout.write(result.to_json())
    else:
        render(result, sys.stdout)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m harness`; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness", description="Score predictions against golds.")
    parser.add_argument("--golds", required=True, help="a JSON, a zip or a directory")
    parser.add_argument("--preds", required=True, help="a JSON, a zip or a directory")
    parser.add_argument("--task", help="the task to score, where the golds hold several")
    parser.add_argument(
        "--n-bootstrap", type=int, default=1000, help="resamples for the interval; 0 for none (default 1000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the resamples (default 0)")
    parser.add_argument("--per-sample", action="store_true", help="put the values of each sample into the JSON")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--output", type=Path, help="also write the JSON to this file")
    return score_command(**vars(parser.parse_args(arguments)))


def _write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all; raises `HarnessError` where it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as cause:
        raise HarnessError(f"writing {path}: {cause.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)
