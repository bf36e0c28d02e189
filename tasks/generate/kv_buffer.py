"""Keys and values in a buffer of fixed capacity: a step appends in place, where the stock cache copies all of it."""

from __future__ import annotations

import torch
from transformers import DynamicLayer


class BufferedLayer(DynamicLayer):  # type: ignore[misc]  # transformers is untyped to mypy
    """Keys and values of one layer, (n_rows, n_heads, capacity, head_dim); a model call sees the rows in focus."""

    def __init__(self, n_rows: int, capacity: int) -> None:
        super().__init__()
        self.n_rows, self.capacity = n_rows, capacity
        self.rows, self.used = slice(0, n_rows), 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Makes the buffers, with heads and sizes as they first come."""
        self.dtype, self.device = key_states.dtype, key_states.device
        self.key_buffer = self._buffer(key_states)
        self.value_buffer = self._buffer(value_states)
        self.is_initialized = True

    def _buffer(self, states: torch.Tensor) -> torch.Tensor:
        return states.new_empty((self.n_rows, states.shape[1], self.capacity, states.shape[3]))

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Appends positions to the rows in focus; returns views of all their positions."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start, stop = self.used, self.used + key_states.shape[2]
        self.key_buffer[self.rows, :, start:stop] = key_states
        self.value_buffer[self.rows, :, start:stop] = value_states
        self.focus(self.rows, stop)
        return self.keys, self.values

    def focus(self, rows: slice, used: int) -> None:
        """Shows the next model calls these rows and their first `used` positions."""
        self.rows, self.used = rows, used
        if self.is_initialized:
            self.keys, self.values = self.key_buffer[rows, :, :used], self.value_buffer[rows, :, :used]

    def share(self, used: int) -> None:
        """Copies the first `used` positions of row 0 to every row."""
        for buffer in (self.key_buffer, self.value_buffer):
            buffer[1:, :, :used] = buffer[:1, :, :used]

    def keep(self, rows: torch.Tensor) -> None:
        """Drops all rows but these, (n_kept,) int64."""
        self.key_buffer, self.value_buffer = self.key_buffer[rows], self.value_buffer[rows]
        self.n_rows = len(rows)
        self.focus(slice(0, self.n_rows), self.used)
