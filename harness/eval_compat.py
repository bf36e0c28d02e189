"""What `harness.eval_all` and `harness.eval_task` share: LaMP's own command lines, answered by this harness."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.cli import guarded
from harness.files import check_writable, write_whole
from harness.result import as_json

if TYPE_CHECKING:
    from harness.scoring import Settings

LAMP_TASKS = tuple(f"LaMP_{number}" for number in range(1, 8))


def run(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    evaluate: Callable[[argparse.Namespace], Mapping[str, object]],
) -> int:
    """Parse, evaluate and write `--output_file`; exit status 0, or 2 after one line on stderr and nothing written."""
    parser.add_argument("--output_file", required=True, help="where the metrics are written as JSON")
    parser.add_argument(
        "--rouge",
        choices=("mean", "reference"),
        default="mean",
        help="ROUGE as its mean (default), or as the bootstrap median that LaMP's own scorer prints for --seed",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of --rouge reference (default 0)")

    def parse_and_run() -> int:
        options = parser.parse_args(arguments)
        check_writable(options.output_file)
        write_whole(options.output_file, as_json(evaluate(options)))
        return 0

    return guarded(parse_and_run)


def settings_of(options: argparse.Namespace) -> Settings:
    """How the scores are made: as asked for, and without intervals."""
    from harness.scoring import Settings

    return Settings(n_bootstrap=0, seed=options.seed, rouge=options.rouge)
