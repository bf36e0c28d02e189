"""The commands behind `python -m harness`; `lampworks` hands its own of the same names over as they were typed.

`score` is meant where no command is named. An exit status is 0; 2 after one line on stderr for a mistake of the user's,
and then nothing is written; 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

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
    if given and not given[0].startswith("-") and given[0] not in COMMANDS:
        return refused(f"there is no command {given[0]!r}; the commands are {', '.join(COMMANDS)}")
    name = given.pop(0) if given and given[0] in COMMANDS else "score"

    def parse_and_run() -> int:
        command = import_module(COMMANDS[name])
        parser = Parser(prog=f"{prog} {name}", description=command.__doc__)
        command.add_options(parser)
        if prog == "python -m harness" and name == "score":
            others = ", ".join(other for other in COMMANDS if other != name)
            parser.epilog = f"{parser.epilog}\n\nother commands: {others}"
        status: int = command.run(parser.parse_args(given))
        return status

    return guarded(parse_and_run)


def guarded(command: Callable[[], int]) -> int:
    """Run a command so that no mistake, stop or closed output ends in a traceback; its exit status."""
    if sys.stdout is None or sys.stderr is None:
        return 2  # closed by the caller: there is nowhere to say so
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? for an arrow
    try:
        status = command()
        sys.stdout.flush()
    except HarnessError as error:
        return refused(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing was written\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # a reader such as `head` has seen enough
        return 0
    except OSError as cause:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return refused(f"{cause.filename or 'standard output'}: {cause.strerror}")
    return status


def refused(message: str) -> int:
    """Say in one line on stderr what is wrong; the exit status for it."""
    sys.stderr.write(f"error: {message}\n")
    return 2


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are one line, like all others; options are given whole and once."""

    def __init__(self, **keywords: str | None) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **keywords)  # type: ignore[arg-type]
        self.register("action", None, Once)

    def error(self, message: str) -> NoReturn:
        """Raise `HarnessError` with the message and where to look further."""
        raise HarnessError(f"{message}; see {self.prog} --help")


class Once(argparse.Action):
    """Stores one value, and refuses a second rather than forget the first."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Keep the value; raises `HarnessError` where there is one already."""
        given = namespace.__dict__.setdefault("_given", set())
        if self.option_strings and self.dest in given:
            raise HarnessError(f"{option_string} is given twice; give it once")
        given.add(self.dest)
        setattr(namespace, self.dest, values)
