"""LaMP's tasks as metrics of Hugging Face `evaluate`, without hub or network: `pip install "lampworks[hf]"`.

>>> from harness.adapters.hf_evaluate import metric
>>> rouge = metric("LaMP_4")                                                # doctest: +SKIP
>>> rouge.compute(predictions=["A new bridge"], references=["The bridge"])  # doctest: +SKIP
{'rouge-1': 0.4, 'rouge-L': 0.4}
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import evaluate  # type: ignore[import-untyped]
from datasets import Features, Value  # type: ignore[import-untyped]

from harness import registry
from harness.errors import HarnessError, SubmissionError
from harness.strings import score_strings

_log = logging.getLogger(__name__)
_CITATION = """\
@inproceedings{salemi-etal-2024-lamp,
  title = {{LaMP}: When Large Language Models Meet Personalization},
  author = {Salemi, Alireza and Mysore, Sheshera and Bendersky, Michael and Zamani, Hamed},
  booktitle = {Proceedings of the 62nd Annual Meeting of the Association for Computational Linguistics},
  year = {2024},
  url = {https://arxiv.org/abs/2304.11406}
}
"""
_INPUTS = """
Predictions and references are strings, one reference for each prediction: {gold}.

Returns:
{metrics}
"""


def metric(task: str, **options: object) -> TaskMetric:
    """The metrics of a LaMP task as an `evaluate.Metric`; its values are those of `harness.score`.

    `options` are those of `evaluate.Metric`: `cache_dir`, `experiment_id`, `num_process`, `keep_in_memory`, ... Outputs
    of other tasks are no strings and are scored with `harness.score_strings`. Raises `HarnessError` for those, and for a
    task that does not exist.
    """
    return TaskMetric(task, **options)


class TaskMetric(evaluate.Metric):  # type: ignore[misc]
    """One LaMP task; `metric` makes it."""

    def __init__(self, task: str, **options: object) -> None:
        declared = registry.get(task)
        if not declared.name.startswith("LaMP_"):
            raise HarnessError(f"the outputs of {declared.name} are no strings; score them with harness.score_strings")
        self._named = declared.name  # not the declaration: metrics are pickled, and its functions need not be
        super().__init__(**options)
        self.info.module_name = declared.name

    @property
    def name(self) -> str:
        """The task: what `evaluate.combine` sets before metrics of the same name, and the folder of cached inputs."""
        return self._named

    def add_batch(
        self, *, predictions: Sequence[str] | None = None, references: Sequence[str] | None = None, **others: object
    ) -> None:
        """Add predictions and references; raises `HarnessError` where one is no string.

        Without that check `evaluate` would look at the first alone, and turn a missing value into the word nan.
        """
        for given, column in (("predictions", predictions), ("references", references)):
            for row, value in enumerate(column if column is not None else ()):
                if not isinstance(value, str):
                    error = SubmissionError if given == "predictions" else HarnessError
                    raise error(f"{given}: number {row} is of the type {type(value).__name__}; give strings")
        super().add_batch(predictions=predictions, references=references, **others)

    def _info(self) -> evaluate.MetricInfo:
        declared = registry.get(self._named)
        metrics = (
            f"- `{one.name}` ({'higher' if one.higher_is_better else 'lower'} is better): {one.formula}. {one.source}"
            for one in declared.metrics
        )
        return evaluate.MetricInfo(
            description=f"{declared.name}, version {declared.version}: {declared.summary}",
            citation=_CITATION,
            inputs_description=_INPUTS.format(gold=declared.gold_output, metrics="\n".join(metrics)),
            features=Features({"predictions": Value("string"), "references": Value("string")}),
            reference_urls=["https://arxiv.org/abs/2304.11406"],
        )

    def _compute(self, *, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        scores = score_strings(references, predictions, task=self._named)
        for note in scores.notes:
            _log.warning("%s: %s", self._named, note)
        return scores.metrics
