"""Scores the predictions of one run with the harness."""

from __future__ import annotations

from dataclasses import dataclass

from harness import HarnessError, score
from store import Artifact, Attempt
from tasks.api import Context, Metrics, TaskError
from tasks.opl.predict import ABOUT_FILE, GOLDS_FILE
from tasks.opl.score import SCORES_FILE
from tasks.opl.synthetic.config import SyntheticScoreConfig


@dataclass(frozen=True)
class Inputs:
    """Golds and predictions of a run."""

    run: Artifact


def run(config: SyntheticScoreConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes scores.json: by policy, what `lampworks score` says of its zip; returns `value_<policy>`.

    Raises:
        TaskError: golds or predictions are unsound; the harness's own line.
    """
    about = inputs.run.read_json(ABOUT_FILE)
    golds = inputs.run.path(GOLDS_FILE)
    results: dict[str, dict[str, object]] = {}
    metrics: Metrics = {}
    names = [str(name) for name in about["policies"]] if isinstance(about, dict) else []
    with ctx.progress("scores", len(names)) as advance:
        for name in names:
            predictions = inputs.run.path(f"{name}.zip")
            try:
                result = score(golds, predictions, n_bootstrap=config.n_bootstrap, seed=config.seed).only
            except HarnessError as error:
                raise TaskError(f"{inputs.run}: {error}") from None
            results[name] = result.to_dict()
            metrics[f"value_{name}"] = result.metrics["policy_value"].value
            advance(1)
    out.write_json(SCORES_FILE, results)
    return metrics
