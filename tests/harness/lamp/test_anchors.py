"""Published numbers: as printed, complete, and of metrics that exist."""

from __future__ import annotations

import statistics

import pytest

from harness import HarnessError, registry
from harness.lamp.anchors import AnchorTable, anchors_for, gains_for, sizes_for

TASKS = [f"LaMP_{number}" for number in range(1, 8)]
RSPG = ("arXiv 2404.05970", "Table 3")


def table(task: str, source: str, name: str, method: str) -> AnchorTable:
    (found,) = (one for one in anchors_for(task) if one.source == source and one.table == name and method in one.rows)
    return found


@pytest.mark.parametrize(
    ("task", "source", "name", "method", "values"),
    [
        ("LaMP_1", *RSPG, "ROPG-KD", {"accuracy": 0.668}),
        ("LaMP_2", *RSPG, "RSPG-Post", {"accuracy": 0.430, "f1": 0.339}),
        ("LaMP_3", *RSPG, "no personalization", {"MAE": 0.308, "RMSE": 0.611}),
        ("LaMP_4", *RSPG, "RRF", {"rouge-1": 0.190, "rouge-L": 0.176}),
        ("LaMP_6", *RSPG, "RSPG-Pre", {"rouge-1": 0.426, "rouge-L": 0.411}),
        ("LaMP_3", RSPG[0], "Table 5", "oracle low", {"MAE": 0.450, "RMSE": 0.772}),
        ("LaMP_7", RSPG[0], "Table 5", "oracle high", {"rouge-1": 0.470, "rouge-L": 0.417}),
        ("LaMP_6", RSPG[0], "selection without ROPG in the pool", "RSPG-Post without ROPG", {"rouge-1": 0.394}),
        ("LaMP_5", "arXiv 2409.11901", "Table 1", "recency", {"rouge-1": 0.469, "rouge-L": 0.422}),
        ("LaMP_2", "arXiv 2409.11901", "Table 1", "PPlug", {"accuracy": 0.565, "f1": 0.501}),
        ("LaMP_3", "arXiv 2409.09510", "as quoted by arXiv 2409.11901", "PEFT", {"MAE": 0.301, "RMSE": 0.600}),
    ],
)
def test_values_are_those_printed(task, source, name, method, values) -> None:
    assert table(task, source, name, method).rows[method] == values


def test_set_ups_are_those_of_the_papers() -> None:
    test, dev = table("LaMP_4", *RSPG, "BM25"), table("LaMP_4", "arXiv 2409.11901", "Table 1", "BM25")
    assert (test.model, test.setting, test.n_samples) == ("FlanT5-XXL", "time, test, 4 items", 1800)
    assert (dev.model, dev.setting, dev.n_samples) == ("FlanT5-XXL", "time, dev, 4 items", 1500)
    assert table("LaMP_4", "arXiv 2409.11901", "Table 1", "PPlug").items_in_prompt is None


def relative_gains(source: str, name: str, method: str) -> dict[tuple[str, str], float]:
    """Of each task and metric, how much better the method is than no personalization, as a share of the latter."""
    gains = {}
    for task in TASKS:
        if not any(method in one.rows for one in anchors_for(task)):
            continue
        plain = table(task, *RSPG, "no personalization").rows["no personalization"]
        for metric in registry.get(task).metrics:
            if metric.name in (values := table(task, source, name, method).rows[method]):
                gain = values[metric.name] / plain[metric.name] - 1
                gains[task, metric.name] = gain if metric.higher_is_better else -gain
    return gains


def test_averages_are_those_the_papers_state() -> None:
    # 2404.05970 states 15.3 % for its best method, 2409.09510 states 1.07 % for PEFT over seven tasks (six are quoted).
    gains = relative_gains(*RSPG, "RSPG-Post")
    assert len(gains) == 13 and 100 * statistics.fmean(gains.values()) == pytest.approx(15.3, abs=0.3)
    gains = relative_gains("arXiv 2409.09510", "as quoted by arXiv 2409.11901", "PEFT")
    assert 100 * statistics.fmean(gains.values()) == pytest.approx(1.07, abs=0.3)


def test_no_method_leaves_the_range_of_the_oracle() -> None:
    for task in TASKS:
        (oracle,) = (one for one in anchors_for(task) if one.table == "Table 5")
        for method, values in table(task, *RSPG, "BM25").rows.items():
            for metric, value in values.items():
                low, high = sorted((oracle.rows["oracle low"][metric], oracle.rows["oracle high"][metric]))
                assert low < value < high, (task, method, metric)


def test_metrics_are_those_of_the_tasks_and_rows_are_whole() -> None:
    for task in TASKS:
        known = {metric.name for metric in registry.get(task).metrics}
        for one in anchors_for(task):
            assert one.rows and {metric for values in one.rows.values() for metric in values} <= known
            assert all(round(value, 3) == value for values in one.rows.values() for value in values.values())
        main = table(task, *RSPG, "BM25")
        assert len(main.rows) == 9
        assert all(values.keys() == main.rows["BM25"].keys() for values in main.rows.values())
        assert all(gain.metric in known for gain in gains_for(task))


def test_only_what_has_a_source_is_there() -> None:
    # Of user-based splits these sizes alone were counted, and of their scores two differences alone are quoted.
    counted = {sizes.task: (sizes.train, sizes.dev, sizes.test) for task in TASKS for sizes in sizes_for(task)[1:]}
    assert counted == {
        "LaMP_3": (20000, None, None),
        "LaMP_4": (12527, None, None),
        "LaMP_6": (4840, 1353, 1246),
        "LaMP_7": (10437, 1500, 1496),
    }
    assert {one.separation for task in TASKS for one in anchors_for(task)} == {"time"}
    assert {gain.task for task in TASKS for gain in gains_for(task)} == {"LaMP_1", "LaMP_6"}
    for task in ("LaMP_2_news", "ranking", "click", "opl_policy"):
        assert anchors_for(task) == gains_for(task) == sizes_for(task) == ()


def test_sizes_of_the_time_based_splits() -> None:
    sizes = [sizes_for(task)[0] for task in TASKS]
    assert {one.separation for one in sizes} == {"time"} and all(one.source for one in sizes)
    assert [one.train for one in sizes] == [6542, 5073, 20000, 12500, 14682, 4821, 13437]
    assert [one.dev for one in sizes] == [1500, 1410, 2500, 1500, 1500, 1250, 1498]
    assert [one.test for one in sizes] == [1500, 1557, 2500, 1800, 1500, 1250, 1500]
    assert sizes[5].input_words == (454.87, 889.41) and sizes[0].output_words is None


def test_spellings_are_understood_and_others_refused() -> None:
    assert anchors_for("LaMP-4") == anchors_for("LaMP_4")
    with pytest.raises(HarnessError, match="unknown task 'LaMP_8'"):
        anchors_for("LaMP_8")
