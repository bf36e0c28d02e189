"""What the runner would lend a job."""

from __future__ import annotations

import logging
from pathlib import Path

from tasks.api import Context, Runtime


def lent_context(tmp_path: object) -> Context:
    root = Path(str(tmp_path))
    return Context(
        scratch=root / "scratch", cache=root / "cache", runtime=Runtime(threads=2), log=logging.getLogger("t")
    )
