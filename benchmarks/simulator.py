"""One epoch of the text reward simulator on ML-100K's size, beside one that runs the frozen encoder at every step.

Both draw the same batches and take the same gradient steps on projection, head, embeddings and biases; the peer corrupts and
encodes each batch's sentences anew, as offline-prompts does. Ours runs the encoder once on a fixed number of corrupted views;
what that costs is named in the note. The encoder is MiniLM's size with random weights: speed does not depend on them.
"""

from __future__ import annotations

import resource
import time

import numpy as np
import torch
from torch import nn
from transformers import DistilBertConfig, DistilBertModel

from tasks.opl.config import SimulatorConfig
from tasks.opl.reward_models import TextRewardModel
from tasks.opl.simulator import Rows, loss_function
from tasks.opl.token_views import Tokens, corrupted_views, first_token_states
from tasks.training.loop import batches

N_USERS, N_ITEMS, N_ROWS, LENGTH, N_VIEWS = 421, 384, 4096, 20, 2
CPU = torch.device("cpu")
VOCABULARY = 30_522


def rows() -> list[dict[str, object]]:
    """One row a batch size."""
    torch.manual_seed(0)
    sizes = {"dim": 384, "n_layers": 6, "n_heads": 12, "hidden_dim": 1536}
    encoder = DistilBertModel(DistilBertConfig(vocab_size=VOCABULARY, **sizes)).eval().requires_grad_(False)
    rng = np.random.default_rng(0)
    ids = rng.integers(1000, VOCABULARY, size=(N_ITEMS, LENGTH))
    full = np.ones_like(ids, dtype=bool)
    tokens = Tokens(ids, full, full)
    started = time.perf_counter()
    states = states_of(encoder, tokens, N_VIEWS, rng)
    view_s = (time.perf_counter() - started) / N_VIEWS
    columns = (rng.integers(N_USERS, size=N_ROWS), rng.integers(N_ITEMS, size=N_ROWS), rng.integers(2, size=N_ROWS))
    user, item, reward = (torch.from_numpy(column) for column in columns)
    train = Rows(user, item, reward.float())
    return [row(encoder, tokens, states, train, batch_size, view_s) for batch_size in (16, 128)]


def states_of(encoder: nn.Module, tokens: Tokens, n_views: int, rng: np.random.Generator) -> torch.Tensor:
    """First-token states (n_views, n_texts, 384) of corrupted views."""
    views = corrupted_views(tokens, n_views, 0.1, 0.1, np.arange(1000, VOCABULARY), 103, rng)
    attended = np.ones((n_views * len(tokens.ids), LENGTH), dtype=bool)
    states = first_token_states(encoder, views.reshape(-1, LENGTH), attended, 128, CPU)
    return states.reshape(n_views, len(tokens.ids), -1)


def row(
    encoder: nn.Module, tokens: Tokens, states: torch.Tensor, train: Rows, batch_size: int, view_s: float
) -> dict[str, object]:
    """The better of three epochs of ours; the peer's from its first steps, which are all alike."""
    rng = np.random.default_rng(1)

    def cached(item: torch.Tensor) -> torch.Tensor:
        return states[torch.randint(N_VIEWS, item.shape), item]

    def anew(item: torch.Tensor) -> torch.Tensor:
        part = Tokens(tokens.ids[item], tokens.attended[item], tokens.content[item])
        views = corrupted_views(part, 2, 0.1, 0.1, np.arange(1000, VOCABULARY), 103, rng)[1]
        with torch.inference_mode():
            hidden = encoder(input_ids=torch.from_numpy(views)).last_hidden_state[:, 0]
        return hidden.clone()

    n_steps = N_ROWS // batch_size
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the task does: several threads would wait for each other
    ours_s = min(epoch(train, cached, batch_size, n_steps) for _ in range(3))
    torch.set_num_threads(threads)
    shown = max(2, 256 // batch_size)
    peer_s = epoch(train, anew, batch_size, shown) * n_steps / shown
    return {
        "job": "simulator epoch",
        "size": f"{N_ROWS:,} rows, batch {batch_size}",
        "ours_s": ours_s,
        "peer": "encodes each step",
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "note": f"and once {view_s:.1f} s a view of the {N_ITEMS} texts; peer from {shown} of {n_steps} steps",
    }


def epoch(train: Rows, states_for: object, batch_size: int, n_steps: int) -> float:
    """Seconds of that many steps."""
    assert callable(states_for)
    config, g = SimulatorConfig(batch_size=batch_size), torch.Generator().manual_seed(0)
    model = TextRewardModel(N_USERS, N_ITEMS, 384, config.dim, config.hidden, config.embedding_std, g)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    dealt = batches(N_ROWS, batch_size, g)
    started = time.perf_counter()
    for _ in range(n_steps):
        at = next(dealt)
        item = train.item[at]
        loss = loss_function(config, model(train.user[at], item, states_for(item)), train.reward[at])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - started
