"""The environment of a run: its variant, with what the run's configuration changes."""

from __future__ import annotations

from dataclasses import replace

from harness.opl.drawing import draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.environment_settings import EnvironmentSettings
from harness.opl.variants import VARIANTS
from tasks.opl.synthetic.config import RunConfig


def settings_of(config: RunConfig) -> EnvironmentSettings:
    """The variant's settings with the run's generator, reward noise and temperature."""
    settings = VARIANTS[config.variant].settings
    return replace(
        settings,
        generator=settings.generator if config.generator is None else config.generator,
        reward_std=config.reward_std,
        beta=settings.beta if config.beta is None else config.beta,
    )


def draw_run_environment(config: RunConfig) -> SyntheticEnvironment:
    """The environment of the run's seed."""
    sizes = replace(VARIANTS[config.variant].sizes, n_actions=config.n_actions)
    return draw_environment(config.seed, sizes, settings_of(config), compat=config.compat)
