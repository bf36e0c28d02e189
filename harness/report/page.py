"""The page itself: a template that escapes every value, and its style sheet, put into one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.comparison import Comparison
from harness.errors import HarnessError
from harness.formats.sections import grouped_notes, results_of
from harness.report import tables, texts
from harness.report.distributions import MOST_SYSTEMS
from harness.report.section import Section
from harness.report.texts import Markup, visible
from harness.scoring import Settings

if TYPE_CHECKING:
    from jinja2 import Environment

_MOST_METRICS = 4  # of several systems without a click
_HERE = Path(__file__).parent


def environment() -> Environment:
    """The templates' environment; raises `HarnessError` where jinja2 is not installed."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise HarnessError("a report needs jinja2; install it with: pip install 'lampworks[reports]'") from None
    found = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = ("number", "signed", "interval", "p_value", "stars")
    found.filters |= {name: getattr(texts, name) for name in names}
    return found


def render(templates: Environment, sections: Sequence[Section], comparison: Comparison, settings: Settings) -> str:
    """The page as HTML that loads nothing; only `Markup` is taken as it is, all else is text."""
    return templates.get_template("page.html.j2").render(
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        sections=sections,
        comparison=comparison,
        settings=settings,
        names=list(comparison.systems),
        tables=tables,
        results_of=results_of,
        grouped_notes=grouped_notes,
        most_drawn=MOST_SYSTEMS,
        most_listed=_MOST_METRICS,
    )


def _shown(value: object) -> object:
    """What a template prints: texts with what is hidden in them made visible; finished HTML as it is."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
