"""Check a predictions file against golds without scoring it."""

from __future__ import annotations

import argparse
import sys

from harness.commands.options import FILE, add_what, say_how_to_allow_missing


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `validate`."""
    parser.epilog = "example: lampworks validate preds.zip --golds golds.zip"
    parser.add_argument("preds", help=f"predictions: {FILE}")
    parser.add_argument("-g", "--golds", required=True, help="the same")
    add_what(parser)


def run(options: argparse.Namespace) -> int:
    """Check every prediction as scoring does, and say what there is."""
    from harness.scoring import Settings, open_systems

    settings = Settings(n_bootstrap=0, allow_missing=options.allow_missing)
    lines = []
    with (
        say_how_to_allow_missing(),
        open_systems(options.golds, {"": options.preds}, options.task, options.allow_missing) as systems,
    ):
        for task, scored in systems.scored(settings):
            result = scored[""].result
            lines.append(f"{task}: {result.n:,} of {result.n_golds:,} golds have a prediction that can be scored")
            lines += [f"  {note}" for note in result.notes]
        lines += [f"{task}: no predictions" for task in systems.missing[""]]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
