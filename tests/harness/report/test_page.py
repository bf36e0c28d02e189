"""The page as a whole: it stands alone, escapes, repeats, stays small, and says what the scores say."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import HarnessError, Scores, write_envelope
from harness.comparison import Comparison, compare
from harness.report import write_report
from harness.report.tables import best
from harness.report.texts import number
from tests.harness.report.conftest import EVIL, Page, gold_outputs, items, report
from tests.harness.test_formats import rouge

Files = tuple[Path, dict[str, Path]]


@pytest.fixture(scope="module")
def page(lamp: Files) -> Page:
    return Page(report(*lamp, n_bootstrap=50, anchors=True))


def test_it_stands_alone(page: Page) -> None:
    assert not {"script", "link", "img", "iframe", "object", "image", "use", "base", "form"} & set(page.tags)
    assert not page.values("src") and not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.values("href") and all(href.startswith("#") for href in page.values("href"))
    assert not re.search(r"@import|url\(|https?://", page.html)
    assert "default-src 'none'" in page.html


def test_links_lead_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids)) and {href[1:] for href in page.values("href")} <= set(ids)
    assert {"LaMP_1", "LaMP_2", "LaMP_3", "LaMP_4", "provenance"} <= set(ids)


def test_figures_and_scrolled_tables_have_names(page: Page) -> None:
    drawings = re.findall(r"<svg[^>]*>(?:<title>[^<]+</title>)?", page.html)
    assert drawings and all('role="img"' in drawing and "<title>" in drawing for drawing in drawings)
    regions = [name for tag, name, value in page.attributes if tag == "div" and value == "region"]
    assert len(page.values("aria-label")) >= len(regions) == page.tags.count("table")


def test_what_strangers_wrote_is_shown_and_harmless(page: Page) -> None:
    assert "<script>alert(1)</script>" in page.text  # as text
    assert "<script" not in page.html and "onerror=alert(2)>" not in page.html
    assert not set("\u202e\x07") & set(page.html)
    assert "‹U+202E›gnp.exe ‹U+0007›" in page.text
    assert '" "' in page.text and "6,000 characters more" in page.text


def test_numbers_are_those_of_the_comparison(lamp: Files, page: Page) -> None:
    found = compare(*lamp, n_bootstrap=50)
    for scores in found.systems.values():
        for result in scores.values():
            assert result.predictions_sha256 in page.text and result.golds_sha256 in page.text
            assert all(number(metric.value) in page.text for metric in result.metrics.values())
    for systems in found.differences.values():
        for metrics in systems.values():
            assert all(number(abs(one.value)) in page.text for one in metrics.values())
    assert "for the 8 comparisons" in page.text and "never below 0.039" in page.text
    assert "RSPG-Post" in page.text and "0.203" in page.text


def test_the_same_inputs_give_the_same_bytes(lamp: Files, tmp_path: Path) -> None:
    golds, systems = lamp
    for name in ("a", "b"):
        comparison = write_report(tmp_path / f"{name}.html", golds, systems, n_bootstrap=20)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert comparison.to_json() == compare(golds, systems, n_bootstrap=20).to_json()


def test_one_system_alone(lamp: Files) -> None:
    golds, systems = lamp
    page = Page(report(golds, {"base": systems["base"]}, task="LaMP_4", n_bootstrap=20))
    assert "base on LaMP_4" in page.text and "Worst samples of base" in page.text
    assert "better than" not in page.text and "Holm" not in page.text and "rouge-L" in page.text


def test_without_resamples(lamp: Files) -> None:
    assert "no resamples were drawn" in Page(report(*lamp, n_bootstrap=0)).text


def test_tables_of_rewards(opl: Files) -> None:
    page = Page(report(*opl, n_bootstrap=20))
    for words in ("optimality", "soft better than first", "Worst samples of soft", "2 systems on opl_policy"):
        assert words in page.text


def test_lists_of_items_with_many_metrics(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write_envelope(tmp_path / "golds.zip", "ranking", [{"id": str(i), "output": [i % 7]} for i in range(40)])
    systems = {}
    for name in ("a", "b"):
        systems[name] = tmp_path / f"{name}.zip"
        lists = [{"id": str(i), "output": rng.permutation(30)[:10].tolist()} for i in range(40)]
        write_envelope(systems[name], "ranking", lists)
    page = Page(report(tmp_path / "golds.zip", systems, n_bootstrap=20))
    assert "Other metrics" in page.text and "NDCG@10" in page.text


def test_a_missing_task_is_told(tmp_path: Path, lamp: Files) -> None:
    golds, systems = lamp
    write_envelope(tmp_path / "part.zip", "LaMP_1", items(["[1]"] * 60))
    for preds in ({"base": systems["base"], "part": tmp_path / "part.zip"}, {"part": tmp_path / "part.zip", **systems}):
        page = Page(report(golds, preds, n_bootstrap=10, allow_missing=True))
        assert "part : not scored, as there are no predictions, on LaMP_2, LaMP_3, LaMP_4" in page.text


def test_the_dashed_line_is_named_after_the_first_system_that_has_the_task(tmp_path: Path, lamp: Files) -> None:
    golds, systems = lamp
    write_envelope(tmp_path / "part.zip", "LaMP_1", items(["[1]"] * 60))
    preds = {"part": tmp_path / "part.zip", "base": systems["base"], "tuned": systems["tuned"]}
    page = Page(report(golds, preds, n_bootstrap=10, allow_missing=True))
    told = re.findall(r"dashed: the value of (\w+) \.", page.text)
    assert told == ["part", "base", "base", "base"]


def test_the_best_are_those_printed_alike() -> None:
    def scores(value: float) -> Scores:
        return Scores({"LaMP_4": rouge(value, 0.1)})

    systems = {"a": scores(0.20001), "b": scores(0.20004), "c": scores(0.1)}
    assert best(Comparison("a", systems, {}), "LaMP_4", "rouge-1") == {"a", "b"}
    systems = {"a": scores(float("nan")), "b": scores(0.2)}
    assert best(Comparison("a", systems, {}), "LaMP_4", "rouge-1") == set()


def test_many_samples_make_no_large_page(tmp_path: Path) -> None:
    sizes = []
    for n in (300, 20_000):
        write_envelope(tmp_path / "golds.zip", "LaMP_4", items(gold_outputs(n)["LaMP_4"]))
        write_envelope(tmp_path / "preds.zip", "LaMP_4", items(gold_outputs(n, seed=1)["LaMP_4"]))
        sizes.append(len(report(tmp_path / "golds.zip", {"": tmp_path / "preds.zip"}, n_bootstrap=5)))
    assert sizes[1] < sizes[0] + 2000


def test_long_outputs_make_no_endless_page(tmp_path: Path) -> None:
    write_envelope(tmp_path / "golds.zip", "LaMP_1", items(["[1]"] * 200))
    write_envelope(tmp_path / "preds.zip", "LaMP_1", items([f"<{i}>" + "long & " * 20_000 for i in range(200)]))
    page = report(tmp_path / "golds.zip", {"": tmp_path / "preds.zip"}, n_bootstrap=5)
    assert len(page) < 1_000_000


def test_jinja2_is_asked_for_by_name(lamp: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(HarnessError, match=r"lampworks\[reports\]"):
        write_report(tmp_path / "page.html", *lamp)
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_where_scoring_is_refused(lamp: Files, tmp_path: Path) -> None:
    golds, _ = lamp
    with pytest.raises(HarnessError):
        write_report(tmp_path / "page.html", golds, {"golds": golds})
    assert not list(tmp_path.iterdir())


def test_the_name_of_a_system_is_text_too(page: Page) -> None:
    assert EVIL.split()[0] in page.text
