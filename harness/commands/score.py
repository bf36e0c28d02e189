"""Score predictions against golds: zip in, score out, offline."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from harness.commands.options import FILE, add_what, say_how_to_allow_missing
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.comparison import Comparison

_EXAMPLES = """examples:
  lampworks score --golds golds.zip --preds preds.zip
  lampworks score --golds dev_outputs.json --preds mine.json --task LaMP_3 --json
  lampworks score --golds golds.zip --preds base.zip tuned.zip --report report.html"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `score`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("-g", "--golds", required=True, help=FILE)
    parser.add_argument(
        "-p",
        "--preds",
        required=True,
        nargs="+",
        action="extend",
        help="the same; further ones are compared with the first",
    )
    add_what(parser)
    parser.add_argument("--n-bootstrap", type=int, default=1000, help="resamples for intervals (default 1000; 0: none)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the resamples (default 0)")
    parser.add_argument(
        "--rouge",
        choices=("mean", "reference"),
        default="mean",
        help="ROUGE as its mean (default), or as the bootstrap median that LaMP's own scorer prints for --seed",
    )
    parser.add_argument("--anchors", action="store_true", help="show published results beside the scores")
    parser.add_argument("--per-sample", action="store_true", help="put the values of each sample into the JSON")
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", dest="format", action="store_const", const="json", help="print everything as JSON")
    for name in ("markdown", "latex", "csv"):
        formats.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=f"print {name}")
    parser.add_argument("-o", "--output", type=Path, help="also write the bare values here, as LaMP's own scorer does")
    parser.add_argument("--report", type=Path, help="also write a self-contained HTML page here")


def run(options: argparse.Namespace) -> int:
    """Score, print, and write what was asked for."""
    from harness.files import write_whole
    from harness.result import as_json

    _check(options)
    with say_how_to_allow_missing():
        comparison = _compared(options, _systems(options.preds))
    if options.output is not None:
        values = {name: scores.bare() for name, scores in comparison.systems.items()}
        write_whole(options.output, as_json(values if len(values) > 1 else next(iter(values.values()))))
    _print(comparison, options)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse options that cannot go together, and places that cannot be written to."""
    from harness.files import check_writable

    if options.anchors and options.format not in (None, "markdown"):
        raise HarnessError(
            f"--anchors with --{options.format}: published results go with the table, --markdown and --report"
        )
    if options.per_sample and options.format != "json":
        raise HarnessError("--per-sample goes with --json alone; --report shows samples to read")
    taken = {os.path.realpath(path): path for path in (options.golds, *options.preds)}
    for path in (options.output, options.report):
        if path is not None:
            check_writable(path)
            place = os.path.realpath(path)
            if place in taken:
                raise HarnessError(f"writing {path}: is {taken[place]}, which is used already; name another file")
            taken[place] = path


def _compared(options: argparse.Namespace, systems: dict[str, str]) -> Comparison:
    """Every system scored, compared with the first, and the report written where it is asked for."""
    from harness.comparison import compare

    settings = {
        "task": options.task,
        "n_bootstrap": options.n_bootstrap,
        "seed": options.seed,
        "allow_missing": options.allow_missing,
        "rouge": options.rouge,
        "per_sample": options.per_sample,
    }
    if options.report is None:
        return compare(options.golds, systems, **settings)
    from harness.report import write_report

    return write_report(options.report, options.golds, systems, anchors=options.anchors, **settings)


def _print(comparison: Comparison, options: argparse.Namespace) -> None:
    from harness import formats
    from harness.lamp.anchors import anchors_for

    systems = comparison.systems
    several = comparison if len(systems) > 1 else None
    first = next(iter(systems.values()))
    tasks = dict.fromkeys(task for scores in systems.values() for task in scores)
    anchors = [table for task in tasks for table in anchors_for(task)] if options.anchors else []
    if options.format is None:
        formats.table(systems, sys.stdout, several, anchors)
        return
    text = {
        "json": lambda: (comparison if several else first).to_json(),
        "markdown": lambda: formats.markdown(systems, several, anchors),
        "latex": lambda: formats.latex(systems),
        "csv": lambda: formats.csv(systems, several),
    }[options.format]()
    sys.stdout.write(text)


def _systems(preds: list[str]) -> dict[str, str]:
    """A name for each predictions file: its stem, or its whole path where two stems are equal."""
    places = [os.path.realpath(path) for path in preds]
    if repeated := [path for path, place in zip(preds, places, strict=True) if places.count(place) > 1]:
        raise HarnessError(f"the predictions {repeated[0]} are given more than once; give each system once")
    stems = [PurePosixPath(path).stem or path for path in preds]
    return dict(zip(stems if len(set(stems)) == len(stems) else preds, preds, strict=True))
