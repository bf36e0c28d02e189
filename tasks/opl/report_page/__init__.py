"""The page itself: a template that escapes every value, and its style sheet, put into one file."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.opl.report_plots import meter
from tasks.opl.report_sections import signed

_HERE = Path(__file__).parent


def render(**values: object) -> str:
    """The page as HTML that loads nothing; only `Markup` is taken as it is, all else is text."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"signed": signed, "meter": meter}
    style = Markup((_HERE / "page.css").read_text(encoding="utf-8"))
    return environment.get_template("page.html.j2").render(style=style, **values)
