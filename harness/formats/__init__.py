"""Scores as text: a table for people, Markdown, LaTeX and CSV; each takes the name of each system and its scores."""

from __future__ import annotations

from harness.formats.as_csv import csv
from harness.formats.as_latex import latex
from harness.formats.as_markdown import markdown
from harness.formats.as_table import table

__all__ = ["csv", "latex", "markdown", "table"]
