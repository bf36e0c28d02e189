"""The ground floor: immutable artifacts on a disk or in a bucket, and the sources everything is made from."""

from __future__ import annotations

from store.artifact import Artifact, Attempt, Table
from store.errors import CorruptArtifactError, MissingArtifactError, PublicationError, StoreError, UserError
from store.manifest import InputEntry, Licence, Manifest, Provenance
from store.store import Store

__all__ = [
    "Artifact",
    "Attempt",
    "CorruptArtifactError",
    "InputEntry",
    "Licence",
    "Manifest",
    "MissingArtifactError",
    "Provenance",
    "PublicationError",
    "Store",
    "StoreError",
    "Table",
    "UserError",
]
