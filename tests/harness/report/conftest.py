"""Small golds and predictions of several systems, and pages about them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from harness import write_envelope, write_envelopes
from harness.envelope import open_golds, open_predictions
from harness.lamp.labels import CITATIONS, MOVIE_TAGS
from harness.report import write_report
from harness.scoring import ScoredTask, Settings, score_task

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> \u202egnp.exe \x07"
_VOID = {"meta", "br"}
_WORDS = ("new", "city", "market", "health", "school", "summer", "climate", "law", "water", "energy", "home", "food")


class Page(HTMLParser):
    """A page's tags, attributes and text; fails where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def headline(rng: np.random.Generator) -> str:
    """A few words."""
    return " ".join(rng.choice(_WORDS, rng.integers(3, 9)))


def gold_outputs(n: int, seed: int = 0) -> dict[str, list[str]]:
    """Golds of four tasks."""
    rng = np.random.default_rng(seed)
    return {
        "LaMP_1": [str(one) for one in rng.choice(CITATIONS, n)],
        "LaMP_2": [str(one) for one in rng.choice(MOVIE_TAGS, n)],
        "LaMP_3": [str(one) for one in rng.choice(5, n) + 1],
        "LaMP_4": [headline(rng) for _ in range(n)],
    }


def answers(golds: Mapping[str, list[str]], skill: float, seed: int) -> dict[str, list[str]]:
    """Predictions of which about `skill` are right, some of the others unreadable."""
    rng = np.random.default_rng(seed)
    wrong: dict[str, Callable[[], str]] = {
        "LaMP_1": lambda: str(rng.choice([*CITATIONS, "[3]"])),
        "LaMP_2": lambda: str(rng.choice([*MOVIE_TAGS, "none"])),
        "LaMP_3": lambda: str(rng.choice(["1", "2.6", "5", "7", "0", "many"])),
        "LaMP_4": lambda: headline(rng),
    }
    return {task: [one if rng.random() < skill else wrong[task]() for one in of] for task, of in golds.items()}


def items(outputs: list[str], users: int = 0) -> list[dict[str, object]]:
    """Outputs as items of an envelope; ids are their places."""
    return [
        {"id": str(place), "output": one, **({"user_id": f"u{place % users}"} if users else {})}
        for place, one in enumerate(outputs)
    ]


@pytest.fixture(scope="session")
def lamp(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    """Golds of four tasks with users, and predictions of three systems, one of which writes what it should not."""
    root = tmp_path_factory.mktemp("lamp")
    golds = gold_outputs(60)
    write_envelopes(root / "golds.zip", {task: items(of, users=17) for task, of in golds.items()})
    systems = {}
    for place, name in enumerate(["base", "tuned", EVIL]):
        made = answers(golds, 0.2 + 0.2 * place, place + 1)
        if name == EVIL:
            made["LaMP_4"][:3] = [EVIL, "   ", "long " * 2000]
        systems[name] = root / f"{place}.zip"
        write_envelopes(systems[name], {task: items(of) for task, of in made.items()})
    return root / "golds.zip", systems


@pytest.fixture
def opl(tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    """Golds of `opl_policy` and two policies, one certain, one over all actions."""
    rng = np.random.default_rng(0)
    rewards = rng.random((30, 5))
    write_envelope(
        tmp_path / "golds.zip",
        "opl_policy",
        [{"id": str(row), "output": row} for row in range(30)],
        {"rewards": rewards, "logging": np.full((30, 5), 0.2)},
    )
    outputs = {"first": [0] * 30, "soft": [(row / row.sum()).tolist() for row in rewards]}
    for name, of in outputs.items():
        write_envelope(tmp_path / f"{name}.zip", "opl_policy", [{"id": str(i), "output": o} for i, o in enumerate(of)])
    return tmp_path / "golds.zip", {name: tmp_path / f"{name}.zip" for name in outputs}


def report(golds: Path, preds: Mapping[str, Path], **options: object) -> str:
    """The text of a page."""
    with tempfile.TemporaryDirectory() as folder:
        write_report(Path(folder) / "page.html", golds, preds, **options)  # type: ignore[arg-type]
        return (Path(folder) / "page.html").read_text(encoding="utf-8")


def scored(golds: Path, preds: Path, task: str, n_bootstrap: int = 20) -> ScoredTask:
    """One task scored, with its samples."""
    with open_golds(golds) as gold_file, open_predictions(preds) as file:
        return score_task(gold_file.read(task), file.read(task), Settings(n_bootstrap=n_bootstrap))
