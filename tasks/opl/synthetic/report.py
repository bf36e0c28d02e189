"""Writes report.html: the paper's figures drawn again from the benchmark's results, every learner beside every other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store import Artifact, Attempt
from tasks.api import Context, Metrics
from tasks.opl.labels import PUBLISHED, label
from tasks.opl.report_lineage import steps
from tasks.opl.synthetic.config import SyntheticReportConfig
from tasks.opl.synthetic.report_page import render
from tasks.opl.synthetic.report_published import published
from tasks.opl.synthetic.report_read import Setting, read_settings
from tasks.opl.synthetic.report_sections import learning, optimality_grid, swept
from tasks.opl.synthetic.report_sweeps import colours, learners, sweeps
from tasks.opl.synthetic.report_tables import block
from tasks.opl.synthetic.report_words import differing, field_values, seeds_told, title

REPORT_FILE = "report.html"


@dataclass(frozen=True)
class Inputs:
    """The results; all that the page shows is in them."""

    results: Artifact


def run(config: SyntheticReportConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes the page; the same results give the same bytes.

    Raises:
        TaskError: the results are not what their task writes.
    """
    settings = read_settings(inputs.results)
    varied, looks, found = differing(settings), colours(settings), sweeps(settings)
    in_sweeps = {setting.name for panels in found.values() for panel in panels for setting in panel.settings}
    alone = [setting for setting in settings if setting.name not in in_sweeps]
    titles = {setting.name: title(setting.fields, varied) for setting in settings}
    page = render(
        about=about(settings),
        swept=[swept(field, panels, looks, varied) for field, panels in found.items()],
        side_by_side=optimality_grid(alone, [titles[one.name] for one in alone]) if len(alone) > 1 else None,
        blocks=[block(one, titles[one.name], shown=one.name not in in_sweeps) for one in settings],
        learning=learning(settings, looks, varied),
        published=published(),
        results=inputs.results,
        steps=steps([inputs.results]),
    )
    out.path(REPORT_FILE).write_text(page, encoding="utf-8", newline="\n")
    return {"bytes": float(len(page.encode())), "n_settings": float(len(settings))}


@dataclass(frozen=True)
class About:
    """What was run: counts, the fields with their values, and the learners."""

    n_runs: int
    n_settings: int
    seeds: str
    n_seeds: int
    fields: list[tuple[str, str]]
    learners: list[str]
    as_published: bool
    defects: bool
    network_logged: bool


def about(settings: Sequence[Setting]) -> About:
    """The run in a few words; seeds are those of any setting."""
    names = learners(settings)
    seeds = sorted({seed for setting in settings for seed in setting.seeds})
    return About(
        sum(len(setting.seeds) for setting in settings),
        len(settings),
        seeds_told(seeds),
        len(seeds),
        [(field, field_values(settings, field)) for field in settings[0].fields],
        [label(name) for name in names],
        any(name.endswith(PUBLISHED) for name in names),
        any(bool(setting.fields["compat"]) for setting in settings),
        all(setting.fields["logging"] == "network" for setting in settings),
    )
