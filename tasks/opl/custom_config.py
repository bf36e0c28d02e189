"""Configuration of the task that takes a user's own data."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from store.digest import digest_of, sha256_file
from tasks.api import Config
from tasks.opl.contract import EMBEDDINGS, INTERACTIONS_CSV, PCA, PROMPTS_CSV, QUERIES_CSV

# A tensor that is not converted yet counts too: the task that refuses it must not be found done.
_TENSORS = [f"{name}{suffix}" for name in (*EMBEDDINGS.values(), *PCA.values()) for suffix in (".safetensors", ".pt")]
_FILES = (INTERACTIONS_CSV, PROMPTS_CSV, QUERIES_CSV, *_TENSORS)


class CustomConfig(Config):
    """Which folder; the hash of its files is filled in, so that changed files are another key."""

    folder: str = Field(description="Directory with the files, named as offline-prompts names them.")
    sha256: str = Field("", description="Filled from the files; a different value is refused.")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: object) -> object:
        if not isinstance(values, dict) or not isinstance(values.get("folder"), str):
            return values
        folder = Path(values["folder"])
        if not folder.is_dir():
            raise ValueError(f"{folder} is no directory; give the one that holds the files")
        found = digest_of({name: sha256_file(folder / name) for name in _FILES if (folder / name).is_file()})
        given = values.get("sha256") or found
        if given != found:
            raise ValueError(f"sha256 {given} is not that of the files in {folder}, {found}; leave it out")
        return {**values, "sha256": found}
