from __future__ import annotations

import subprocess
import sys

import pytest

from store.sources.catalogue import SOURCES, Package, Url, find_source
from store.sources.errors import SourceError


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_every_source_is_pinned_and_has_a_place_and_terms(source: object) -> None:
    from store.sources.catalogue import Source

    assert isinstance(source, Source)
    assert len(source.sha256) == 64
    assert int(source.sha256, 16)
    assert source.places
    assert all(isinstance(place, Package | Url) for place in source.places)
    assert source.size < source.unpacked_cap
    assert source.terms.notice
    assert source.summary.endswith(".")
    assert "/" not in source.file


def test_hashes_are_all_different() -> None:
    assert len({source.sha256 for source in SOURCES.values()}) == len(SOURCES)


def test_closed_data_is_marked() -> None:
    assert {name for name, source in SOURCES.items() if source.terms.redistribute == "no"} == {
        "ml-100k",
        "ml-100k-official",
        "ml-1m",
        "ml-10m",
    }


def test_unknown_name_suggests() -> None:
    with pytest.raises(SourceError, match="did you mean ml-100k"):
        find_source("ml100k")


def test_import_is_light() -> None:
    code = (
        "import sys, store.sources.catalogue, store.sources.download, store.sources.package, store.sources.unpack\n"
        "heavy = {'numpy', 'pyarrow', 'torch', 'requests', 'httpx', 'boto3'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
