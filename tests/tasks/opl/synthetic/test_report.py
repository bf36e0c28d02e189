from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape

import numpy as np
import pytest

from store import Store
from tasks.api import TaskError
from tasks.opl.labels import label
from tasks.opl.synthetic.report_published import published
from tasks.opl.synthetic.report_read import mean_curve, read_settings
from tasks.opl.synthetic.report_sweeps import MOST_COLOURED, colours, paper_lines, sweeps
from tasks.opl.synthetic.report_tables import block
from tasks.opl.synthetic.report_words import seeds_told, title
from tasks.opl.synthetic.results import SUMMARY_FILE, summary_json
from tasks.opl.synthetic.statistics import standard_error
from tests.harness.report.conftest import EVIL, Page
from tests.tasks.opl.synthetic.made_results import DEFAULT, Made, commit, made_results, report, settings, write_table

LEARNERS = {
    "online_published": 0.7,
    "direct_method_published": 0.13,
    "ips_published": 0.22,
    "doubly_robust_published": 0.25,
    "potec_published": 0.17,
    "dso_published": 0.46,
    "dso": 0.5,
    "greedy": 0.3,
    "sentence_greedy": 0.6,
    "snips": 0.28,
}
N_ROUNDS = [{"n_rounds": n} for n in (500, 1000, 2000, 4000, 8000)]
KERNELS = [
    {"kernel": kernel, "bandwidth": bandwidth, "density": density}
    for kernel in ("gaussian", "uniform")
    for density in ("network", "monte_carlo")
    for bandwidth in (0.5, 1.0, 2.0)
]
VARIANTS = [{"variant": name, "compat": False} for name in ("hard", "published", "nonlinear")]
_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(str(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def swept(store: Store) -> Made:
    return made_results(store, settings(*N_ROUNDS, {"reward_std": 3.0}, *KERNELS), LEARNERS)


@pytest.fixture(scope="module")
def html(store: Store, swept: Made) -> str:
    return report(store, swept.artifact)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def shown(share: float) -> str:
    return minus(f"{100 * share:.1f}")


def test_the_page_stands_alone(html, page):
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(page.tags)
    assert not page.values("src") and not page.values("onload") and not page.values("style")
    assert all(href.startswith("#") for href in page.values("href"))
    assert not re.search(r"@import|url\(", html) and "default-src 'none'" in html


def test_every_section_is_there_and_reachable(page):
    sections = {"reading", "n_rounds", "reward_std", "bandwidth", "settings", "learning", "provenance"}
    assert {href[1:] for href in page.values("href")} == sections <= set(page.values("id"))
    assert len(page.values("id")) == len(set(page.values("id")))


def test_figures_have_names(html):
    drawings = re.findall(r"<svg[^>]*>(?:<title>[^<]+</title>)?", html)
    named = [drawing for drawing in drawings if 'role="img"' in drawing]
    assert len(named) == 2 + 2 + 4 + 18 and all("<title>" in drawing for drawing in named)
    assert all('aria-hidden="true"' in drawing for drawing in drawings if drawing not in named)


def test_numbers_are_means_and_standard_errors_over_seeds(swept, page):
    by_policy = swept.scores["published n_rounds=500 reward_std=1.0 kernel=None bandwidth=None density=None"]
    for name in LEARNERS:
        value, optimality = (
            np.array([seed[metric] for seed in by_policy[name].values()]) for metric in ("policy_value", "optimality")
        )
        assert label(name) in page.text
        assert minus(f"{value.mean():.4f} ± {standard_error(value):.4f}") in page.text
        assert f"{shown(optimality.mean())} ± {shown(standard_error(optimality))}" in page.text
    less = [by_policy["dso"][s]["policy_value"] - by_policy["dso_published"][s]["policy_value"] for s in range(3)]
    row = page.text.split("Direct sentence (DSO) ")
    assert any(minus(f"{np.mean(less):+.4f} ± {standard_error(np.array(less)):.4f}") in part for part in row)
    assert f"{sum(d > 0 for d in less)}/3" in page.text


def test_the_papers_own_numbers_stand_beside_ours(page):
    assert page.text.count(published().source) == 2, "for n_rounds and reward_std, not for the bandwidths"
    assert "published defects" not in page.text and "double_mean_noise and aliased_matrices" in page.text
    assert "paper’s, %" in page.text and "45.8" in page.text


def test_what_was_run_is_told(swept, page):
    assert f"{swept.artifact.name}@{swept.artifact.key}" in page.text and swept.artifact.digest in page.text
    assert "500; 1,000; 2,000; 4,000; 8,000" in page.text and "synthetic.results, version 1" in page.text
    made_by = swept.artifact.manifest.made_by
    assert all(entry.key in page.text for entries in made_by.inputs.values() for entry in entries)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([{}], {}),
        (N_ROUNDS, {"n_rounds": [5]}),
        (VARIANTS, {}),
        (
            [{"n_rounds": n, "n_actions": a} for n in (1, 2, 3) for a in (10, 50)],
            {"n_rounds": [3, 3], "n_actions": [2] * 3},
        ),
        ([*N_ROUNDS[3:], {"reward_std": 0.0}, *KERNELS], {"n_rounds": [2], "reward_std": [2], "bandwidth": [3] * 4}),
        ([{"n_rounds": 5}, {"n_actions": 5}], {}),
        ([{"beta": b, "variant": v} for b in (-1.0, 0.0, 3.0) for v in ("hard", "published")], {"beta": [3, 3]}),
    ],
)
def test_sweeps_are_settings_that_differ_in_one_field(store, changes, found):
    read = read_settings(made_results(store, settings(*changes), {"dso": 0.4}, [0], n_points=3).artifact)
    swept = sweeps(read)
    assert {field: [len(panel.settings) for panel in panels] for field, panels in swept.items()} == found
    for field, panels in swept.items():
        for panel in panels:
            numbers = [one.number(field) for one in panel.settings]
            assert numbers == sorted(set(numbers))
            assert all({**panel.fixed, field: one.fields[field]} == one.fields for one in panel.settings)


def test_the_order_of_the_rows_does_not_matter(store):
    fields = settings(*N_ROUNDS, *VARIANTS)
    read, again = (
        read_settings(made_results(store, fields, LEARNERS, n_points=6, shuffled=shuffled).artifact)
        for shuffled in (False, True)
    )
    assert [one.name for one in read] == [one.name for one in again]
    assert [one.fields["n_rounds"] for one in read[1:6]] == [500, 1000, 2000, 4000, 8000]
    assert [one.fields["variant"] for one in read[5:]] == ["published", "nonlinear", "hard"]
    for one, other in zip(read, again, strict=True):
        assert (one.optimality, one.selected, one.seeds) == (other.optimality, other.selected, other.seeds)
        assert all(np.array_equal(one.curves[name].mean, other.curves[name].mean) for name in one.curves)


def test_mean_curves_hold_what_ended_at_its_last_value(swept):
    setting = read_settings(swept.artifact)[0]
    points = [p for p in swept.points if (p["setting"], p["policy"]) == (setting.name, "dso")]
    curve = setting.curves["dso"]
    assert len({sum(p["seed"] == seed for p in points) for seed in range(3)}) > 1, "some end early"
    for step, mean, se in zip(curve.steps, curve.mean, curve.se, strict=True):
        held = [[p["value"] for p in points if p["seed"] == seed and p["step"] <= step][-1] for seed in range(3)]
        assert (mean, se) == pytest.approx((np.mean(held), standard_error(np.array(held))))
    steps = [np.array([0, 10, 20]), np.array([5, 20])]
    curve = mean_curve([(steps[0], np.array([1.0, 2.0, 4.0])), (steps[1], np.array([0.0, 8.0]))])
    assert curve.steps.tolist() == [5, 10, 20] and curve.mean.tolist() == [0.5, 1.0, 6.0]
    assert mean_curve([(steps[0], np.ones(3))]).se is None


def test_the_papers_numbers_are_whole_and_agree_with_each_other():
    paper = published()
    for field, sweep in paper.sweeps.items():
        assert sweep.values == sorted(set(sweep.values)) and paper.setting[field][0] in sweep.values
        assert all(len(line) == len(sweep.values) for line in sweep.optimality.values())
        assert list(sweep.optimality) == paper.methods
        at_default = sweep.values.index(paper.setting[field][0])
        for name, line in sweep.optimality.items():
            assert line[at_default] == pytest.approx(paper.at(DEFAULT)[name], abs=0.0011)
    assert paper.at(DEFAULT)["dso"] == 0.458 and paper.at(DEFAULT | {"n_actions": 50})["potec"] == 0.476
    assert paper.at(DEFAULT | {"n_actions": 51}) == {} == paper.at(DEFAULT | {"n_actions": 50, "n_rounds": 500})


@pytest.mark.parametrize(
    ("change", "drawn"),
    [
        ({}, True),
        ({"logging": "network"}, True),
        ({"kernel": "gaussian", "bandwidth": 1.0}, True),
        ({"compat": False}, False),
        ({"n_actions": 50}, False),
        ({"reward_std": 2.0}, False),
        ({"beta": 0.5}, False),
        ({"generator": "linear"}, False),
        ({"variant": "nonlinear"}, False),
        ({"bandwidth": 2.0}, False),
    ],
)
def test_the_papers_lines_are_drawn_in_its_own_setting_alone(store, change, drawn):
    made = made_results(store, settings(*(one | change for one in N_ROUNDS[1:3])), {"dso": 0.4, "ips": 0.2}, [0])
    lines = paper_lines("n_rounds", sweeps(read_settings(made.artifact))["n_rounds"][0], ["dso", "ips"])
    assert lines == ({"dso": [(1000, 0.337), (2000, 0.397)], "ips": [(1000, 0.143), (2000, 0.157)]} if drawn else {})


def test_colours_are_for_the_papers_methods_and_the_best_of_the_others(swept, store):
    looks = colours(read_settings(swept.artifact))
    assert len(set(looks.values())) == len(looks) == MOST_COLOURED
    assert {name for name in LEARNERS if name.endswith("_published")} | {"sentence_greedy", "dso"} == set(looks)
    few = read_settings(made_results(store, settings({}), {"dso": 0.4, "online": 0.6}, [0]).artifact)
    assert colours(few) == {"dso": 0, "online": 5}


def test_pairs_are_antisymmetric_and_those_of_the_summary(swept):
    setting = read_settings(swept.artifact)[0]
    found = block(setting, "", shown=False)
    assert found.pairs is not None and found.pairs.names == [name for name, _ in found.pairs.rows]
    by_pair = {(label(c.policy), label(c.other)): c for c in setting.comparisons}
    cells = [row for _, row in found.pairs.rows]
    assert max(cell.shade for row in cells for cell in row if cell) == 7
    for i, name in enumerate(found.pairs.names):
        assert cells[i][i] is None
        for j in range(i):
            one, other = cells[i][j], cells[j][i]
            assert (one.value, one.p_holm, one.sure) == (-other.value, other.p_holm, other.sure)
            told = by_pair.get((name, found.pairs.names[j])) or by_pair[found.pairs.names[j], name]
            assert (abs(one.value), one.se, one.p_holm) == (abs(told.difference), told.se, told.p_holm)


@pytest.mark.parametrize("seeds", [[7], [0, 1], [0, 1, 2]])
def test_few_seeds(store, seeds):
    text = Page(report(store, made_results(store, settings(*N_ROUNDS[:2]), LEARNERS, seeds).artifact)).text
    assert ("±" in text, "There is one seed" in text) == (len(seeds) > 1, len(seeds) == 1)
    assert ("Every pair" in text) == (len(seeds) > 2)


def test_one_learner_and_one_without_steps(store):
    text = Page(report(store, made_results(store, settings({}), {"dso": 0.4}).artifact)).text
    assert "Every pair" not in text and "value less the best" not in text and "Ranking" in text
    text = Page(report(store, made_results(store, settings({}), {"greedy": 0.4, "sentence_greedy": 0.5}).artifact)).text
    assert "Learning curves" not in text and "Every pair" in text


def test_variants_stand_side_by_side(store):
    html = report(store, made_results(store, settings(*VARIANTS), LEARNERS).artifact)
    text = Page(html).text
    assert "Side by side" in text and html.count("<details open>") == 3
    assert text.index("Published environment") < text.index("Nonlinear environment") < text.index("Hard environment")
    assert published().source not in text


def test_learners_that_ran_in_some_settings_only(store):
    """A table may hold settings of other learners; what is missing is a dash."""
    some, others = (
        made_results(store, settings(*N_ROUNDS[:2]), one) for one in ({"dso": 0.4, "ips": 0.2}, {"ips": 0.2})
    )
    names = list(some.scores)
    rows = [r for r in rows_of(some) if r["setting"] == names[0]] + [
        r for r in rows_of(others) if r["setting"] == names[1]
    ]
    told = [made.artifact.read_json(SUMMARY_FILE)["settings"] for made in (some, others)]
    summary = {"level": 0.95, "settings": {names[0]: told[0][names[0]], names[1]: told[1][names[1]]}}

    def write(out):
        write_table(out, "results", rows)
        out.write_json(SUMMARY_FILE, summary)

    assert "Direct sentence (DSO)" in (text := Page(report(store, commit(store, write))).text) and "–" in text


def rows_of(made: Made) -> list[dict]:
    return made.artifact.table("results").read().to_pylist()


def test_inputs_that_are_no_results_are_told(store):
    made = made_results(store, settings({}), {"dso": 0.4}, n_points=3)

    def broken(summary):
        def write(out):
            write_table(out, "results", rows_of(made))
            out.write_json(SUMMARY_FILE, summary)

        return commit(store, write)

    with pytest.raises(TaskError, match=r"summary.json: settings: Field required; run synthetic.results again"):
        report(store, broken({"level": 0.95}))
    with pytest.raises(TaskError, match=r"other is not in both results and summary.json; run synthetic.results again"):
        report(store, broken(summary_json(0.95, {"published": [], "other": []}, {"published": [], "other": []})))


def test_the_same_results_give_the_same_bytes(tmp_path):
    store = Store.open(str(tmp_path))
    made = made_results(store, settings(*N_ROUNDS[:2]), LEARNERS)
    first = report(store, made.artifact)
    shutil.rmtree(store.root / "synthetic/report")
    assert report(store, made.artifact) == first


def test_names_cannot_become_markup(store):
    html = report(store, made_results(store, settings(*N_ROUNDS[:2], *VARIANTS), {EVIL: 0.4, "x" * 300: 0.2}).artifact)
    page = Page(html)
    assert "script" not in page.tags and "img" not in page.tags and "<script" not in html
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_a_whole_benchmark_is_a_small_page(store):
    grid = [*N_ROUNDS, *({"n_actions": n} for n in (10, 50, 100, 500)), *({"reward_std": s} for s in (0.0, 2.0, 3.0))]
    fields = settings(*grid, *KERNELS, *({"bandwidth": b, "kernel": "uniform"} for b in (3.0, 4.0, 5.0)))
    learners = LEARNERS | {f"learner_{n}": 0.1 * n for n in range(6)}
    html = report(store, made_results(store, fields, learners, n_points=101).artifact)
    assert len(fields) == 27 and len(learners) == 16 and len(html.encode()) < 3_000_000


def test_words():
    assert title(DEFAULT, ["n_rounds", "kernel", "compat"]) == "8,000 rounds, published defects"
    assert title(DEFAULT, ["kernel"]) == "kernel: each learner’s own"
    assert title(DEFAULT | {"beta": -0.5, "density": "monte_carlo"}, ["beta", "density"]) == (
        "β\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}\N{MINUS SIGN}0.5, Monte Carlo density"
    )
    assert (seeds_told([4]), seeds_told([0, 1]), seeds_told([2, 3, 4]), seeds_told([0, 1, 5])) == (
        "4",
        "0, 1",
        "2 to 4",
        "0, 1, 5",
    )


# Headless windows are never narrower than 500 px, a frame is.
_FRAME = """<!doctype html><iframe id="f" src="page.html" width="{width}" height="800"></iframe><pre id="found"></pre><script>
onload = () => {{
  const page = document.getElementById("f").contentDocument, root = page.documentElement;
  const sizes = [root.scrollWidth];
  page.querySelectorAll("details").forEach(one => one.open = true);
  sizes.push(root.scrollWidth);
  document.getElementById("found").textContent = JSON.stringify({{sizes, height: root.scrollHeight}});
}};
</script>"""


@pytest.mark.skipif(_BROWSER is None, reason="no Chromium")
@pytest.mark.parametrize("width", [375, 1000])
def test_nothing_sticks_out_and_the_console_is_silent(html, tmp_path, width):
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    (tmp_path / "frame.html").write_text(_FRAME.format(width=width), encoding="utf-8")
    command = [str(_BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
    command += ["--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000"]
    command += ["--window-size=1200,900", "--dump-dom", f"file://{tmp_path / 'frame.html'}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r'<pre id="found">(\{.*?\})</pre>', run.stdout)
    assert found, run.stderr[-2000:]
    told = json.loads(unescape(found[1]))
    assert all(size <= width for size in told["sizes"]) and told["height"] > 5000
    assert "CONSOLE" not in run.stderr
