"""The table of candidate prompts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from expectations.tables import arrow_schema, declaration
from store import Attempt
from tasks.api import Context, Metrics, TaskError
from tasks.prompts.config import KeywordConfig
from tasks.prompts.relatedwords import scrape

_TABLE = "prompts.keywords"
_BUILTIN = Path(__file__).with_name("builtin_keywords.txt")


@dataclass(frozen=True)
class Inputs:
    """Nothing is read."""


def builtin() -> list[str]:
    """Our own list, curated so that the first few are far apart."""
    lines = _BUILTIN.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def run(config: KeywordConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes the table `prompts`.

    Raises:
        TaskError: fewer keywords than asked for, or no network where one is needed.
    """
    if config.source == "relatedwords" and ctx.runtime.offline:
        raise TaskError("prompts.keywords: source relatedwords needs the network; use source: builtin")
    words = builtin() if config.source == "builtin" else scrape(config.address, config.seeds, ctx.log)
    limit = len(words) if config.limit is None else config.limit
    if limit > len(words):
        raise TaskError(f"prompts.keywords: limit is {limit} but {config.source} has {len(words)} keywords; lower it")
    kept = words[:limit]
    columns = {"prompt_id": range(limit), "keyword": kept}
    out.write_table("prompts", _TABLE, pa.table(columns, schema=arrow_schema(declaration(_TABLE))))
    return {"keywords_found": len(words), "keywords_kept": limit}
