"""The commands behind `python -m harness`; `lampworks` hands its own of the same names over as they were typed.

`score` is meant where no command is named. An exit status is 0, or 2 after one line on stderr for a mistake of the
user's, and then nothing is written.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from harness.errors import HarnessError

# Each module has `add_options(parser)` and `run(options) -> int`; it is imported when its command is typed.
COMMANDS = {
    "score": "harness.commands.score",
    "validate": "harness.commands.validate",
    "make-predictions": "harness.commands.make_predictions",
    "ls": "harness.commands.ls",
}


def main(arguments: Sequence[str] | None = None, prog: str = "python -m harness") -> int:
    """Run one command; its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given.pop(0) if given and given[0] in COMMANDS else "score"
    command = import_module(COMMANDS[name])
    parser = argparse.ArgumentParser(
        prog=f"{prog} {name}", description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_options(parser)
    if prog == "python -m harness" and name == "score":
        parser.epilog = f"{parser.epilog}\n\nother commands: {', '.join(other for other in COMMANDS if other != name)}"
    options = parser.parse_args(given)
    try:
        status: int = command.run(options)
    except HarnessError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # a reader such as `head` has seen enough
        return 0
    return status
