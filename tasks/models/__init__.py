"""The shared base under every method: loading models, encoding texts, pooling, principal components."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when transformers is first imported; models come from the store
