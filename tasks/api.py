"""What every task sees: its configuration's base, the runtime it is lent, and the context it runs in."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from store.errors import UserError

Metrics = dict[str, float]


class TaskError(UserError):
    """A task, its configuration or its inputs are not as they must be."""


class Config(BaseModel):
    """What determines a task's result, and nothing else: it is hashed into the key. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Runtime(BaseModel):
    """Where and how a task runs: devices, workers, addresses, secrets. Never hashed, never stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models run.")
    engine: Literal["process", "docker", "pod"] = Field("process", description="Where tasks run.")
    image: str = Field("lampworks-{role}:latest", description="Image of docker and pod; {role} is gpu or spark.")
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, description="Processor threads a task uses."
    )
    batch_size: int | None = Field(None, ge=1, description="Texts a batch; chosen by the backend when unset.")
    spark_master: str | None = Field(None, description="Spark master URL; this machine when unset.")
    driver_memory: str = Field("2g", pattern=r"^\d+[gm]$", description="Memory of the Spark driver.")
    llm_url: str | None = Field(None, description="Address of an OpenAI-compatible server, as in http://host:8000/v1.")
    llm_api_key: SecretStr | None = Field(None, description="Its key; from the environment, never from a file.")
    llm_concurrency: int = Field(32, ge=1, description="Requests in flight at the server.")
    llm_timeout_s: float = Field(120.0, gt=0, description="Seconds one request may take.")
    source_file: Path | None = Field(None, description="A local file to take a source from, instead of the network.")
    offline: bool = Field(False, description="Forbid every download.")


Progress = Callable[[int], None]


@dataclass(frozen=True)
class Context:
    """What the runner lends a task besides its inputs.

    `scratch` belongs to the key: it survives a kill and is removed after the commit. `cache` is shared by all tasks and kept.
    """

    scratch: Path
    cache: Path
    runtime: Runtime
    log: logging.Logger

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Progress]:
        """A progress bar on stderr when it is a terminal, lines in the log otherwise; call it with the units finished."""
        from tasks.progress import show

        with show(what, total, self.log) as advance:
            yield advance


def choose_device(runtime: Runtime) -> str:
    """`cuda` or `cpu` for the runtime's wish.

    Raises:
        TaskError: CUDA is asked for and there is none.
    """
    import torch

    if runtime.device == "cuda" and not torch.cuda.is_available():
        raise TaskError("device: cuda is asked for but torch sees no CUDA device; use device: cpu or auto")
    return "cuda" if runtime.device != "cpu" and torch.cuda.is_available() else "cpu"
