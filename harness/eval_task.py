"""`python -m harness.eval_task`: one LaMP task from two JSONs, with the flags and the output of LaMP's eval_task.

    python -m harness.eval_task --golds_json golds.json --preds_json preds.json --task_name LaMP_3 --output_file o.json

The task is taken under either spelling. ROUGE is the plain mean, where LaMP's scorer reports the median of a random
bootstrap; `--rouge reference --seed S` gives that median.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from harness.cli import Parser
from harness.errors import HarnessError
from harness.eval_compat import LAMP_TASKS, run, settings_of
from harness.registry import canonical


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    parser = Parser(prog="python -m harness.eval_task", description="Score one LaMP task.")
    parser.add_argument("--golds_json", required=True, help="golds of the task")
    parser.add_argument("--preds_json", required=True, help="predictions for the task")
    parser.add_argument("--task_name", required=True, help="LaMP_1 to LaMP_7")
    return run(parser, arguments, _evaluate)


def _evaluate(options: argparse.Namespace) -> Mapping[str, object]:
    from harness.scoring import open_systems

    task = canonical(options.task_name)
    if task not in LAMP_TASKS:
        raise HarnessError(f"--task_name is {task!r}: LaMP_1 to LaMP_7 are scored here, all tasks by python -m harness")
    with open_systems(options.golds_json, {"": options.preds_json}, task) as systems:
        ((_, scored),) = systems.scored(settings_of(options))
        return scored[""].result.bare()


if __name__ == "__main__":
    sys.exit(main())
