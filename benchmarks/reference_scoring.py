"""LaMP's scorer as its own libraries do it: rouge_score with its bootstrap aggregator, scikit-learn for the rest.

`python -m benchmarks.reference_scoring GOLDS PREDS` scores two zips and prints the JSON. (LaMP calls these libraries through
`evaluate`, whose metric scripts lie on the hub; without it the peer is a little faster than the original.)
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Sequence
from math import sqrt

from rouge_score import rouge_scorer, scoring
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, mean_squared_error

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
LABELS = {
    "LaMP_1": ["[1]", "[2]"],
    "LaMP_2": [
        "sci-fi", "based on a book", "comedy", "action", "twist ending", "dystopia", "dark comedy", "classic", "psychology",
        "fantasy", "romance", "thought-provoking", "social commentary", "violence", "true story",
    ],
}  # fmt: skip


def rouge(golds: Sequence[str], preds: Sequence[str]) -> dict[str, float]:
    """ROUGE-1 and -L as `evaluate`'s rouge gives them: four types scored and aggregated, two of them reported."""
    scorer, aggregator = rouge_scorer.RougeScorer(TYPES), scoring.BootstrapAggregator()
    for gold, pred in zip(golds, preds, strict=True):
        aggregator.add_scores(scorer.score(gold.strip(), pred.strip()))
    found = aggregator.aggregate()
    return {"rouge-1": found["rouge1"].mid.fmeasure, "rouge-L": found["rougeL"].mid.fmeasure}


def score(task: str, golds: Sequence[str], preds: Sequence[str]) -> dict[str, float]:
    """The metrics of one task."""
    if task in LABELS:
        numbers = {label: number for number, label in enumerate(LABELS[task])}
        y, x = ([numbers.get(str(text).strip(), -1) for text in texts] for texts in (golds, preds))
        f1 = f1_score(y, x, labels=range(len(numbers)), average="macro", zero_division=0)
        return {"accuracy": float(accuracy_score(y, x)), "f1": float(f1)}
    if task == "LaMP_3":
        stars = [[float(str(text).strip()) for text in texts] for texts in (golds, preds)]
        return {"MAE": mean_absolute_error(*stars), "RMSE": sqrt(mean_squared_error(*stars))}
    return rouge(golds, preds)


def read(path: str) -> dict[str, dict[str, str]]:
    """Task -> id -> output of every JSON of a zip."""
    with zipfile.ZipFile(path) as archive:
        bodies = [json.loads(archive.read(name)) for name in archive.namelist()]
    return {body["task"]: {item["id"]: item["output"] for item in body["golds"]} for body in bodies}


def main() -> None:
    """Score all tasks of two zips."""
    golds, preds = read(sys.argv[1]), read(sys.argv[2])
    found = {
        task: score(task, list(items.values()), [preds[task][name] for name in items]) for task, items in golds.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
