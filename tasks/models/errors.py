"""What is wrong with a model, in the user's words."""

from __future__ import annotations

from store.errors import UserError


class ModelError(UserError):
    """A model directory, or what is asked of the model, is not as it must be."""
