"""Options that several commands share."""

from __future__ import annotations

import argparse

FILE = "a zip, a JSON, a directory, s3://bucket/key, or - for standard input"


def add_what(parser: argparse.ArgumentParser) -> None:
    """Declare which of the golds' tasks and samples are meant."""
    parser.add_argument("--task", help="the one task to take, as in LaMP_3 or LaMP-3 (default: all of the golds)")
    parser.add_argument("--allow-missing", action="store_true", help="take what is there, and say how much is missing")
