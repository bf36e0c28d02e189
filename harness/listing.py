"""What is scored: every task with its files, its metrics and, where they are published, the sizes of its splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO, TypedDict

from harness import registry
from harness.lamp.anchors import Sizes, anchors_for, gains_for, sizes_for
from harness.registry import Task


class MetricDescription(TypedDict):
    """One metric of a task."""

    name: str
    primary: bool
    higher_is_better: bool
    formula: str
    source: str


class SizesDescription(TypedDict):
    """Samples in each split of one separation, and mean and standard deviation of what a sample holds."""

    separation: str
    source: str
    splits: dict[str, int]
    spreads: dict[str, tuple[float, float]]


class TaskDescription(TypedDict):
    """One task; `tables` lie beside the JSON as `<task>.<table>.npy`, `published` names the tables with its scores."""

    name: str
    spellings: list[str]
    also_named: list[str]
    version: int
    summary: str
    gold_output: str
    prediction_output: str
    gold_tables: list[str]
    optional_prediction_tables: list[str]
    settings: bool
    cluster: str
    primary: str
    metrics: list[MetricDescription]
    labels: list[str]
    sizes: list[SizesDescription]
    published: list[str]
    published_gains: list[str]


def describe_tasks(only: str | None = None) -> list[TaskDescription]:
    """Every task, or `only` the one of that name or spelling; raises `HarnessError` for one there is not."""
    chosen = registry.names() if only is None else [registry.canonical(only)]
    return [_described(registry.get(name)) for name in chosen]


def write(stream: TextIO, as_json: bool, only: str | None = None) -> None:
    """Write one line a task, or everything about `only` one of them; as JSON a list, or one object."""
    tasks = describe_tasks(only)
    if as_json:
        from harness.result import as_json as json_text

        stream.write(json_text(tasks if only is None else tasks[0]))
    else:
        stream.writelines(f"{line}\n" for line in (_overview(tasks) if only is None else _page(tasks[0])))


def _described(task: Task) -> TaskDescription:
    return {
        "name": task.name,
        "spellings": registry.spellings(task.name),
        "also_named": list(task.also_named),
        "version": task.version,
        "summary": task.summary,
        "gold_output": task.gold_output,
        "prediction_output": task.prediction_output,
        "gold_tables": list(task.gold_arrays),
        "optional_prediction_tables": list(task.prediction_arrays),
        "settings": task.settings,
        "cluster": task.cluster,
        "primary": task.primary,
        "metrics": [
            {
                "name": metric.name,
                "primary": metric.name == task.primary,
                "higher_is_better": metric.higher_is_better,
                "formula": metric.formula,
                "source": metric.source,
            }
            for metric in task.metrics
        ],
        "labels": list(task.labels),
        "sizes": [_sizes(sizes) for sizes in sizes_for(task.name)],
        "published": list(
            dict.fromkeys(f"{anchor.source}, {anchor.table} ({anchor.setting})" for anchor in anchors_for(task.name))
        ),
        "published_gains": [str(gain) for gain in gains_for(task.name)],
    }


def _sizes(sizes: Sizes) -> SizesDescription:
    splits = {"train": sizes.train, "dev": sizes.dev, "test": sizes.test}
    spreads = {
        "words in": sizes.input_words,
        "words out": sizes.output_words,
        "profile items": sizes.profile_items,
    }
    return {
        "separation": sizes.separation,
        "source": sizes.source,
        "splits": {split: count for split, count in splits.items() if count is not None},
        "spreads": {what: pair for what, pair in spreads.items() if pair is not None},
    }


def _overview(tasks: Sequence[TaskDescription]) -> Iterator[str]:
    width = max(len(task["name"]) for task in tasks)
    for task in tasks:
        metrics = sorted(task["metrics"], key=lambda metric: not metric["primary"])
        named = [metric["name"] + (f" ({direction(metric)})" if metric["primary"] else "") for metric in metrics]
        yield f"{task['name']:<{width}}  {task['summary']}"
        yield f"{'':<{width}}  {', '.join(named)}"


def _page(task: TaskDescription) -> Iterator[str]:
    yield f"{task['name']}, version {task['version']}"
    yield f"  {task['summary']}"
    said = facts(task)
    width = max(len(name) for name, _ in said)
    yield from (f"  {name:<{width}}  {value}" for name, value in said)
    for metric in task["metrics"]:
        yield f"  {metric['name']} ({'primary, ' if metric['primary'] else ''}{direction(metric)})"
        yield f"    {metric['formula']}"
        yield f"    {metric['source']}"


def direction(metric: MetricDescription) -> str:
    """Which values of the metric are the better ones."""
    return "higher is better" if metric["higher_is_better"] else "lower is better"


def facts(task: TaskDescription) -> list[tuple[str, str]]:
    """What there is to say of a task beside its metrics, each a name and a sentence."""
    name = task["name"]
    said = [
        ("also typed", ", ".join(spelling for spelling in task["spellings"] if spelling != name)),
        ("also scores", ", ".join(task["also_named"]) and f"files of {', '.join(task['also_named'])}, when asked for"),
        ("golds", task["gold_output"]),
        ("gold tables", ", ".join(f"{name}.{table}.npy" for table in task["gold_tables"])),
        ("golds may hold", "settings" if task["settings"] else ""),
        ("predictions", task["prediction_output"]),
        ("predictions may hold", ", ".join(f"{name}.{table}.npy" for table in task["optional_prediction_tables"])),
        ("labels", ", ".join(task["labels"])),
        ("intervals", f"by {task['cluster']} where the golds carry it, by sample otherwise"),
        *(("samples", size_line(sizes)) for sizes in task["sizes"]),
        *(("published", line) for line in [*task["published"], *task["published_gains"]]),
    ]
    return [(name, value) for name, value in said if value]


def size_line(sizes: SizesDescription) -> str:
    """The sizes of one separation on a line, unknown ones left out."""
    counts = [f"{split} {count:,}" for split, count in sizes["splits"].items()]
    spreads = [f"{mean} ± {deviation} {what}" for what, (mean, deviation) in sizes["spreads"].items()]
    return f"{sizes['separation']}-based: {', '.join(counts + spreads)} ({sizes['source']})"
