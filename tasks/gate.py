"""The gate as a task: its artifact exists only where every table passed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from expectations.gate import hold
from store import Artifact, Attempt
from tasks.api import Context, Metrics, TaskError
from tasks.config import GateConfig


@dataclass(frozen=True)
class Inputs:
    """The artifact whose tables are held."""

    subject: Artifact


def run(config: GateConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Judges every table of the subject; the verdict of one that fails stays in the scratch directory, to be read.

    Raises:
        TaskError: the subject has no table.
        GateError: a table is not as declared.
    """
    subject = inputs.subject
    if not subject.manifest.tables:
        raise TaskError(f"{subject} has no tables to hold to anything")
    folder = ctx.scratch / "verdict"
    shutil.rmtree(folder, ignore_errors=True)
    tables = {name: subject.table(name) for name in sorted(subject.manifest.tables)}
    verdict = hold(tables, folder, personal=subject.manifest.personal)
    shutil.copytree(folder, out.root, dirs_exist_ok=True)
    return {f"rows_{name}": float(table.rows) for name, table in verdict.tables.items()}
