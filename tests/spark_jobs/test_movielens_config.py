from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

from spark_jobs.movielens.config import MovieLensConfig


def test_the_defaults_are_the_papers() -> None:
    config = MovieLensConfig()
    assert (config.positive_min, config.negative_max, config.min_positive, config.min_negative) == (5.0, 3.0, 10, 10)
    assert config.balance
    assert config.compat == frozenset()


@pytest.mark.parametrize(
    "values",
    [
        {"positive_min": 3.0, "negative_max": 3.0},
        {"positive_min": 6.0},
        {"min_positive": -1},
        {"seed": -1},
        {"compat": ["lrap_as_mrr"]},
        {"positive": 4},
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MovieLensConfig.model_validate(values)


def test_it_survives_json_and_is_frozen() -> None:
    config = MovieLensConfig(compat=frozenset({"movielens_thresholds"}), positive_min=4.0)
    assert MovieLensConfig.model_validate_json(config.model_dump_json()) == config
    with pytest.raises(ValidationError):
        config.seed = 1


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, spark_jobs.movielens.config, expectations.suite; "
        "print(sorted({'pyspark', 'pandas', 'pyarrow', 'great_expectations'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=os.getcwd())
    assert done.stdout.strip() == "[]"
