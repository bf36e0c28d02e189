"""Readies torch for a task: its device and its thread count, on which the last bits of a sum depend."""

from __future__ import annotations

import torch

from tasks.api import Runtime, choose_device


def prepare_torch(runtime: Runtime, *, small: bool = False) -> torch.device:
    """Fixes the number of threads and returns the device to compute on.

    Args:
        runtime: the device wished for, and the threads lent.
        small: the networks are of a few thousand weights: one thread is then faster than several that wait for each other,
            and the result does not depend on how many there are.

    Raises:
        TaskError: CUDA is asked for and there is none.
    """
    torch.set_num_threads(1 if small else runtime.threads)
    return torch.device(choose_device(runtime))
