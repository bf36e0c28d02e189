"""Configurations of the synthetic benchmark. Defaults are the default setting of Kiyohara et al. (RecSys 2025)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tasks.api import Config
from tasks.opl.config import LearnConfig
from tasks.opl.labels import PUBLISHED

Variant = Literal["published", "nonlinear", "misspecified", "confounded", "hard"]
Generator = Literal["linear", "sigmoid", "trigonometric", "rational", "power", "exponential"]
RESERVED = ("uniform", "logging", "optimal", "golds")


class RunConfig(Config):
    """One setting and one seed: the environment, the log, and the learners, which all see the same of both."""

    variant: Variant = Field("published", description="The environment: harness/opl/variants.py says what each breaks.")
    compat: bool = Field(
        False, description="Reproduce the published environment's defects, double_mean_noise and aliased_matrices."
    )
    generator: Generator | None = Field(
        None, description="How an action shapes the output; the variant's when null (trigonometric)."
    )
    n_rounds: int = Field(8000, ge=10, description="Logged rounds.")
    n_actions: int = Field(1000, ge=2, description="Actions to choose from.")
    reward_std: float = Field(1.0, ge=0, description="Standard deviation of a reward, given the output.")
    beta: float | None = Field(
        None, description="Inverse temperature of the logging policy; 0 is uniform; the variant's when null."
    )
    logging: Literal["environment", "network"] = Field(
        "environment",
        description="Scores of the logging policy: the environment's linear ones, or a network fitted to 10,000 uniform "
        "rounds as published.",
    )
    logging_steps: int = Field(100_000, ge=1, description="Gradient steps of that network.")
    kernel: Literal["gaussian", "uniform"] | None = Field(None, description="For all learners with a kernel.")
    bandwidth: float | None = Field(None, gt=0, description="For all learners with a kernel.")
    density: Literal["exact", "network", "monte_carlo"] | None = Field(
        None, description="For all learners with a kernel."
    )
    n_contexts: int = Field(1000, ge=2, description="Contexts that policies are scored on, fresh ones.")
    n_online_contexts: int = Field(20_000, ge=10, description="Contexts that the online learner meets.")
    learners: dict[str, LearnConfig] = Field(description="Learners by the names that tables give them.")
    seed: int = Field(0, ge=0, description="Of the environment, the log and the learners.")

    @model_validator(mode="after")
    def _names(self) -> RunConfig:
        for name, learner in self.learners.items():
            if name in RESERVED or not name.isidentifier():
                raise ValueError(
                    f"learners: {name!r} must be a name of letters, digits and _ other than {', '.join(RESERVED)}"
                )
            told = learner.published and learner.method != "online"
            if told != name.endswith(PUBLISHED):
                end = "must end" if told else "may end"
                raise ValueError(
                    f"learners: {name!r}: a name {end} in {PUBLISHED} {'where' if told else 'only where'} published is true"
                )
        if not self.learners:
            raise ValueError("learners: give at least one")
        return self

    def learner(self, name: str) -> LearnConfig:
        """The learner's configuration, with the run's seed and what the run sets for all."""
        shared = {key: value for key in ("kernel", "bandwidth", "density") if (value := getattr(self, key)) is not None}
        return self.learners[name].model_copy(update={"seed": self.seed, **shared})


class SyntheticScoreConfig(Config):
    """Resampling of the intervals of one run; intervals over seeds are the results' own."""

    n_bootstrap: int = Field(0, ge=0, le=100_000, description="Resamples of contexts; 0 leaves the intervals out.")
    seed: int = Field(0, ge=0)


class ResultsConfig(Config):
    """How runs are put together."""

    level: float = Field(0.95, gt=0, lt=1, description="Confidence of the intervals over seeds.")


class SyntheticReportConfig(Config):
    """Nothing to choose: the page shows every setting that there is."""
