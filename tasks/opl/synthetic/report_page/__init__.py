"""The page itself: a template that escapes every value, and its style sheet, put into one file."""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemLoader

from harness.report.page import environment
from harness.report.texts import Markup
from tasks.opl import report_page
from tasks.opl.report_plots import swatch
from tasks.opl.score import fixed

_HERE = Path(__file__).parent
_SHEETS = (Path(report_page.__file__).parent / "page.css", _HERE / "additions.css")
"""The other report's style sheet, and what this page adds to it."""


def render(**values: object) -> str:
    """The page as HTML that loads nothing; only `Markup` is taken as it is, all else is text."""
    style = Markup("".join(path.read_text(encoding="utf-8") for path in _SHEETS))
    templates = environment().overlay(loader=FileSystemLoader(_HERE))
    templates.filters |= {"percent": percent, "short": short}
    templates.globals["dashes"] = swatch(0, css="estimate paper", shape=False)
    return templates.get_template("page.html.j2").render(style=style, **values)


def percent(share: float) -> str:
    """A share in percent with one decimal, without the sign."""
    return fixed(100 * share, 1).replace("-", "\N{MINUS SIGN}")


def short(value: float) -> str:
    """A difference with three decimals and its sign."""
    return fixed(value, 3, sign=True).replace("-", "\N{MINUS SIGN}")
