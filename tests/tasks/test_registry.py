from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tasks.registry import TASKS

SECRET = re.compile(r"secret|password|credential|api_?key|(access|auth|bearer)_token", re.IGNORECASE)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_entry_is_whole(name):
    import dataclasses
    import importlib

    spec = TASKS[name]
    module = importlib.import_module(spec.module)
    assert {field.name for field in dataclasses.fields(module.Inputs)} == set(spec.ports)
    assert callable(module.run) and spec.summary.endswith(".")


@pytest.mark.parametrize("name", sorted(TASKS))
def test_no_configuration_holds_a_secret(name):
    for field in TASKS[name].config_class().model_fields:
        assert not SECRET.search(field), f"{name}: {field} belongs in the runtime"


@pytest.mark.parametrize("modules", ["lampworks", "tasks.registry", "tasks.presets", "harness", "store"])
def test_light_modules_import_nothing_heavy(modules):
    code = f"""
import sys
import {modules}
if {modules == "tasks.registry"}:
    for spec in tasks.registry.TASKS.values():
        spec.config_class()
heavy = {{"torch", "transformers", "pyspark", "great_expectations", "pandas", "boto3", "sklearn", "airflow", "pyarrow"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
