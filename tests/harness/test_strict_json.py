"""Strict JSON: what `json.loads` would let through is refused in one sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError, SubmissionError
from harness.strict_json import parse
from harness.untrusted import Limits

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"PK\x03\x04", "is itself a zip"),
        (b'{"a": "\xff"}', "is not UTF-8 (byte 7)"),
        ("{}".encode("utf-16"), "is not UTF-8"),
        (b'{"a": 1, "a": 2}', "gives 'a' twice"),
        (b'{"x": [{"a": 1, "a": 2}]}', "gives 'a' twice"),
        (b'{"a": NaN}', "holds NaN"),
        (b"[-Infinity]", "holds -Infinity"),
        (b'{"a": 1e999}', "'a' holds a number too large"),
        (b'{"a": [[1.5], [2, -1e999]]}', "'a' holds a number too large"),
        (b"1e999", "holds a number too large"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"9" * 10_000, "an integer of thousands of digits"),
        (b'{"a": 1', "is not JSON: Expecting ',' delimiter at line 1 column 8"),
        (b"", "is not JSON"),
        (b"[" + b"0," * 200 + b"0]", "more than 100 values"),
    ],
)
def test_refuses(data: bytes, message: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        parse(data, "preds.json", SubmissionError, Limits(json_values=100 if b"0,0" in data else 10**6))
    assert str(caught.value).startswith("preds.json: ")
    assert message in str(caught.value)


@given(VALUES)
def test_reads_what_json_writes(value: object) -> None:
    assert parse(json.dumps(value).encode(), "x", HarnessError, Limits()) == value


@given(st.binary(max_size=200) | st.text('[]{}":,0123456789eE+-.truefalsnu \\', max_size=200).map(str.encode))
def test_any_bytes_give_a_value_or_a_harness_error(data: bytes) -> None:
    try:
        parse(data, "x", HarnessError, Limits())
    except HarnessError as error:
        assert str(error).isprintable()
