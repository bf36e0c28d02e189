"""Scores predictions against golds: one envelope for every task, no Airflow, Spark or torch, and a fast start.

>>> from harness import score
>>> scores = score("golds.zip", "preds.zip")            # doctest: +SKIP
>>> scores["LaMP_4"].metrics["rouge-1"].value           # doctest: +SKIP
0.203
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.comparison import Comparison as Comparison
    from harness.comparison import compare as compare
    from harness.envelope import Envelope as Envelope
    from harness.envelope import read_golds as read_golds
    from harness.envelope import read_predictions as read_predictions
    from harness.envelope_writer import write_envelope as write_envelope
    from harness.envelope_writer import write_envelopes as write_envelopes
    from harness.errors import HarnessError as HarnessError
    from harness.errors import SubmissionError as SubmissionError
    from harness.result import MetricResult as MetricResult
    from harness.result import Result as Result
    from harness.result import Scores as Scores
    from harness.scoring import score as score
    from harness.serve import Served as Served
    from harness.serve import ServeLimits as ServeLimits
    from harness.serve import serve_one as serve_one
    from harness.strings import score_pair as score_pair
    from harness.strings import score_strings as score_strings

__version__ = "0.1.0"

_HOMES = {
    "Envelope": "harness.envelope",
    "read_golds": "harness.envelope",
    "read_predictions": "harness.envelope",
    "write_envelope": "harness.envelope_writer",
    "write_envelopes": "harness.envelope_writer",
    "HarnessError": "harness.errors",
    "SubmissionError": "harness.errors",
    "MetricResult": "harness.result",
    "Result": "harness.result",
    "Scores": "harness.result",
    "Comparison": "harness.comparison",
    "compare": "harness.comparison",
    "score": "harness.scoring",
    "score_pair": "harness.strings",
    "score_strings": "harness.strings",
    "Served": "harness.serve",
    "ServeLimits": "harness.serve",
    "serve_one": "harness.serve",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 (the names are strings)


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that `import harness` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
