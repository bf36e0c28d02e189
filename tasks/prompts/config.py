"""Configuration of the candidate prompts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.api import Config


class KeywordConfig(Config):
    """Where the candidate keywords come from, and how many are kept."""

    source: Literal["builtin", "relatedwords"] = Field(
        "builtin", description="Our own list, or a scrape of related words."
    )
    seeds: tuple[str, ...] = Field(
        ("movie", "genre", "culture"), min_length=1, description="Words whose pages are scraped."
    )
    address: str = Field("https://relatedwords.io", pattern=r"^https?://[^/]+", description="The site that is scraped.")
    limit: int | None = Field(None, ge=1, description="Keywords kept, the first of the list; all when null.")
