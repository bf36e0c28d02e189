"""Name the tasks that are scored; with a name, all there is to know about one."""

from __future__ import annotations

import argparse
import sys


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ls`."""
    parser.add_argument("name", nargs="?", help="one task, as in LaMP_4; or: tasks")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Write the list, or one task's page."""
    from harness.listing import write

    write(sys.stdout, options.as_json, only=None if options.name == "tasks" else options.name)
    return 0
