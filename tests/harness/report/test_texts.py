"""What strangers wrote, and numbers as words."""

from __future__ import annotations

import json
import math
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.texts import LONGEST, interval, number, output, p_value, signed, stars, value_of, visible

_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


_KEPT = "\t\n\u200c\u200d"
# Letters and marks that are drawn as nothing.
_BLANK = {
    *map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)),
    *map(chr, range(0xE0100, 0xE01F0)),
}


def test_every_hidden_character_is_shown_by_its_number() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if (unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or char in _BLANK) and char not in _KEPT:
            assert visible(f"a{char}b") == f"a‹U+{code:04X}›b"


def test_letters_marks_signs_and_spaces_stay() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char)[0] in "LMNPSZ" and unicodedata.category(char) not in {"Zl", "Zp"}:
            assert visible(char) == char or char in _BLANK


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=50))
def test_nothing_hides_or_turns_the_text(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")  # halves of surrogate pairs would fail
    for char in shown:
        assert unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or char in _KEPT
        assert unicodedata.bidirectional(char) not in _DIRECTIONS
    assert visible(shown) == shown


def test_scripts_and_emoji_keep_their_joiners() -> None:
    for text in ("می‌خواهم", "👩‍👩‍👧", "क्‍ष", "naïve\nlines\tand tabs", "❤️"):
        assert visible(text) == text
    assert visible("a\u200bb\ufeff") == "a‹U+200B›b‹U+FEFF›"


def test_outputs() -> None:
    assert output("a b").preview == "a b" and output("a b").full is None and not output("a b").quoted
    assert output("  ").preview == '"  "' and output("").quoted
    assert output({"actions": [3], "probs": [0.123456789], "rest": 1 / 3}).preview == (
        '{"actions": [3], "probs": [0.1235], "rest": 0.3333}'
    )
    long = output("x" * (LONGEST + 7))
    assert len(long.preview) < 250 and long.full == "x" * LONGEST and long.left_out == 7
    assert json.loads(output([True, None, 12345678]).preview) == [True, None, 12345678]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (0.35, "0.3500"),
        (-1.25, "−1.2500"),
        (1e-7, "1e−07"),
        (12345.67, "12,345.7"),
        (math.nan, "undefined"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_differences_values_intervals_and_tests() -> None:
    assert (signed(0.5), signed(-0.5), signed(0.0)) == ("+0.5000", "−0.5000", "0.0000")
    assert (value_of(3.0), value_of(1 / 3), value_of(-0.5), value_of(math.nan)) == ("3", "0.333", "−0.5", "–")
    assert (interval((0.1, 0.2)), interval(None)) == ("0.1000 to 0.2000", "–")
    assert (p_value(0.0456), p_value(2e-5), p_value(1.0), p_value(None)) == ("0.046", "2e-05", "1.000", "–")
    assert (stars(0.05), stars(0.049), stars(0.01), stars(0.009), stars(None)) == ("", "*", "*", "**", "")
