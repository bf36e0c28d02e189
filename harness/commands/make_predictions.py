"""Make the zip that is scored from predictions in JSON Lines, CSV, TSV or Parquet."""

from __future__ import annotations

import argparse
import sys

from harness.commands.options import FILE


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `make-predictions`."""
    parser.epilog = """examples:
  lampworks make-predictions LaMP_4=headlines.jsonl LaMP_3=ratings.csv -o preds.zip
  lampworks make-predictions all.parquet --output-column answer --golds golds.zip -o preds.zip"""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="TASK=FILE",
        help=".jsonl, .csv, .tsv or .parquet; or one FILE that names its tasks",
    )
    parser.add_argument("-o", "--output", required=True, help="the zip to write")
    parser.add_argument("--id-column", default="id", help="where the ids are (default id)")
    parser.add_argument("--output-column", default="output", help="where the predictions are (default output)")
    parser.add_argument(
        "--task-column", default="task", help="where one FILE names the task of each row (default task)"
    )
    parser.add_argument("-g", "--golds", help=f"write only what fits these golds: {FILE}")


def run(options: argparse.Namespace) -> int:
    """Read all files, then write the zip and say what is in it."""
    from harness.make_predictions import make_predictions, task_files

    counts = make_predictions(
        task_files(options.inputs),
        options.output,
        id_column=options.id_column,
        output_column=options.output_column,
        task_column=options.task_column,
        golds=options.golds,
    )
    told = ", ".join(f"{count:,} of {task}" for task, count in counts.items())
    sys.stdout.write(f"{options.output}: predictions: {told}\n")
    return 0
