"""One HTML page about one or more scored systems: scores, differences, distributions, and samples to read."""

from __future__ import annotations

import os
from collections.abc import Mapping

from harness.comparison import Comparison, compared
from harness.files import write_whole
from harness.report.page import environment, render
from harness.report.section import Section, section
from harness.scoring import Rouge, ScoredTask, Settings, open_systems

_CHARACTERS = 6_000_000  # of outputs in the whole page


def write_report(
    path: str | os.PathLike[str],
    golds: str | os.PathLike[str],
    preds: Mapping[str, str | os.PathLike[str]],
    *,
    task: str | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    allow_missing: bool = False,
    rouge: Rouge = "mean",
    per_sample: bool = False,
    anchors: bool = False,
) -> Comparison:
    """Score and compare as `harness.compare`, and write a self-contained HTML page about it; returns the comparison.

    The page holds golds and predictions of some samples, loads nothing, and is the same bytes for the same inputs. With
    `anchors` published results stand beside the scores. Raises `HarnessError` where jinja2 is not installed or the page
    cannot be written, and as `harness.compare` does; then nothing is written.
    """
    templates = environment()
    sections: list[Section] = []
    settings = Settings(n_bootstrap, seed, per_sample, allow_missing, rouge)
    with open_systems(golds, preds, task, allow_missing) as systems:
        baseline = next(iter(systems.predictions))

        def see(name: str, scored: Mapping[str, ScoredTask]) -> None:
            sections.append(section(name, scored, baseline, _CHARACTERS // len(systems.tasks), anchors))

        comparison = compared(systems, settings, see)
    write_whole(path, render(templates, sections, comparison, settings))
    return comparison
