"""Configuration of the tasks that belong to no family."""

from __future__ import annotations

from tasks.api import Config


class GateConfig(Config):
    """Which suite each table is held to: declaration name -> digest of its expectations."""

    suites: dict[str, str]
