"""A resolver fails by going back years in silence: what is installed must lie inside the ranges that are declared."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
DECLARED = sorted(
    {
        *PROJECT["project"]["dependencies"],
        *(line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra),
        *PROJECT["dependency-groups"]["dev"],
    }
)


@pytest.mark.parametrize("line", [line for line in DECLARED if not line.startswith("lampworks")])
def test_what_is_installed_is_what_is_declared(line):
    wanted = Requirement(line)
    assert wanted.specifier.contains(importlib.metadata.version(wanted.name), prereleases=True), line


@pytest.mark.parametrize("line", PROJECT["project"]["dependencies"])
def test_every_direct_dependency_has_a_floor(line):
    assert any(clause.operator in (">=", "==") for clause in Requirement(line).specifier), line


@pytest.mark.parametrize("name", ["pyspark-client", "airflow-provider-great-expectations", "openlineage-airflow"])
def test_what_breaks_the_rest_is_not_installed(name):
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version(name)
