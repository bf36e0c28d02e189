"""The kept cases, each a small file named for what it is; `python -m tests.harness.fuzz.corpus` writes them."""

from __future__ import annotations

import io
import json
import stat
import sys
import zipfile
from pathlib import Path

from tests.harness.fuzz.run_one import Input
from tests.harness.fuzz.seeds import envelope, items, pairs
from tests.harness.made_zips import Entry, listed, named, patched, quoted_overlap, zipped

FOLDER = Path(__file__).with_name("corpus")
_GOOD = envelope("LaMP_3", ["1", "4", "5", "3"])
_STORED = zipped(("LaMP_3.json", _GOOD), method=zipfile.ZIP_STORED)


def _raw(output: str, task: str = "LaMP_3") -> bytes:
    """Predictions whose first output is this text as it stands."""
    return envelope(task, ["TOKEN", "4", "5", "3"]).replace(b'"TOKEN"', output.encode("utf-8", "surrogatepass"))


def _opl(*outputs: object) -> bytes:
    return envelope("opl_policy", list(outputs))


def _stored(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    return zipped(*members, method=zipfile.ZIP_STORED)


def _one(name: bytes, size: int) -> bytes:
    """A zip of one stored member that says it is of another size."""
    entry = Entry(name, 0, 0, len(_GOOD), size, 0)
    return listed(entry.local() + _GOOD, [entry])


def _with_table(old: bytes, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(pairs()["opl_policy"].preds)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    table = members["opl_policy.action_dist.npy"]
    assert old in table
    return _stored(*(members | {"opl_policy.action_dist.npy": table.replace(old, new, 1)}).items())


# Side, task, what it is, its bytes, and what must become of it. Deflated bytes differ between zlib builds, so the
# files are what counts; what is written anew is the same wherever zlib is.
CASES: list[tuple[str, bytes, str]] = [
    ("preds-LaMP_3-sound.json", _GOOD, "scored"),
    ("preds-LaMP_3-sound-in-a-folder.zip", _stored(("preds/any name.json", _GOOD)), "scored"),
    ("preds-LaMP_3-sound-from-a-mac.zip", _stored(("p/x.json", _GOOD), ("__MACOSX/p/._x.json", b"\0\5\x16\7")), "scored"),
    ("preds-LaMP_3-empty.json", b"", "is not JSON"),
    ("preds-LaMP_3-only-spaces.json", b" \n", "is not JSON"),
    ("preds-LaMP_3-byte-order-mark.json", b"\xef\xbb\xbf" + _GOOD, "byte order mark"),
    ("preds-LaMP_3-utf-16.json", _GOOD.decode().encode("utf-16"), "is not UTF-8"),
    ("preds-LaMP_3-latin-1.json", _raw('"caf\xe9"').replace(b"\xc3\xa9", b"\xe9"), "is not UTF-8"),
    ("preds-LaMP_3-raw-surrogate.json", _raw('"\ud800"'), "is not UTF-8"),
    ("preds-LaMP_4-escaped-surrogate.json", _raw('"\\ud800"', "LaMP_4"), "scored"),
    ("preds-LaMP_4-nul-and-escapes.json", _raw('"\\u0000\\u001b[2J\\u202e"', "LaMP_4"), "scored"),
    ("preds-LaMP_3-escaped-surrogate.json", _raw('"\\ud800"'), ""),
    ("preds-LaMP_3-nan.json", _raw("NaN"), "holds NaN"),
    ("preds-LaMP_3-infinity.json", _raw("-Infinity"), "holds -Infinity"),
    ("preds-LaMP_3-1e999.json", _raw("1e999"), "too large for a float"),
    ("preds-LaMP_3-nan-as-text.json", _raw('"nan"'), ""),
    ("preds-LaMP_3-inf-as-text.json", _raw('"inf"'), ""),
    ("preds-LaMP_3-long-integer.json", _raw("9" * 5000), "an integer of 5,000 digits"),
    ("preds-LaMP_3-long-integer-as-text.json", _raw(f'"{"9" * 5000}"'), ""),
    ("preds-LaMP_3-underscore-as-text.json", _raw('"1_0"'), ""),
    ("preds-LaMP_3-arabic-digit-as-text.json", _raw('"\u0661"'), ""),
    ("preds-LaMP_3-nested-lists.json", _raw("[" * 5_000 + "]" * 5_000), "nested too deeply"),
    ("preds-LaMP_3-nested-objects.json", _raw('{"a":' * 5_000 + "0" + "}" * 5_000), "nested too deeply"),
    ("preds-LaMP_3-just-nested-enough.json", _raw("[" * 60 + "]" * 60), ""),
    ("preds-LaMP_3-key-twice.json", _GOOD.replace(b'"id"', b'"output": "1", "id"', 1), "gives 'output' twice"),
    ("preds-LaMP_3-key-twice-by-escape.json", _GOOD.replace(b'"id"', b'"\\u0069d": "1", "id"', 1), "gives 'id' twice"),
    ("preds-LaMP_3-task-twice.json", _GOOD.replace(b'{"task"', b'{"task": "LaMP_1", "task"', 1), "its task is 'LaMP_1'"),
    ("preds-LaMP_3-null.json", _raw("null"), ""),
    ("preds-LaMP_3-list.json", b"[]", "must be"),
    ("preds-LaMP_3-lines.json", b'{"id": "0"}\n{"id": "1"}\n', "is not JSON: Extra data"),
    ("preds-LaMP_3-no-items.json", b'{"task": "LaMP_3", "golds": []}', "at least one item"),
    ("preds-LaMP_3-id-of-odd-kind.json", _GOOD.replace(b'"id": "0"', b'"id": [0]'), "has the id [0]"),
    ("preds-LaMP_3-id-half-a-surrogate.json", _GOOD.replace(b'"id": "0"', b'"id": "\\ud800"'), "is not in the golds"),
    ("preds-LaMP_3-id-of-terminal-codes.json", _GOOD.replace(b'"id": "0"', b'"id": "\\u001b[2J\\n"'), "is not in the golds"),
    ("preds-LaMP_3-id-long.json", _GOOD.replace(b'"id": "0"', b'"id": "%s"' % (b"i" * 9999)), "is not in the golds"),
    ("preds-LaMP_3-task-long.json", _GOOD.replace(b"LaMP_3", b"L" * 9999), "its task is"),
    ("preds-LaMP_3-other-task.json", _GOOD.replace(b"LaMP_3", b"LaMP_1"), "its task is 'LaMP_1'"),
    ("preds-LaMP_3-cut-short.zip", _STORED[:-30], "not a whole zip"),
    ("preds-LaMP_3-trailing-bytes.zip", _STORED + b"\0\0", "not a whole zip"),
    ("preds-LaMP_3-comment.zip", _STORED[:-2] + b"\2\0hi", "not a whole zip"),
    ("preds-LaMP_3-no-members.zip", zipped(), "holds no JSON"),
    ("preds-LaMP_3-end-record-alone-says-members.zip", b"PK\5\6" + b"\0" * 4 + b"\xff" * 12 + b"\0\0", ""),
    ("preds-LaMP_3-parent.zip", _stored((named("../LaMP_3.json"), _GOOD)), "outside the zip"),
    ("preds-LaMP_3-absolute.zip", _stored((named("/LaMP_3.json"), _GOOD)), "not a plain relative name"),
    ("preds-LaMP_3-drive.zip", _stored((named("C:LaMP_3.json"), _GOOD)), "not a plain relative name"),
    ("preds-LaMP_3-backslash.zip", _stored((named("a\\LaMP_3.json"), _GOOD)), "not a plain relative name"),
    ("preds-LaMP_3-nul-in-name.zip", _STORED.replace(b"LaMP_3.json", b"LaMP_3.j\0on"), "not a plain relative name"),
    ("preds-LaMP_3-link.zip", _stored((named("LaMP_3.json", stat.S_IFLNK | 0o777), b"/etc/passwd")), "symbolic link"),
    ("preds-LaMP_3-encrypted.zip", patched(_STORED, 6, 8, b"\1\0"), "is encrypted"),
    ("preds-LaMP_3-deflate64.zip", patched(_STORED, 8, 10, b"\x09\0"), "compression method 9"),
    ("preds-LaMP_3-said-deflated.zip", patched(_STORED, 8, 10, b"\x08\0"), "damaged or cut short"),
    ("preds-LaMP_3-nested.zip", _stored(("LaMP_3.json", _GOOD), ("more.zip", _STORED)), "a zip inside a zip"),
    ("preds-LaMP_3-zip-named-json.zip", _stored(("LaMP_3.json", _STORED)), "is itself a zip"),
    ("preds-LaMP_3-json-named-zip.zip", _GOOD, "not a whole zip"),
    ("preds-LaMP_3-bad-crc.zip", patched(_STORED, 14, 16, b"\0\0\0\0"), "Bad CRC-32"),
    ("preds-LaMP_3-said-smaller.zip", _one(b"LaMP_3.json", 10), "damaged or cut short"),
    ("preds-LaMP_3-said-larger.zip", _one(b"LaMP_3.json", 1 << 31), "times its packed size"),
    ("preds-LaMP_3-version-255.zip", patched(_STORED, 4, 6, b"\xff\0"), "damaged or cut short"),
    ("preds-LaMP_3-same-name-but-for-case.zip", _stored(("p.json", _GOOD), ("P.json", _GOOD)), "one name where case"),
    ("preds-LaMP_3-capitals.zip", _stored(("LaMP_3.JSON", _GOOD)), "name it .json"),
    ("preds-LaMP_3-same-task-twice.zip", _stored(("a.json", _GOOD), ("b.json", _GOOD)), "are both of the task"),
    ("preds-LaMP_3-bomb-quoted-overlap.zip", quoted_overlap(20, 1 << 20), "overlaps another member"),
    ("preds-LaMP_3-bomb-zeros.zip", zipped(("LaMP_3.json", b"[0],".ljust(5 << 20))), "times its packed size"),
    ("preds-opl_policy-nan-in-table.zip", _with_table(b"\0\0\0\0\0\0\xd0\x3f", b"\0\0\0\0\0\0\xf8\x7f"), "id '3'"),
    ("preds-opl_policy-table-claims-much.zip", _with_table(b"(2, 3), }       ", b"(9999999, 3), } "), "does not fit its shape"),
    ("preds-opl_policy-table-of-objects.zip", _with_table(b"'<f8'", b"'|O' "), "must be a C-ordered matrix"),
    ("preds-opl_policy-integer-past-float.json", _opl(10**299, 1, 1, 1), "id '0'"),
    ("preds-opl_policy-probability-past-float.json", _opl([10**299, 0, 0], 1, 1, 1), "id '0'"),
    ("preds-opl_policy-true.json", _opl(True, 1, 1, 1), "id '0'"),
    ("preds-opl_policy-row-without-table.json", _opl({"row": 0}, 1, 1, 1), "id '0'"),
    ("preds-opl_policy-smallest-probabilities.json", _opl([5e-324, 1, 0], [0, -0.0, 1], 1, 1), ""),
    ("preds-click-largest-float.json", envelope("click", [[1.7e308, -1.7e308, 0], [0, 0], [1, 2, 3, 4], [1, 1]]), "scored"),
    ("preds-click-long-integers.json", envelope("click", [[10**299, 0, 1], [0, 0], [1, 2, 3, 4], [1, 1]]), ""),
    ("preds-ranking-mixed-items.json", envelope("ranking", [["a", 1], ["b"], [], [None]]), "id '0'"),
    ("preds-ranking-items-of-items.json", envelope("ranking", [[["a"]], ["b"], [], ["c"]]), "id '0'"),
    ("preds-LaMP_4-many-commas.json", _raw(f'"{"a, b: {[ " * 900}"', "LaMP_4"), "scored"),
    ("preds-LaMP_4-object.json", _raw('{"id": "0"}', "LaMP_4"), "id '0'"),
    ("golds-LaMP_3-half-the-users.json", json.dumps({"task": "LaMP_3", "golds": [*items(["1", "4"], users=True),
        *items(["1", "4", "5", "3"])[2:]]}).encode(), "2 of 4 items carry a user_id"),
    ("golds-LaMP_3-unknown-task.json", _GOOD.replace(b"LaMP_3", b"LaMP_33"), "did you mean 'LaMP_3'"),
    ("golds-LaMP_3-settings.json", _GOOD[:-1] + b', "settings": {"a": 1}}', "are no part of golds of LaMP_3"),
    ("golds-opl_policy-no-tables.json", _opl(0, 1, 2, 3), "there is no 'opl_policy.rewards.npy' beside it"),
]  # fmt: skip


def inputs() -> dict[str, Input]:
    """The files as inputs for the fuzzer: one side from the corpus, the other sound."""
    found = {}
    for path in sorted(FOLDER.iterdir()):
        side, task, _ = path.name.split("-", 2)
        pair, data = pairs()[task], path.read_bytes()
        found[path.name] = Input(
            task=task,
            golds=data if side == "golds" else pair.golds,
            preds=data if side == "preds" else pair.preds,
            golds_mutated=side == "golds",
            preds_mutated=side == "preds",
            suffix=path.suffix,
        )
    return found


def main() -> int:
    """Write every case; files of cases that are gone are removed."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        if path.name not in {name for name, _, _ in CASES}:
            path.unlink()
    for name, data, _ in CASES:
        (FOLDER / name).write_bytes(data)
    sys.stdout.write(f"{len(CASES)} cases, {sum(len(data) for _, data, _ in CASES):,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
