"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import MissingError

FILE = "a zip, a JSON, a directory, s3://bucket/key, or - for standard input"


def add_what(parser: argparse.ArgumentParser) -> None:
    """Declare which of the golds' tasks and samples are meant."""
    parser.add_argument("--task", help="the one task to take, as in LaMP_3 or LaMP-3 (default: all of the golds)")
    parser.add_argument("--allow-missing", action="store_true", help="take what is there, and say how much is missing")


@contextmanager
def say_how_to_allow_missing() -> Iterator[None]:
    """Add to a refusal for what is missing how to do without it."""
    try:
        yield
    except MissingError as error:
        raise MissingError(f"{error}, or take less with --task or --allow-missing") from None
