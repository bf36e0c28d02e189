"""Scores lists of items through files, as a user would."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness import Result, score


@pytest.fixture(scope="session")
def score_lists() -> Callable[..., Result]:
    """Scores lists against golds, one for each sample; `order` is that of the samples in the golds' file."""

    def run(
        golds: Sequence[object],
        lists: Sequence[object],
        catalogue: object = None,
        settings: dict[str, object] | None = None,
        order: Sequence[int] | None = None,
        **options: object,
    ) -> Result:
        if catalogue is not None:
            settings = {"catalogue": catalogue}
        items = [{"id": f"s{place:03}", "output": output} for place, output in enumerate(golds)]
        body = {"task": "ranking", "golds": [items[place] for place in order or range(len(items))]}
        predicted = [{"id": f"s{place:03}", "output": output} for place, output in enumerate(lists)]
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "golds.json").write_text(json.dumps(body | ({"settings": settings} if settings else {})))
            # Indented: a perfect list may read as its gold does, and a copy of the golds' file is refused.
            (root / "preds.json").write_text(json.dumps({"task": "ranking", "golds": predicted}, indent=1))
            options = {"n_bootstrap": 0, **options}
            return score(root / "golds.json", root / "preds.json", **options)["ranking"]  # type: ignore[arg-type]

    return run
