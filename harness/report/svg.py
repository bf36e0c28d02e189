"""Drawing: an SVG whose text cannot break out of it, scales, ticks, axes. No colour is set here; the page's CSS does.

By hand rather than by a plotting library: a tenth of the bytes, the same bytes everywhere, and it follows the page's
light and dark colours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from harness.report.texts import Markup, visible

Value = str | float


class Svg:
    """A drawing in a coordinate system of `width` by `height`; `title` is what a screen reader says, none for an ornament."""

    def __init__(self, width: float, height: float, title: str, css: str = "") -> None:
        self.width, self.height, self.title, self.css = width, height, title, css
        self._parts: list[str] = []

    def add(self, tag: str, text: str = "", *, tip: str = "", **attributes: Value) -> None:
        """One element; `css` is its class, `tip` its own title, shown where a pointer rests on it."""
        told = "".join(f' {_name(name)}="{_value(value)}"' for name, value in attributes.items())
        inside = (f"<title>{_text(tip)}</title>" if tip else "") + _text(text)
        self._parts.append(f"<{tag}{told}>{inside}</{tag}>" if inside else f"<{tag}{told}/>")

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str, tip: str = "") -> None:
        """A straight line."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, css=css, tip=tip)

    def text(self, x: float, y: float, text: str, css: str = "tick", anchor: str = "middle") -> None:
        """Text whose baseline is at `y`."""
        self.add("text", text, x=x, y=y, css=css, text_anchor=anchor)

    def path(self, points: list[tuple[float, float]], css: str) -> None:
        """Points joined by straight lines."""
        self.add("path", d="M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points), css=css)

    def marker(self, shape: int, x: float, y: float, css: str, tip: str = "", size: float = 4.5) -> None:
        """A mark of one of six shapes, so that colour is never alone in telling series apart."""
        if shape % 6 == 0:
            self.add("circle", cx=x, cy=y, r=size, css=css, tip=tip)
            return
        outline = _SHAPES[shape % 6 - 1]
        points = " ".join(f"{coordinate(x + size * dx)},{coordinate(y + size * dy)}" for dx, dy in outline)
        self.add("polygon", points=points, css=css, tip=tip)

    def markup(self) -> Markup:
        """The finished element."""
        css = f' class="{_text(self.css)}"' if self.css else ""
        size = f'viewBox="0 0 {coordinate(self.width)} {coordinate(self.height)}"'
        named = f'role="img"><title>{_text(self.title)}</title>' if self.title else 'aria-hidden="true">'
        # Everything in it was escaped when it was added.
        return Markup(f"<svg{css} {size} {named}{''.join(self._parts)}</svg>")


_ARM = ((1.2, -0.4), (1.2, 0.4), (0.4, 0.4), (0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4))
_SHAPES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    ((0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
    (*_ARM, *((-x, -y) for x, y in _ARM)),
)
"""Square, triangle, diamond, inverted triangle, cross."""


def _text(text: str) -> str:
    return escape(visible(text))


def _name(name: str) -> str:
    return "class" if name == "css" else name.replace("_", "-")


def _value(value: Value) -> str:
    return _text(value) if isinstance(value, str) else coordinate(value)


def coordinate(value: float) -> str:
    """A coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@dataclass(frozen=True)
class Scale:
    """Maps `low..high` to the coordinates `start..end`, evenly or by logarithm; what lies outside lands on the nearer end."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The coordinate of a value."""
        low, high, at = self._turn(self.low), self._turn(self.high), self._turn(min(max(value, self.low), self.high))
        return self.start + (self.end - self.start) * ((at - low) / (high - low) if high > low else 0.5)

    def _turn(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self, n: int = 5) -> list[tuple[float, str]]:
        """About `n` round values inside the range with their labels; powers of ten on a logarithmic scale."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            step = max(1, math.ceil((last - first) / n))
            return [(10.0**power, f"{10.0**power:,.{max(0, -power)}f}") for power in range(first, last + 1, step)]
        width = round_step((self.high - self.low) / n)
        digits = max(0, -math.floor(math.log10(width) + 1e-9))
        first, last = math.ceil(self.low / width - 1e-9), math.floor(self.high / width + 1e-9)
        spelled = ".3g" if digits > 5 or width >= 1e6 else f",.{digits}f"
        minus = "\N{MINUS SIGN}"
        return [(i * width, format(i * width + 0.0, spelled).replace("-", minus)) for i in range(first, last + 1)]


def round_step(step: float) -> float:
    """The step, raised to 1, 2 or 5 times a power of ten; 1 for a range that is empty."""
    if step <= 0 or not math.isfinite(step):
        return 1.0
    base = 10.0 ** math.floor(math.log10(step))
    return next(base * factor for factor in (1, 2, 5, 10) if base * factor >= step * (1 - 1e-9))


def padded(values: list[float], share: float = 0.06) -> tuple[float, float]:
    """A range that holds the values with a margin on both sides."""
    low, high = min(values), max(values)
    margin = share * (high - low) if high > low else max(abs(high), 1.0) * share
    return low - margin, high + margin


def x_axis(svg: Svg, x: Scale, y: float, label: str = "", n: int = 5) -> None:
    """Ticks and label below the height `y`."""
    for value, text in x.ticks(n):
        svg.line(x(value), y, x(value), y + 4, "axis")
        svg.text(x(value), y + 17, text)
    svg.line(x.start, y, x.end, y, "axis")
    if label:
        svg.text((x.start + x.end) / 2, y + 34, label, "label")


def y_axis(svg: Svg, y: Scale, left: float, right: float, n: int = 5) -> None:
    """Faint lines across, with their values at the left."""
    for value, text in y.ticks(n):
        svg.line(left, y(value), right, y(value), "grid")
        svg.text(left - 7, y(value) + 4, text, anchor="end")
