from __future__ import annotations

import re
import shutil
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml

from harness.report.svg import Scale, Svg, coordinate, round_step
from tasks.api import TaskError
from tasks.opl.labels import label
from tasks.opl.report_log import effective_sample_size, shares
from tasks.opl.report_plots import wilson
from tasks.opl.report_texts import both_ends
from tasks.presets import load
from tests.tasks.opl.finished_run import CLOSED, EVIL, FinishedRun, add_policy, add_prompts, finished_run

VOID = {"meta", "br", "link", "img", "hr", "input"}
SECTIONS = ("values", "learning", "log", "rewards", "sentences", "data", "provenance")


class Page(HTMLParser):
    """The page's tags, attributes and text; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return finished_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def html(run: FinishedRun) -> str:
    return run.report().path("report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_stands_alone(html, page):
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(page.tags)
    assert not page.values("src") and not page.values("onload") and not page.values("xlink:href")
    assert all(href.startswith("#") for href in page.values("href"))
    assert not re.search(r"@import|url\(", html)
    assert "default-src 'none'" in html


def test_every_section_is_there_and_reachable(page):
    ids = page.values("id")
    assert set(SECTIONS) <= set(ids) and len(ids) == len(set(ids))
    assert {href[1:] for href in page.values("href")} == set(SECTIONS)
    for heading in ("Policy values", "Learning", "The reward model", "Keywords and sentences", "Data", "Make it again"):
        assert heading in page.text


def test_figures_have_names(html):
    drawings = re.findall(r"<svg[^>]*>(?:<title>[^<]+</title>)?", html)
    named = [drawing for drawing in drawings if 'role="img"' in drawing]
    assert len(named) >= 4 + 3 + 4 + 3 and all("<title>" in drawing for drawing in named)
    assert all('aria-hidden="true"' in drawing for drawing in drawings if drawing not in named)


def test_numbers_are_those_of_the_scores(run, page):
    scores = run.artifacts["opl/scores"].read_json("scores.json")
    for name in ("uniform", "logging", "direct_method", "ips", "online", "optimal"):
        assert label(name) in page.text
        value = f"{scores['policies'][name]['metrics']['policy_value']['value']:.4f}".replace("-", "\N{MINUS SIGN}")
        assert value in page.text
        assert scores["policies"][name]["predictions_sha256"] in page.text
    assert scores["golds_sha256"] in page.text


def test_weights_and_their_effective_sample_size(run, page):
    rounds = run.artifacts["opl/log"].table("rounds").read()
    context, action = rounds["context_id"].to_numpy(), rounds["action"].to_numpy()
    w = run.policies["ips"][context, action] / rounds["pscore"].to_numpy()
    assert f"{w.sum() ** 2 / (w**2).sum():,.0f} " in page.text and f"{w.mean():.3f}" in page.text


def test_sentences_show_mean_rewards_over_the_films_test_contexts(run, page):
    contexts = run.artifacts["opl/environment"].table("contexts").read()
    item = contexts["item_id"].to_numpy()[run.is_test]
    film = int(np.bincount(item).argmax())
    mean = run.rewards[run.is_test][item == film].astype(np.float64).mean(axis=0)
    assert f"A film {film}" in page.text and f"{(item == film).sum()} contexts" in page.text
    for action, reward in enumerate(mean):
        assert f"A sentence {film} {action}" in page.text
        assert f"{reward:+.3f}".replace("-", "\N{MINUS SIGN}") in page.text


def test_provenance_names_every_artifact_and_how_to_make_it_again(run, html, page):
    for artifact in run.artifacts.values():
        if artifact.name not in ("opl/report",):
            assert artifact.name in page.text and artifact.key[:16] in page.text
    assert run.artifacts["opl/scores"].digest[:16] in page.text
    assert f"numpy {np.__version__}" in page.text
    assert CLOSED.name in page.text and "is not to be redistributed" in page.text
    preset = yaml.safe_load(unescape(re.search(r"<pre>(.*?)</pre>", html, re.S)[1]))
    assert preset["sources"] == {"ratings": "ml-made"} and sorted(preset["methods"]) == ["direct_method", "ips"]
    assert preset["steps"]["opl.learn"] == {"n_steps": 30} and preset["steps"]["opl.log"] == {"beta": 0.2}
    assert preset["steps"]["opl.score"] == {"n_bootstrap": 50, "seed": 0}


def test_the_preset_is_one_that_the_pipeline_takes(html, tmp_path):
    """Every key in it is known to its task, and the learners' common configuration comes back for each method."""
    path = tmp_path / "again.yaml"
    path.write_text(unescape(re.search(r"<pre>(.*?)</pre>", html, re.S)[1]), encoding="utf-8")
    preset = load("movielens_opl", str(path))
    assert preset.of("opl.learn", method="ips")["n_steps"] == 30 and preset.of("movielens.tables")["seed"] == 3


def test_what_the_preset_lacks_is_said(tmp_path):
    """A learner that was configured apart from the others."""
    run = finished_run(tmp_path)
    add_policy(run, "ips", run.policies["ips"], seed=77)
    text = Page(run.report().path("report.html").read_text(encoding="utf-8")).text
    assert "opl.learn for ips was configured apart" in text


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    run = finished_run(tmp_path)
    first = run.report()
    shutil.rmtree(run.store.root / first.name / first.key)
    again = run.report()
    assert again.manifest.attempt != first.manifest.attempt
    assert (again.key, again.digest) == (first.key, first.digest)


def test_texts_cannot_become_markup(tmp_path):
    quotes = "\"'><svg onload=alert(1)> &amp; {{ 7 * 7 }} </style></title>"
    evil = finished_run(tmp_path, title=EVIL + quotes, keyword=EVIL + quotes, text=EVIL + quotes)
    html = evil.report().path("report.html").read_text(encoding="utf-8")
    page = Page(html)
    assert EVIL not in html and "<svg onload" not in html and "script" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.text.count(f"{EVIL}{quotes}") > 20, "the texts are shown as they are"


def test_at_most_so_many_films_sentences_and_keywords(run):
    small = run.report({"n_films": 1, "n_sentences": 2, "n_keywords": 3}, scores=run.artifacts["opl/scores"])
    text = small.path("report.html").read_text()
    assert text.count("Sentences about") == 1
    assert "3 between them are not shown" in text and "2 between them are not shown" in text


def test_inputs_that_do_not_belong_together_are_told(tmp_path):
    run = finished_run(tmp_path)
    run.score()
    sound = run.artifacts["opl/simulator"]
    stranger = add_policy(run, "stranger", run.policies["ips"])
    with pytest.raises(TaskError, match=r"policies: opl/scores@\w+ has no score of stranger"):
        run.report(policies=[stranger], scores=run.artifacts["opl/scores"])

    def broken(out):
        out.write_json("quality.json", {"rows": {}, "models": {"text": {"auc": 0.5}}})

    simulator = run.commit("opl/simulator", "opl.simulator", {"broken": 1}, {}, broken)
    with pytest.raises(TaskError, match=r"quality.json: models.text.mse: Field required; run opl.simulator again"):
        run.report(simulator=simulator, scores=run.artifacts["opl/scores"])
    prompts = add_prompts(run, ["a", "b"])
    with pytest.raises(TaskError, match="2 keywords but the environment has 5 actions"):
        run.report(prompts=prompts, simulator=sound, scores=run.artifacts["opl/scores"])


def test_scales_ticks_and_numbers():
    scale = Scale(0, 10, 100, 200)
    assert (scale(0), scale(5), scale(-3), scale(99)) == (100, 150, 100, 200)
    assert [text for _, text in scale.ticks(5)] == ["0", "2", "4", "6", "8", "10"]
    assert [text for _, text in Scale(-0.25, 0.3, 0, 1).ticks(5)] == ["\N{MINUS SIGN}0.2", "0.0", "0.2"]
    assert [text for _, text in Scale(0.001, 1000, 0, 1, log=True).ticks(6)] == [
        "0.001",
        "0.01",
        "0.1",
        "1",
        "10",
        "100",
        "1,000",
    ]
    assert Scale(3, 3, 0, 10)(3) == 5 and Scale(3, 3, 0, 10).ticks() == [(3, "3")]
    assert (round_step(0.3), round_step(2), round_step(0), coordinate(-0.001), coordinate(1.50)) == (
        0.5,
        2,
        1,
        "0",
        "1.5",
    )


def test_drawings_escape_what_they_are_given():
    svg = Svg(10, 10, EVIL, '"><x')
    svg.text(1, 1, EVIL, '"><x')
    svg.line(0, 0, 1, 1, "grid", EVIL)
    assert "<script" not in svg.markup() and "<x" not in svg.markup()


def test_small_statistics():
    w = np.array([1.0, 1.0, 2.0])
    assert effective_sample_size(w) == pytest.approx(16 / 6)
    assert effective_sample_size(w * 1e-300) == pytest.approx(16 / 6) and effective_sample_size(0 * w) == 0
    assert shares(np.array([0.0, 0.4, 1.0]), np.array([0.0, 0.5, 1.0])).shares == pytest.approx([2 / 3, 1 / 3])
    low, high = wilson(0.5, 100)
    assert (low, high) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert both_ends(np.array([0.1, 0.5, 0.3, 0.2]), 3) == [1, 2, 0] and both_ends(np.array([0.1, 0.5]), 3) == [1, 0]
