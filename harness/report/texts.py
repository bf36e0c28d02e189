"""What strangers wrote, made fit to be read: nothing hidden, nothing endless."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_MINUS = "\N{MINUS SIGN}"
_PREVIEW = 240
LONGEST = 4_000

# Control characters but tab and line feed, halves of surrogate pairs, line and paragraph separators, all of Unicode's
# format characters (category Cf: invisible or direction-changing ones, tags) but the joiners U+200C and U+200D, and the
# letters, marks and signs that are drawn as nothing. Scripts and emoji need the joiners and the variation selectors
# below U+10000. Spelled out, so that pages are the same bytes under every version of Python.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufffe\uffff"
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f"
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
)


class Markup(str):
    """HTML that is finished: templates put it in as it is."""

    def __html__(self) -> str:
        return self


def visible(text: str) -> str:
    """The text with each character that hides, reorders or breaks text written as its number, as ‹U+202E›."""
    return _HIDDEN.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text)


@dataclass(frozen=True)
class Output:
    """An output to show: `preview` always, `full` on demand, None where the preview is all; `left_out` characters not shown."""

    preview: str
    full: str | None
    left_out: int
    quoted: bool

    @property
    def size(self) -> int:
        """The characters this takes in a page."""
        return len(self.preview) + len(self.full or "")


def output(value: object) -> Output:
    """An output of golds or predictions: a text as it is, one of white space alone quoted, all else as short JSON."""
    is_text = isinstance(value, str) and bool(value.strip())
    text = str(value) if is_text else json.dumps(_rounded(value), ensure_ascii=False)
    if len(text) <= _PREVIEW:
        return Output(text, None, 0, not is_text)
    return Output(text[:_PREVIEW].rstrip() + "…", text[:LONGEST], max(0, len(text) - LONGEST), not is_text)


def _rounded(value: object) -> object:
    """The value with its fractions to four digits: a distribution of many actions is read at a glance."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return {key: _rounded(one) for key, one in value.items()} if isinstance(value, dict) else value


def number(value: float) -> str:
    """A metric's value with four decimals, or as many digits as a very small or large one needs."""
    size = abs(value)
    if value != value:
        return "undefined"
    spelled = ".3g" if size >= 1e6 or 0 < size < 5e-4 else ",.1f" if size >= 1000 else ".4f"
    return format(value, spelled).replace("-", _MINUS)


def signed(value: float) -> str:
    """A difference, with its sign."""
    return "+" + number(value) if value > 0 else number(value)


def value_of(value: float) -> str:
    """A sample's value: short, whole where it is whole."""
    if value != value:
        return "–"
    return (f"{value:,.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}").replace("-", _MINUS)


def interval(bounds: tuple[float, float] | None) -> str:
    """Both ends of an interval; an en dash where there is none."""
    return "–" if bounds is None else f"{number(bounds[0])} to {number(bounds[1])}"


def p_value(value: float | None) -> str:
    """A p-value with three decimals, two digits where it is smaller."""
    if value is None:
        return "–"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1g}"


def stars(p_holm: float | None) -> str:
    """`**` below 0.01 and `*` below 0.05, after Holm's correction."""
    return "" if p_holm is None or p_holm >= 0.05 else "*" if p_holm >= 0.01 else "**"
