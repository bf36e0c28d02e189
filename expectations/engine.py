"""Great Expectations at work: a suite of ours run as a real checkpoint on a pandas frame, its Data Docs written beside.

Ephemeral context, analytics off, no progress bars, nothing written to HOME. The library takes seconds to import, so it is
imported when the first `Engine` is made.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.suite import LAST_ROW, Check

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.data_context import EphemeralDataContext

_SITE = "lampworks"

Plain = bool | int | float | str | list["Plain"] | None


@dataclass(frozen=True)
class Evaluation:
    """What one check said of one frame.

    `elements`, `missing` and `unexpected` are counts of rows (None where the expectation judges the column as a whole);
    `examples` and `rows` are a few failing values and their row numbers; `error` is why it could not be evaluated.
    """

    check: Check
    success: bool
    elements: int | None
    missing: int | None
    unexpected: int | None
    observed: Plain
    examples: tuple[Plain, ...]
    rows: tuple[int, ...]
    error: str | None


class Engine:
    """Runs suites and collects their Data Docs below `docs`. With `examples` 0 no value enters results or pages."""

    def __init__(self, docs: Path, *, examples: int) -> None:
        self._context = _ephemeral_context(docs)
        self._docs = docs
        self._examples = examples

    def evaluate(self, label: str, frame: pd.DataFrame, suite: Sequence[Check], rows: int) -> list[Evaluation]:
        """Runs the checks on a frame of a table of `rows` rows; one evaluation a check, in the suite's order.

        `label` names the run in the Data Docs and must not have been used before.

        Raises:
            RuntimeError: the library evaluated another set of expectations than it was given.
        """
        import great_expectations as gx
        from great_expectations.checkpoint import UpdateDataDocsAction
        from great_expectations.expectations.registry import get_expectation_impl

        made = [get_expectation_impl(c.expectation)(**c.kwargs, meta={"check": c.id}) for c in suite]
        held = self._context.suites.add(gx.ExpectationSuite(name=label, expectations=made))
        asset = self._context.data_sources.add_pandas(label).add_dataframe_asset(label)
        definition = self._context.validation_definitions.add(
            gx.ValidationDefinition(name=label, data=asset.add_batch_definition_whole_dataframe("all"), suite=held)
        )
        checkpoint = self._context.checkpoints.add(
            gx.Checkpoint(
                name=label,
                validation_definitions=[definition],
                actions=[UpdateDataDocsAction(name="docs", site_names=[_SITE])],
                result_format={"result_format": "SUMMARY", "partial_unexpected_count": self._examples},
            )
        )
        outcome = checkpoint.run(batch_parameters={"dataframe": frame}, expectation_parameters={LAST_ROW: rows - 1})
        # Its data source holds on to the frame.
        self._context.data_sources.delete(label)
        results = [result for run in outcome.run_results.values() for result in run.results]
        return self._in_order(suite, results)

    def close(self) -> None:
        """Removes the animated pictures of a tour that the pages do not show; they are four fifths of the bytes."""
        for picture in self._docs.glob("static/images/*.gif"):
            picture.unlink()

    def _in_order(self, suite: Sequence[Check], results: Sequence[ExpectationValidationResult]) -> list[Evaluation]:
        by_id = {_check_id(result): result for result in results}
        if len(results) != len(suite) or by_id.keys() != {check.id for check in suite}:
            raise RuntimeError(
                f"Great Expectations evaluated {len(results)} of {len(suite)} expectations: {sorted(by_id)}"
            )
        return [self._evaluation(check, by_id[check.id]) for check in suite]

    def _evaluation(self, check: Check, result: ExpectationValidationResult) -> Evaluation:
        found = result.result or {}
        error = _error(result.exception_info or {})
        examples = found.get("partial_unexpected_list") or found.get("partial_missing_list") or []
        return Evaluation(
            check=check,
            success=bool(result.success) and error is None,
            elements=_count(found, "element_count"),
            missing=_count(found, "missing_count"),
            unexpected=_count(found, "unexpected_count"),
            observed=_plain(found.get("observed_value")) if self._examples or not check.columns else None,
            examples=tuple(_plain(value) for value in examples[: self._examples]),
            rows=tuple(int(row) for row in found.get("partial_unexpected_index_list") or [])[: self._examples],
            error=error if self._examples or error is None else "could not be evaluated",
        )


def _ephemeral_context(docs: Path) -> EphemeralDataContext:
    # Read when the library is imported, and again by each context.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    _hush()
    import great_expectations as gx

    _hush()

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    context.variables.data_docs_sites = {}
    context.add_data_docs_site(
        _SITE,
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.resolve())},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    return context


def _hush() -> None:
    """Keeps the library's chatter out of logs; some of its loggers set a level of their own."""
    top = "great_expectations"
    for name in [top, *(name for name in logging.root.manager.loggerDict if name.startswith(f"{top}."))]:
        logger = logging.getLogger(name)
        if name == top or logger.level != logging.NOTSET:
            logger.setLevel(logging.WARNING)


def _check_id(result: ExpectationValidationResult) -> str:
    config = result.expectation_config
    meta = config.meta if config is not None else None
    return str((meta or {}).get("check"))


def _error(info: Mapping[str, object]) -> str | None:
    """The message of the exception that kept an expectation from being evaluated, if one did."""
    if info.get("raised_exception"):
        return " ".join(str(info.get("exception_message")).split())
    nested = [value for value in info.values() if isinstance(value, Mapping) and value.get("raised_exception")]
    return " ".join(str(nested[0].get("exception_message")).split()) if nested else None


def _count(found: Mapping[str, object], name: str) -> int | None:
    value = found.get(name)
    return int(value) if isinstance(value, int) else None


def _plain(value: object) -> Plain:
    """A JSON value for what pandas or numpy hand over; what JSON cannot hold (NaN, infinity) by its name."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)
