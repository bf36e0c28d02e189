"""What a task reads (`Artifact`, `Table`) and where it writes (`Attempt`)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from store.digest import digest_of, sha256_file, table_digest
from store.errors import CorruptArtifactError, MissingArtifactError, StoreError
from store.manifest import FileEntry, Licence, Manifest, TableEntry

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Artifact", "Attempt", "Licence", "Manifest", "Table"]

AUX = "aux/"
"""Files below it are for people (Data Docs, timings): kept, verified and published, but not part of the digest."""

_verified: set[tuple[str, int, int, str]] = set()


def verify_file(path: Path, entry: FileEntry, what: str, *, again: bool = False) -> Path:
    """Holds a file to its entry: the size always, the sha256 on the first read in this process or when `again`.

    Raises:
        CorruptArtifactError: missing, of another size, or of another content.
    """
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise CorruptArtifactError(f"{what}: {entry.path} is gone from {path.parent}; run its task again") from None
    if stat.st_size != entry.bytes:
        raise CorruptArtifactError(
            f"{what}: {entry.path} has {stat.st_size} bytes instead of {entry.bytes} ({path}); "
            "mend it with `lampworks store verify --remove`, then run again"
        )
    mark = (str(path), stat.st_size, stat.st_mtime_ns, entry.sha256)
    if again or mark not in _verified:
        if sha256_file(path) != entry.sha256:
            raise CorruptArtifactError(
                f"{what}: {entry.path} does not have the sha256 of its manifest ({path}); "
                "mend it with `lampworks store verify --remove`, then run again"
            )
        _verified.add(mark)
    return path


class Artifact:
    """A committed artifact. Its files are fetched when remote, and verified, on first use."""

    def __init__(self, manifest: Manifest, locate: Callable[[Manifest, FileEntry], Path]) -> None:
        self.manifest = manifest
        self._locate = locate
        self._files = {entry.path: entry for entry in manifest.files}

    def __repr__(self) -> str:
        return f"Artifact({self})"

    def __str__(self) -> str:
        return f"{self.name}@{self.key[:12]}"

    @property
    def name(self) -> str:
        """The artifact's name, as in `movielens/tables`."""
        return self.manifest.name

    @property
    def key(self) -> str:
        """Hash of all that determines the content."""
        return self.manifest.key

    @property
    def digest(self) -> str:
        """Hash of the content itself."""
        return self.manifest.digest

    def path(self, file: str) -> Path:
        """The local, verified path of one file.

        Raises:
            MissingArtifactError: the artifact has no such file.
            CorruptArtifactError: the file is not what the manifest says.
        """
        if file not in self._files:
            raise MissingArtifactError(f"{self} has no file {file}; it has {', '.join(sorted(self._files)) or 'none'}")
        entry = self._files[file]
        return verify_file(self._locate(self.manifest, entry), entry, str(self))

    def dir(self, prefix: str = "") -> Path:
        """The local directory below `prefix`, every file in it verified; the artifact's own when empty."""
        start = f"{prefix.rstrip('/')}/" if prefix else ""
        files = [file for file in self._files if file.startswith(start)]
        if not files:
            raise MissingArtifactError(f"{self} has no files below {prefix or 'it'}")
        root = self.path(files[0])
        for _ in PurePosixPath(files[0][len(start) :]).parts:
            root = root.parent
        for file in files[1:]:
            self.path(file)
        return root

    def read_json(self, file: str) -> object:
        """The value in a JSON file."""
        value: object = json.loads(self.path(file).read_text(encoding="utf-8"))
        return value

    def table(self, table: str) -> Table:
        """One of its tables.

        Raises:
            MissingArtifactError: it has no such table.
        """
        entry = self.manifest.tables.get(table)
        if entry is None:
            has = ", ".join(sorted(self.manifest.tables)) or "none"
            raise MissingArtifactError(f"{self} has no table {table}; it has {has}")
        return Table(table, entry.declaration, entry.rows, entry.digest, self)


@dataclass(frozen=True)
class Table:
    """One Parquet table of an artifact."""

    name: str
    declaration: str
    rows: int
    digest: str
    artifact: Artifact

    @property
    def path(self) -> Path:
        """The directory of its Parquet parts, verified."""
        return self.artifact.dir(self.name)

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The whole table, its parts in the order of their names."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        parts = sorted(self.path.glob("*.parquet"))
        names = None if columns is None else list(columns)
        return pa.concat_tables([pq.read_table(part, columns=names, partitioning=None) for part in parts])


class Attempt:
    """A directory that a task fills; it becomes an artifact when the store commits it."""

    def __init__(self, name: str, key: str, attempt: str, root: Path) -> None:
        self.name, self.key, self.attempt, self.root = name, key, attempt, root
        self.tables: dict[str, str] = {}
        self.licence: Licence | None = None

    def path(self, file: str) -> Path:
        """Where to write `file`; its parent directories exist.

        Raises:
            StoreError: the path leaves the attempt.
        """
        parts = PurePosixPath(file).parts
        if not parts or ".." in parts or file.startswith("/"):
            raise StoreError(f"{file!r} is no path inside an artifact")
        target = self.root.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def write_json(self, file: str, value: object) -> None:
        """Writes a JSON value: sorted keys, two blanks of indent, no NaN."""
        text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        self.path(file).write_text(text + "\n", encoding="utf-8")

    def declare_table(self, table: str, declaration: str) -> Path:
        """The directory to write a table's Parquet parts into; `declaration` names what the gate holds it to."""
        self.tables[table] = declaration
        return self.path(table)

    def write_table(self, table: str, declaration: str, data: pa.Table) -> None:
        """Writes one table as a single Parquet part."""
        import pyarrow.parquet as pq

        directory = self.declare_table(table, declaration)
        directory.mkdir(exist_ok=True)
        pq.write_table(data, directory / "part-00000.parquet", compression="zstd")

    def set_licence(self, licence: Licence) -> None:
        """States the terms of a source; derived artifacts inherit their inputs' without a word."""
        self.licence = licence

    def close(self) -> tuple[tuple[FileEntry, ...], dict[str, TableEntry], str]:
        """Flushes every file to the disk and returns the files, the tables and the digest of the content."""
        tables: dict[str, TableEntry] = {}
        for table, declaration in sorted(self.tables.items()):
            directory = self.root / table
            for stray in [*directory.glob("_*"), *directory.glob(".*")]:  # Spark's _SUCCESS and checksum files
                stray.unlink()
            digest, rows = table_digest(directory)
            tables[table] = TableEntry(declaration=declaration, rows=rows, digest=digest)
        paths = sorted(path for path in self.root.rglob("*") if path.is_file())
        files = tuple(_entry(path, path.relative_to(self.root).as_posix()) for path in paths)
        plain = {f.path: f.sha256 for f in files if not f.path.startswith((AUX, *(f"{table}/" for table in tables)))}
        digest = digest_of({"files": plain, "tables": {name: entry.digest for name, entry in tables.items()}})
        return files, tables, digest


def _entry(path: Path, relative: str) -> FileEntry:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return FileEntry(path=relative, bytes=path.stat().st_size, sha256=sha256_file(path))
