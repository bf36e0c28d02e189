"""The errors that a user can mend: each prints as one line and ends the command with exit status 2."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend; the message says what is wrong, where, and how to mend it."""


class StoreError(UserError):
    """The store, or what was asked of it, is not as it must be."""


class MissingArtifactError(StoreError):
    """No committed artifact has the name and key asked for."""


class CorruptArtifactError(StoreError):
    """A stored file differs from what its manifest says."""


class PublicationError(StoreError):
    """An artifact may not, or could not, be published."""
