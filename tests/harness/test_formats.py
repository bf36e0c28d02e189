"""Scores as text: other readers of Markdown, LaTeX and CSV find in it what was put in."""

from __future__ import annotations

import csv as csv_format
import io
import json
import math
import shutil
import string
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness import Result, Scores, formats
from harness.comparison import Comparison, Difference, compare
from harness.formats.sections import grouped_notes, notes_of
from harness.lamp.anchors import anchors_for
from harness.result import MetricResult

NASTY = string.punctuation + " a_b __c__ [x](y) ](z) ~~d~~ <b>e</b> \\textbf{f} [g"


def metric(value: float, better: bool = True, note: str | None = None) -> MetricResult:
    return MetricResult(value, 0.0125, (value - 0.025, value + 0.025), better, note)


def result(task: str, metrics: Mapping[str, MetricResult], **changes: object) -> Result:
    sound: dict[str, object] = {
        "task": task,
        "task_version": 1,
        "golds_sha256": "",
        "predictions_sha256": "",
        "n": 1500,
        "n_golds": 1500,
        "n_clusters": 300,
        "cluster": "user_id",
        "primary": next(iter(metrics)),
        "metrics": metrics,
        "level": 0.95,
        "n_bootstrap": 1000,
        "seed": 0,
        "harness_version": "0",
    }
    return Result(**{**sound, **changes})  # type: ignore[arg-type]


def rouge(one: float, longest: float, **changes: object) -> Result:
    return result("LaMP_4", {"rouge-1": metric(one), "rouge-L": metric(longest)}, **changes)


def rating(mae: float) -> Result:
    return result("LaMP_3", {"MAE": metric(mae, better=False)}, n=1490, n_clusters=None, notes=("2 are no number",))


ONE = {"mine": Scores({"LaMP_3": rating(0.3), "LaMP_4": rouge(0.2, 0.18)}, missing=("LaMP_5",))}
TWO = {
    "base": Scores({"LaMP_3": rating(0.3), "LaMP_4": rouge(0.2, 0.18)}),
    "tuned": Scores({"LaMP_3": rating(0.25), "LaMP_4": rouge(0.21, 0.18)}),
}
COMPARISON = Comparison(
    "base",
    TWO,
    {
        "LaMP_3": {"tuned": {"MAE": Difference(-0.05, (-0.0625, -0.0375), 0.001, True, 0.002)}},
        "LaMP_4": {
            "tuned": {
                "rouge-1": Difference(0.01, (-0.01, 0.03), 0.25, True, 0.25),
                "rouge-L": Difference(0.0, None, None, None),
            }
        },
    },
)


def plain(*arguments: object, **options: object) -> str:
    systems, *rest = arguments
    stream = io.StringIO()
    formats.table(systems, stream, *rest, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def tables_in(text: str) -> list[list[list[str]]]:
    """The cells of every table, as a reader of Markdown sees them; bold, italics and links leave their marks."""
    found: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and len(found[-1][-1]) < (len(found[-1][0]) if found[-1][1:] else 99):
            marks = {"text": "{}", "strong_open": "<b>", "strong_close": "</b>", "text_special": "{}"}
            assert token.children is not None
            found[-1][-1].append("".join(marks[child.type].format(child.content) for child in token.children))
    return found


def test_a_table_for_each_task() -> None:
    assert plain(ONE) == (
        "LaMP_3 version 1, 1,490 of 1,500 samples\n"
        "metric  value     standard error  interval              better\n"
        "MAE *   0.300000  0.012500        [0.275000, 0.325000]  lower\n"
        "2 are no number\n"
        "\n"
        "LaMP_4 version 1, 1,500 samples, 300 clusters by user_id\n"
        "metric     value     standard error  interval              better\n"
        "rouge-1 *  0.200000  0.012500        [0.175000, 0.225000]  higher\n"
        "rouge-L    0.180000  0.012500        [0.155000, 0.205000]  higher\n"
        "\n"
        "no predictions of LaMP_5\n"
    )


def test_markdown_of_one_system() -> None:
    assert formats.markdown(ONE) == (
        "| task | metric | value | standard error | 95 % interval | samples |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| LaMP_3 | MAE ↓ | 0.3000 | 0.0125 | [0.2750, 0.3250] | 1,490 of 1,500 |\n"
        "| LaMP_4 | rouge-1 ↑ | 0.2000 | 0.0125 | [0.1750, 0.2250] | 1,500 |\n"
        "| LaMP_4 | rouge-L ↑ | 0.1800 | 0.0125 | [0.1550, 0.2050] | 1,500 |\n"
        "\n"
        "- LaMP_3: 2 are no number\n"
        "- no predictions of LaMP_5\n"
    )


def test_latex_of_two_systems_has_the_best_in_bold() -> None:
    assert formats.latex(TWO) == (
        "% needs \\usepackage{booktabs}\n"
        "\\begin{tabular}{llrr}\n"
        "\\toprule\n"
        "Task & Metric & base & tuned \\\\\n"
        "\\midrule\n"
        "LaMP\\_3 & MAE $\\downarrow$ & 0.3000 & \\textbf{0.2500} \\\\\n"
        "\\midrule\n"
        "LaMP\\_4 & rouge-1 $\\uparrow$ & 0.2000 & \\textbf{0.2100} \\\\\n"
        " & rouge-L $\\uparrow$ & \\textbf{0.1800} & \\textbf{0.1800} \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "% LaMP_3: 2 are no number\n"
    )


def test_two_systems_and_their_differences() -> None:
    text = formats.markdown(TWO, COMPARISON)
    scores, of_rating, of_rouge = tables_in(text)
    assert scores == [
        ["task", "metric", "base", "tuned", "samples"],
        ["LaMP_3", "MAE ↓", "0.3000 ± 0.0125", "<b>0.2500</b> ± 0.0125", "1,490 of 1,500"],
        ["LaMP_4", "rouge-1 ↑", "0.2000 ± 0.0125", "<b>0.2100</b> ± 0.0125", "1,500"],
        ["LaMP_4", "rouge-L ↑", "<b>0.1800</b> ± 0.0125", "<b>0.1800</b> ± 0.0125", "1,500"],
    ]
    assert of_rating[1] == ["MAE", "tuned", "-0.0500", "[-0.0625, -0.0375]", "0.0010", "0.0020", "better"]
    assert of_rouge[1] == ["rouge-1", "tuned", "+0.0100", "[-0.0100, +0.0300]", "0.2500", "0.2500", "better"]
    assert of_rouge[2] == ["rouge-L", "tuned", "+0.0000", "-", "-", "-", "-"]
    assert text.count("2 are no number") == 1
    told = plain(TWO, COMPARISON)
    assert "LaMP_3, difference from base\n" in told
    assert "MAE     tuned   -0.050000   [-0.062500, -0.037500]  0.0010  0.0020    better\n" in told
    assert "rouge-1 *  tuned   0.210000" in told


def test_notes_and_sizes_name_the_system_where_they_are_not_all_alike() -> None:
    systems = {
        "a": Scores({"LaMP_4": rouge(0.2, 0.1, notes=("n1",)), "LaMP_3": rating(0.3)}),
        "b": Scores({"LaMP_4": rouge(0.3, 0.1, n=2)}, missing=("LaMP_3",)),
    }
    told = plain(systems)
    assert told.startswith(
        "LaMP_4 version 1, a: 1,500 samples, 300 clusters by user_id; b: 2 of 1,500 samples, 300 clusters by user_id\n"
    )
    assert "\na: n1\n" in told and "\nb: no predictions of LaMP_3\n" in told
    assert tables_in(formats.markdown(systems))[0][3] == ["LaMP_3", "MAE ↓", "0.3000 ± 0.0125", "-", "1,490 of 1,500"]
    assert "MAE $\\downarrow$ & 0.3000 & -- \\\\" in formats.latex(systems)


def test_what_is_undefined_is_a_dash_or_an_empty_field() -> None:
    bare = MetricResult(-0.5, None, None, True, "a single user or sample has no spread")
    systems = {"x": Scores({"opl_policy": result("opl_policy", {"regret": bare})})}
    assert "regret *  -0.500000  -               -         higher\nregret: a single user" in plain(systems)
    assert "| -0.5000 | - | - |" in formats.markdown(systems)
    assert "& $-$0.5000 & -- & -- \\\\" in formats.latex(systems)
    assert formats.csv(systems).splitlines()[1] == "x,opl_policy,regret,-0.5,,,,true,1500,1500,true"


names = st.text(st.sampled_from(NASTY + "äß漢\x1b\n\u202e"), min_size=1, max_size=12).filter(str.strip)
values = st.floats(-1e3, 1e3)


@given(st.dictionaries(names, st.tuples(values, values), min_size=2, max_size=4))
def test_other_readers_find_the_same_values(drawn: dict[str, tuple[float, float]]) -> None:
    systems = {name: Scores({"LaMP_4": rouge(*pair)}) for name, pair in drawn.items()}
    shown = ["".join(char if char.isprintable() else "?" for char in name) for name in systems]
    rows = list(csv_format.DictReader(io.StringIO(formats.csv(systems), newline=""), strict=True))
    harmless = [f"'{name}" if name[0] in "=+-@" else name for name in shown]
    assert [row["system"] for row in rows] == [name for name in harmless for _ in range(2)]
    for row, (name, place) in zip(rows, [(name, place) for name in systems for place in (0, 1)], strict=True):
        truth = systems[name]["LaMP_4"].metrics[("rouge-1", "rouge-L")[place]]
        assert float(row["value"]) == truth.value and float(row["standard_error"]) == truth.standard_error
        assert (float(row["interval_low"]), float(row["interval_high"])) == truth.interval
        assert (row["primary"], row["higher_is_better"]) == (("true", "false")[place], "true")
    (table,) = tables_in(formats.markdown(systems, decimals=3))
    assert [cell.strip() for cell in table[0][2:-1]] == [name.strip() for name in shown]
    for place, row in enumerate(table[1:]):
        read = [cell.split(" ± ")[0] for cell in row[2:-1]]
        bare = [cell.removeprefix("<b>").removesuffix("</b>") for cell in read]
        assert bare == [f"{pair[place]:.3f}" for pair in drawn.values()]
        best = f"{max(pair[place] for pair in drawn.values()):.3f}"
        assert [cell.startswith("<b>") for cell in read] == [cell == best for cell in bare]


def test_csv_is_as_rfc_4180_has_it() -> None:
    text = formats.csv({'a,"b"': TWO["base"], "tuned": TWO["tuned"]}, Comparison('a,"b"', {}, COMPARISON.differences))
    lines = text.split("\r\n")
    assert "\n" not in text.replace("\r\n", "") and lines[-1] == ""
    assert lines[1].startswith('"a,""b""",LaMP_3,MAE,0.3,') and lines[1].endswith(",,,,,,")
    rows = list(csv_format.DictReader(io.StringIO(text, newline=""), strict=True))
    tuned = next(row for row in rows if row["system"] == "tuned")
    assert (tuned["baseline"], tuned["difference"], tuned["difference_low"]) == ('a,"b"', "-0.05", "-0.0625")
    assert (tuned["p_value"], tuned["p_holm"], tuned["n"], tuned["n_golds"]) == ("0.001", "0.002", "1490", "1500")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1"])
def test_a_spreadsheet_takes_no_name_for_a_formula(name: str) -> None:
    differences = {"LaMP_3": {"tuned": COMPARISON.differences["LaMP_3"]["tuned"]}}
    systems = {name: TWO["base"], "tuned": TWO["tuned"]}
    text = formats.csv(systems, Comparison(name, systems, differences))
    rows = list(csv_format.DictReader(io.StringIO(text, newline=""), strict=True))
    told = f"'{name}" if name[0] > " " else name.replace(name[0], "?")
    assert (rows[0]["system"], rows[3]["baseline"], rows[3]["difference"]) == (told, told, "-0.05")


def test_a_note_of_a_system_is_told_once_and_names_it_once() -> None:
    twice = rouge(0.2, 0.1, notes=("n", "n", "all"))
    results = {"a\n": twice, "b": rouge(0.3, 0.1, notes=("all",))}
    assert grouped_notes(results) == [(["a\n"], "n"), ([], "all")]
    assert notes_of(results) == ["a?: n", "all"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX installed")
@pytest.mark.parametrize("count", [1, 3])
def test_latex_compiles_whatever_the_names(tmp_path: Path, count: int) -> None:
    scores = Scores({"LaMP_4": result("LaMP_4", {NASTY: metric(-0.2), "[b": metric(0.1, better=False)})})
    systems = {f"{NASTY}{place}": scores for place in range(count)}
    text = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + formats.latex(systems)
    (tmp_path / "page.tex").write_text(text + "\\end{document}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]


def test_latex_leaves_nothing_of_a_name_to_be_obeyed() -> None:
    from harness.formats.as_latex import escape

    written = escape(string.printable)
    for kept in ("\\textbackslash{}", "\\textasciitilde{}", "\\textasciicircum{}", "{[}", "$<$", "$>$", "$|$"):
        assert kept in written
        written = written.replace(kept, "")
    for char in "$&%#_{}":
        assert written.count(char) == written.count(f"\\{char}") == 1
    assert not set("~^\\[<>|\n\t") & set(written.replace("\\", "", 7))


@pytest.mark.parametrize("task", ["LaMP_3", "LaMP_4"])
def test_published_scores_beside_ours(task: str) -> None:
    systems = {"mine": Scores({task: ONE["mine"][task]})}
    anchors = anchors_for("LaMP_3") + anchors_for("LaMP_4")
    _, table = tables_in(formats.markdown(systems, anchors=anchors))
    head, own, *rows = table
    metrics = {name: value.value for name, value in systems["mine"][task].metrics.items()}
    assert own[:3] == ["mine", "-", "-"] and own[-1] == "scored here"
    published = {
        (method, one.model, one.setting, f"{one.source}, {one.table}"): values
        for one in anchors_for(task)
        for method, values in one.rows.items()
    }
    assert len(rows) == len(published)
    for row in rows:
        values = published[row[0], row[1], row[2], row[-1]]
        for name, ours in metrics.items():
            place = head.index(name)
            there = values.get(name)
            assert row[place] == ("-" if there is None else f"{there:.3f}")
            assert row[place + 1] == ("-" if there is None else f"{ours - there:+.4f}")
    told = plain(systems, anchors=anchors)
    assert f"{task}, beside published scores\nmethod " in told
    assert "the golds scored here 1,500." in told and "Table 5: Zero-shot; for each question" in told


def test_published_scores_beside_several_and_beside_none() -> None:
    told = plain(TWO, anchors=anchors_for("LaMP_3"))
    (line,) = (line for line in told.splitlines() if line.startswith("PEFT"))
    assert line.split("  ")[-1].strip() == "arXiv 2409.09510, as quoted by arXiv 2409.11901"
    assert "  0.301     -0.0010 " in line and "  -0.0510 " in line and "base minus it  tuned minus it" in told
    assert "published" not in plain({"x": Scores({"opl_policy": result("opl_policy", {"regret": metric(1)})})})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_rich_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    named = {"a[bold]\x1b[31m": TWO["base"], "tuned": TWO["tuned"]}
    formats.table(named, stream, Comparison("a[bold]\x1b[31m", named, COMPARISON.differences), anchors_for("LaMP_4"))
    text = stream.getvalue()
    assert "rouge-1 *" in text and "┃" in text and "2 are no number" in text and "RSPG-Post" in text
    assert "a[bold]?[31m" in text and "\x1b[31m" not in text


def test_real_scores_of_two_tasks(tmp_path: Path) -> None:
    def envelopes(folder: str, **outputs: list[str]) -> Path:
        (tmp_path / folder).mkdir()
        for task, values in outputs.items():
            items = [{"id": str(place), "output": value} for place, value in enumerate(values)]
            if folder == "golds":
                items = [{**item, "user_id": item["id"]} for item in items]
            path = tmp_path / folder / f"{task}.json"
            path.write_text(json.dumps({"task": task, "golds": items}), encoding="utf-8")
        return tmp_path / folder

    golds = envelopes("golds", LaMP_1=["[1]", "[2]", "[2]"], LaMP_3=["1", "5", "3"])
    preds = {
        "base": envelopes("base", LaMP_1=["[1]", "[1]", "[2]"], LaMP_3=["1", "4", "1"]),
        "tuned": envelopes("tuned", LaMP_1=["[1]", "[2]", "[2]"], LaMP_3=["1", "4", "3"]),
    }
    comparison = compare(golds, preds, n_bootstrap=50)
    scores, *_ = tables_in(formats.markdown(comparison.systems, comparison))
    assert [row[1] for row in scores[1:]] == ["accuracy ↑", "f1 ↑", "MAE ↓", "RMSE ↓"]
    assert scores[1][2:4] == ["0.6667 ± 0.3333", "<b>1.0000</b> ± 0.0000"] and scores[3][3].startswith("<b>0.3333</b>")
    rows = list(csv_format.DictReader(io.StringIO(formats.csv(comparison.systems, comparison), newline="")))
    assert len(rows) == 8 and math.isclose(float(rows[4]["difference"]), 1 / 3)
    assert {row["difference"] for row in rows[:4]} == {""}
    assert plain(comparison.systems, comparison).count("difference from base") == 2
    assert formats.latex(comparison.systems).count("\\textbf") == 4


def test_formats_stay_light() -> None:
    code = "import sys, harness.formats; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"rich", "numpy", "pydantic", "pandas", "harness.lamp.anchors", "harness.comparison"} & set(loaded)
