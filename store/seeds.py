"""Independent random streams from one seed, so that one stage's draws never move another's."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def _sequence(seed: int, name: str) -> np.random.SeedSequence:
    import numpy as np

    words = hashlib.sha256(name.encode()).digest()[:16]
    return np.random.SeedSequence([seed, *(int.from_bytes(words[i : i + 4], "little") for i in range(0, 16, 4))])


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of the stream `name` ("environment", "logging", "training", …) under `seed`."""
    import numpy as np

    return np.random.default_rng(_sequence(seed, name))


def torch_seed(seed: int, name: str) -> int:
    """A 63-bit seed for a `torch.Generator` of the stream `name` under `seed`."""
    import numpy as np

    return int(_sequence(seed, name).generate_state(1, np.uint64)[0] >> np.uint64(1))
