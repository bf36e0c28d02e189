"""Configuration of the fetching task."""

from __future__ import annotations

from pydantic import Field, model_validator

from store.sources.catalogue import find_source
from store.sources.errors import SourceError
from tasks.api import Config


class FetchConfig(Config):
    """Which source; its pinned hash comes from the catalogue, so that another pin is another key."""

    source: str = Field(description="Name in the catalogue, as in ml-100k or smollm2-135m-instruct.")
    sha256: str = Field("", description="Filled from the catalogue; a different value is refused.")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: object) -> object:
        if not isinstance(values, dict) or not isinstance(values.get("source"), str):
            return values
        try:
            pinned = find_source(values["source"]).sha256
        except SourceError as error:
            raise ValueError(str(error)) from None
        given = values.get("sha256") or pinned
        if given != pinned:
            raise ValueError(f"sha256 {given} of {values['source']} is not the catalogue's {pinned}; leave it out")
        return {**values, "sha256": pinned}
