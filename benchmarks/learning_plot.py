"""Draws the cost of exact DSO against actions and rounds from results.json: `python -m benchmarks.learning_plot`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from harness.report.svg import Scale, Svg

HERE = Path(__file__).parent
PICTURE = HERE / "learning_cost.svg"
STYLE = (
    "<style>svg{background:#fff;font:12px sans-serif}.grid{stroke:#ddd}.axis{stroke:#666}.line{fill:none;stroke:#1c6fb3;"
    "stroke-width:2}.mark{fill:#1c6fb3}</style>"
)
WIDTH, HEIGHT, TOP, BOTTOM = 640, 260, 40, 205


def points() -> list[tuple[int, int, int, float]]:
    """Rounds, actions, steps and processor seconds of the measured runs."""
    found = []
    for row in json.loads((HERE / "results.json").read_text(encoding="utf-8")):
        sizes = re.fullmatch(r"exact DSO, ([\d,]+) rounds, ([\d,]+) actions, ([\d,]+) steps", str(row["size"]))
        if sizes:
            rounds, actions, steps = (int(size.replace(",", "")) for size in sizes.groups())
            found.append((rounds, actions, steps, float(row["ours_s"])))
    return found


def panel(svg: Svg, left: float, right: float, label: str, measured: list[tuple[int, float]], top_s: float) -> None:
    """Seconds from 0 against a size on a logarithmic axis."""
    measured = sorted(measured)
    x = Scale(measured[0][0] / 1.5, measured[-1][0] * 1.5, left, right, log=True)
    y = Scale(0.0, top_s, BOTTOM, TOP)
    for value, text in y.ticks(4):
        svg.line(left, y(value), right, y(value), "grid")
        svg.text(left - 6, y(value) + 4, text, anchor="end")
    svg.line(left, BOTTOM, right, BOTTOM, "axis")
    svg.path([(x(size), y(seconds)) for size, seconds in measured], "line")
    for size, seconds in measured:
        svg.marker(0, x(size), y(seconds), "mark", f"{size:,}: {seconds:.1f} s")
        svg.text(x(size), BOTTOM + 18, f"{size:,}")
    svg.text((left + right) / 2, BOTTOM + 40, label)


def main() -> None:
    """Writes the picture."""
    found = points()
    if not found:
        raise SystemExit("error: benchmarks/results.json has no such runs; measure them with: make bench JOB=learning")
    svg = Svg(WIDTH, HEIGHT, "Cost of exact DSO, 500 steps of 256 rounds, in processor seconds")
    svg.text(60, 22, "exact DSO, 500 steps of 256 rounds: processor seconds", anchor="start")
    top_s = 1.1 * max(seconds for _, _, steps, seconds in found if steps == 500)
    by_actions = [(actions, s) for rounds, actions, steps, s in found if (rounds, steps) == (8000, 500)]
    by_rounds = [(rounds, s) for rounds, actions, steps, s in found if (actions, steps) == (1000, 500)]
    panel(svg, 60, 310, "actions (8,000 rounds)", by_actions, top_s)
    panel(svg, 380, 620, "logged rounds (1,000 actions)", by_rounds, top_s)
    markup = str(svg.markup()).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    opening, _, rest = markup.partition(">")
    PICTURE.write_text(f"{opening}>{STYLE}{rest}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
