"""The ground floor: immutable artifacts on a disk or in a bucket, and the sources everything is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.artifact import Artifact as Artifact
    from store.artifact import Attempt as Attempt
    from store.artifact import Table as Table
    from store.errors import CorruptArtifactError as CorruptArtifactError
    from store.errors import MissingArtifactError as MissingArtifactError
    from store.errors import PublicationError as PublicationError
    from store.errors import StoreError as StoreError
    from store.errors import UserError as UserError
    from store.manifest import InputEntry as InputEntry
    from store.manifest import Licence as Licence
    from store.manifest import Manifest as Manifest
    from store.manifest import Provenance as Provenance
    from store.store import Store as Store

_HOMES = {
    "Artifact": "store.artifact",
    "Attempt": "store.artifact",
    "CorruptArtifactError": "store.errors",
    "InputEntry": "store.manifest",
    "Licence": "store.manifest",
    "Manifest": "store.manifest",
    "MissingArtifactError": "store.errors",
    "Provenance": "store.manifest",
    "PublicationError": "store.errors",
    "Store": "store.store",
    "StoreError": "store.errors",
    "Table": "store.artifact",
    "UserError": "store.errors",
}

__all__ = [*sorted(_HOMES)]  # noqa: PLE0604 (the names are strings)


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that the command line starts at once."""
    if name not in _HOMES:
        raise AttributeError(f"module 'store' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
