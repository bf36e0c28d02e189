"""Scores candidates through files, as a user would."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness import Result, score


@pytest.fixture(scope="session")
def score_clicks() -> Callable[..., Result]:
    """Scores score lists against label lists, one of each for an impression; `order` is that in the golds' file."""

    def run(
        labels: Sequence[object], scores: Sequence[object], order: Sequence[int] | None = None, **options: object
    ) -> Result:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            # Predictions are indented: scores may read as labels do, and a copy of the golds' file is refused.
            for name, outputs, indent in (("golds", labels, None), ("preds", scores, 1)):
                items = [{"id": f"s{place:03}", "output": output} for place, output in enumerate(outputs)]
                if name == "golds" and order is not None:
                    items = [items[place] for place in order]
                (root / f"{name}.json").write_text(json.dumps({"task": "click", "golds": items}, indent=indent))
            options = {"n_bootstrap": 0, **options}
            return score(root / "golds.json", root / "preds.json", **options)["click"]  # type: ignore[arg-type]

    return run
