"""The real small models, as the task fetches them, where their packages can be had."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from store.artifact import Attempt
from store.errors import UserError
from store.sources.catalogue import find_source
from store.sources.download import sha256_of
from store.sources.package import download_package
from tasks.api import Context, Runtime
from tasks.sources.config import FetchConfig
from tasks.sources.fetch import Inputs, run


def real_archive(name: str, cache: pytest.Cache) -> Path:
    """The pinned archive of a source: from LAMPWORKS_WHEELS, from an earlier test run, or from the registry."""
    source = find_source(name)
    directories = [Path(os.environ["LAMPWORKS_WHEELS"])] if "LAMPWORKS_WHEELS" in os.environ else []
    kept = cache.mkdir("lampworks-wheels")
    for directory in (*directories, kept):
        path = directory / source.file
        if path.exists() and sha256_of(path) == source.sha256:
            return path
    if directories:
        pytest.skip(f"no {source.file} in {directories[0]}")
    (place,) = source.places
    try:
        return download_package(place, source.sha256, kept / name).rename(kept / source.file)  # type: ignore[arg-type]
    except UserError as error:
        pytest.skip(str(error))


def fetched(name: str, request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Path:
    """The source as the task would put it into the store."""
    archive = real_archive(name, request.config.cache)  # type: ignore[arg-type]
    root, scratch = factory.mktemp(name), factory.mktemp("scratch")
    ctx = Context(scratch, scratch, Runtime(source_file=archive), logging.getLogger("test"))
    run(FetchConfig(source=name), Inputs(), Attempt(f"sources/{name}", "0" * 16, "a", root), ctx)
    return root
