"""The JSON files that the report reads, held to their shape, so that a wrong one is told by name and not by a traceback."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from store import Artifact
from tasks.api import TaskError
from tasks.opl.score import About


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Measure(_Read):
    """A metric of one policy."""

    value: float
    standard_error: float | None
    interval: tuple[float, float] | None


class PolicyScores(_Read):
    """All metrics of one policy."""

    label: str
    predictions_sha256: str
    metrics: dict[str, Measure]

    @property
    def value(self) -> Measure:
        """The policy's value."""
        return self.metrics["policy_value"]

    @property
    def gain(self) -> Measure:
        """What it gains over the logging policy."""
        return self.metrics["improvement_over_logging"]

    @property
    def optimality(self) -> Measure:
        """Where it stands between uniform (0) and optimal (1)."""
        return self.metrics["optimality"]


class Scores(_Read):
    """scores.json of `opl.score`."""

    about: About
    order: list[str]
    policies: dict[str, PolicyScores]
    n_bootstrap: int
    seed: int
    golds_sha256: str
    harness_version: str
    task: str
    task_version: int


class CurvePoint(_Read):
    """One look at a policy while it was learnt."""

    step: float
    estimate: float
    test_value: float


class Curve(_Read):
    """curve.json of `opl.learn`."""

    method: str
    metrics: dict[str, float]
    points: list[CurvePoint] = Field(min_length=1)


class CalibrationBin(_Read):
    """One bin of predicted probabilities."""

    count: float
    mean_probability: float | None
    positive_share: float | None


class ModelQuality(_Read):
    """How good one model's probabilities are."""

    auc: float
    mse: float
    log_loss: float
    calibration_error: float
    calibration: list[CalibrationBin]


class Quality(_Read):
    """quality.json of `opl.simulator`."""

    rows: dict[str, int]
    models: dict[str, ModelQuality]


_Model = TypeVar("_Model", bound=BaseModel)


def read(artifact: Artifact, file: str, model: type[_Model]) -> _Model:
    """A JSON file of an artifact.

    Raises:
        TaskError: it is not what its task writes; names the first key that is wrong.
    """
    try:
        return model.model_validate(artifact.read_json(file))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise TaskError(
            f"{artifact}: {file}: {where}: {first['msg']}; run {artifact.manifest.made_by.task} again"
        ) from None
