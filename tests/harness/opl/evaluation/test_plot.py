"""The picture of an evaluation: what stands in it, that it stands alone, and that no name breaks out of it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.opl.evaluation import (
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    OffPolicyEstimator,
    OffPolicyEvaluation,
    evaluate_policies,
)
from tests.harness.opl.evaluation.bandits import logged_bandit

SVG = "{http://www.w3.org/2000/svg}"
LOGGED = logged_bandit(3, n_rounds=600, sharpness=2.5)
ESTIMATORS: list[OffPolicyEstimator] = [DirectMethod(), InverseProbabilityWeighting(), DoublyRobust()]


def evaluated(*policies: str, known: bool = True) -> OffPolicyEvaluation:
    feedback = LOGGED.feedback if known else replace(LOGGED.feedback, expected_reward=None)
    return evaluate_policies(feedback, dict.fromkeys(policies, LOGGED.pi), ESTIMATORS, LOGGED.q_hat)


def drawn(evaluation: OffPolicyEvaluation) -> ElementTree.Element:
    return ElementTree.fromstring(evaluation.plot().to_svg())


def texts(svg: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in svg.iter(f"{SVG}text")]


def of_class(svg: ElementTree.Element, tag: str, css: str) -> list[ElementTree.Element]:
    return [element for element in svg.iter(SVG + tag) if element.get("class") == css]


def test_has_a_panel_for_each_policy_and_a_row_for_each_estimator() -> None:
    found = evaluated("new", "old")
    svg = drawn(found)
    told = texts(svg)
    assert told.count("new") == told.count("old") == 1
    assert all(told.count(each.name) == 2 for each in ESTIMATORS)
    assert len(of_class(svg, "line", "truth")) == 2 and told.count("95% interval") == 2
    row = found.table[0]
    assert f"{row.value:.4f}" in told and f"truth {row.truth:.4f}" in told
    missed = [row for row in found.table if row.truth is not None and not row.low <= row.truth <= row.high]
    assert 0 < len(missed) < len(found.table)
    assert len(of_class(svg, "circle", "dot misses")) == len(missed)
    assert len(of_class(svg, "circle", "dot covers")) == len(found.table) - len(missed)


def test_values_lie_where_the_axis_says() -> None:
    found = evaluated("pi")
    svg = drawn(found)
    ticks = [
        (float(e.get("x", "")), float(e.text or ""))
        for e in svg.iter(f"{SVG}text")
        if e.get("class") == "tick" and re.fullmatch(r"0\.\d+", e.text or "")
    ]
    (x0, v0), (x1, v1) = ticks[0], ticks[-1]
    dots = [float(e.get("cx", "")) for e in svg.iter(f"{SVG}circle")]
    expected = [x0 + (row.value - v0) / (v1 - v0) * (x1 - x0) for row in found.table]
    assert dots == pytest.approx(expected, abs=0.05)


def test_an_unknown_truth_has_no_line_and_no_error() -> None:
    svg = drawn(evaluated("pi", known=False))
    assert not of_class(svg, "line", "truth") and "error" not in texts(svg)
    assert not of_class(svg, "circle", "dot misses")


def test_says_what_the_logs_cannot_hold() -> None:
    f = LOGGED.feedback
    assert not any("cannot be in the logs" in text for text in texts(drawn(evaluated("pi"))))
    never = np.tile([0.0, 0.25, 0.25, 0.25, 0.25], (600, 1))
    log = replace(f, action=np.maximum(f.action, 1), pscore=np.full(600, 0.25), logging_dist=never)
    found = evaluate_policies(log, {"uniform": np.full((600, 5), 0.2)}, [InverseProbabilityWeighting()])
    assert "20% of its choices cannot be in the logs" in texts(drawn(found))


def test_stands_alone_and_is_what_a_notebook_shows(tmp_path: Path) -> None:
    plot = evaluated("pi").plot()
    text = plot.to_svg()
    assert (
        text == plot._repr_svg_() and "<style>" in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")
    )
    plot.save(tmp_path / "estimates.svg")
    assert (tmp_path / "estimates.svg").read_text(encoding="utf-8") == text
    with pytest.raises(HarnessError, match="writing"):
        plot.save(tmp_path / "none" / "estimates.svg")
    style = text[text.index("<style>") + 7 : text.index("</style>")]
    rules = [rule for rule in re.findall(r"([^{}@]+)\{", style) if "prefers" not in rule]
    assert all(part.strip().startswith(".ope") for rule in rules for part in rule.split(","))


def test_names_cannot_break_out() -> None:
    evil = "</text><script>alert(1)</script>\u202e&" + "x" * 200
    found = drawn(evaluated(evil))
    assert not list(found.iter(f"{SVG}script"))
    assert any(text.startswith("</text><script>alert(1)</script>‹U+202E›&") for text in texts(found))


def test_drawing_is_not_loaded_before_it_is_asked_for() -> None:
    code = "import sys, harness.opl.evaluation; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"harness.report", "sklearn", "scipy", "pandas", "torch"} & set(loaded)
