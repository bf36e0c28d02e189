"""`python -m harness.eval_all`: the seven LaMP tasks from two zips, with the flags and the output of LaMP's eval_all.

    python -m harness.eval_all --golds_zip golds.zip --preds_zip preds.zip --output_file scores.json

The predictions must hold the seven tasks, under either spelling; golds of further tasks are passed over. ROUGE is the
plain mean, where LaMP's scorer reports the median of a random bootstrap; `--rouge reference --seed S` gives that median.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from harness.cli import Parser
from harness.errors import SubmissionError, shown
from harness.eval_compat import LAMP_TASKS, run, settings_of

if TYPE_CHECKING:
    from harness.envelope import EnvelopeFile


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    parser = Parser(prog="python -m harness.eval_all", description="Score all seven LaMP tasks.")
    parser.add_argument("--golds_zip", required=True, help="zip of the golds of all tasks")
    parser.add_argument("--preds_zip", required=True, help="zip of the predictions for all tasks")
    parser.add_argument("--temp_dir", help="accepted for LaMP's sake and left alone: nothing is unpacked")
    return run(parser, arguments, _evaluate)


def _evaluate(options: argparse.Namespace) -> Mapping[str, object]:
    from harness.envelope import open_golds, open_predictions
    from harness.inputs import local
    from harness.scoring import Systems

    with ExitStack() as stack:
        path, where = stack.enter_context(local(options.golds_zip, "golds"))
        golds = stack.enter_context(open_golds(path, where=where))
        path, where = stack.enter_context(local(options.preds_zip, "predictions"))
        predictions = stack.enter_context(open_predictions(path, where=where))
        _check_tasks(predictions)
        systems = Systems(golds, {"": predictions}, LAMP_TASKS, {"": []})
        return {task: scored[""].result.bare() for task, scored in systems.scored(settings_of(options))}


def _check_tasks(predictions: EnvelopeFile) -> None:
    """Raise unless the predictions hold the seven tasks and no other."""
    lacking = [task for task in LAMP_TASKS if task not in predictions.tasks]
    others = [task for task in predictions.tasks if task not in LAMP_TASKS]
    faults = [f"holds no {shown(lacking)}"] if lacking else []
    faults += [f"holds {shown(others)} besides"] if others else []
    if faults:
        raise SubmissionError(
            f"{predictions.where}: {' and '.join(faults)}; give the seven tasks LaMP_1 to LaMP_7, "
            "or score single ones with python -m harness.eval_task"
        )


if __name__ == "__main__":
    sys.exit(main())
