"""The page on off-policy evaluation: its examples run and print what it says, its table is what its command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.opl.evaluation.open_bandit_table import main

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "off_policy_evaluation.md").read_text(encoding="utf-8")


def test_the_examples_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for kind, block in re.findall(r"```(python|text)\n(.*?)```", PAGE, re.DOTALL):
        if kind == "python":
            exec(block, names)
        else:
            assert capsys.readouterr().out == block
    assert (tmp_path / "estimates.svg").read_text(encoding="utf-8").startswith("<svg ")


def cells(table: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:2] == "| "]
    return {row[0]: row[1:] for row in rows}


def test_the_open_bandit_table_is_what_the_command_prints(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the campaigns that are at hand; figures within the last digit, which another BLAS may turn."""
    root = shared_data / "redistributable" / "open_bandit"
    if not root.is_dir():
        pytest.skip(f"no Open Bandit logs at {root}")
    main(root, None)
    printed, told = cells(capsys.readouterr().out), cells(PAGE[PAGE.index("| clicks, %") :])
    columns = [told["clicks, %"].index(name) for name in printed["clicks, %"]]
    assert len(columns) >= 2
    for name, row in printed.items():
        written = [told[name][column] for column in columns]
        assert [re.sub(r"[-\d.]+", "", cell) for cell in row] == [re.sub(r"[-\d.]+", "", cell) for cell in written]
        numbers = [
            [float(number) for cell in side for number in re.findall(r"-?\d+\.\d+", cell)] for side in (row, written)
        ]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.011)
