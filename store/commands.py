"""The commands that look into a store, and what every command line over stores shares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from store.artifact import Artifact
    from store.store import Store

app = typer.Typer(no_args_is_help=True, help="Look into the store of artifacts, verify it, clean it up.")

StoreUrl = Annotated[
    str, typer.Option("--store", envvar="LAMPWORKS_STORE", help="Directory or s3://bucket/prefix.", show_default=True)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_STORE = ".lampworks/store"


def open_store(url: str) -> Store:
    """The store at a directory or `s3://` address."""
    from store import Store

    return Store.open(url)


def tell(as_json: bool, facts: dict[str, object], line: str) -> None:
    """Print facts as JSON, or the line that says the same to people."""
    typer.echo(json.dumps(facts, indent=1) if as_json else line)


def note(line: str) -> None:
    """A line for the person, not for a pipe."""
    typer.echo(line, err=True)


@app.command("ls")
def list_artifacts(
    prefix: Annotated[str, typer.Argument(help="Only names that start so.")] = "",
    store: StoreUrl = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """List the artifacts; `*` marks the one that `latest` points to."""
    opened = open_store(store)
    rows = []
    for name, key in sorted(opened.addresses(prefix)):
        manifest = opened.get(name, key).manifest
        rows.append(
            {
                "name": name,
                "key": key,
                "latest": opened.pointed(name) == key,
                "bytes": manifest.size,
                "digest": manifest.digest,
            }
        )
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        typer.echo(
            f"{'*' if row['latest'] else ' '} {row['name']}@{str(row['key'])[:12]}  {int(str(row['bytes'])) / 1e6:10.2f} MB"
        )
    if not rows:
        note(f"nothing in {opened.backend.url} starts with {prefix!r}" if prefix else f"{opened.backend.url} is empty")


@app.command("show")
def show(
    artifact: Annotated[str, typer.Argument(help="name, name@key or name:pointer.")],
    store: StoreUrl = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Show an artifact and its lineage, back to the raw dump."""
    from store.lineage import ancestors

    opened = open_store(store)
    chosen = opened.resolve(artifact)
    if as_json:
        typer.echo(
            json.dumps([a.manifest.model_dump(mode="json") for a in reversed(ancestors(opened, chosen))], indent=1)
        )
        return
    for line in _describe(opened, chosen):
        typer.echo(line)


def _describe(store: Store, artifact: Artifact) -> Iterator[str]:
    from store.lineage import ancestors

    manifest, made_by, run = artifact.manifest, artifact.manifest.made_by, store.run_of(artifact)
    yield f"{artifact.name}@{artifact.key}"
    yield f"  digest    {artifact.digest}"
    yield f"  task      {made_by.task}, version {made_by.version}" + (
        f", {run['seconds']} s on {run['host']}" if run else ""
    )
    yield f"  config    {json.dumps(made_by.config)}"
    for metric, value in sorted(made_by.metrics.items()):
        yield f"  metric    {metric} = {value:.6g}"
    for table, entry in manifest.tables.items():
        yield f"  table     {table}: {entry.rows} rows of {entry.declaration}"
    yield from (f"  file      {entry.path} ({entry.bytes} bytes)" for entry in manifest.files)
    yield f"  licence   {'; '.join(sorted({licence.name for licence in made_by.licences})) or 'none inherited'}"
    yield "  made from, back to the sources:"
    yield from (
        f"    {ancestor}  by {ancestor.manifest.made_by.task}" for ancestor in reversed(ancestors(store, artifact)[:-1])
    )


@app.command("verify")
def verify(
    prefix: Annotated[str, typer.Argument(help="Only names that start so.")] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove what is corrupt, so that the next run makes it again.")
    ] = False,
    store: StoreUrl = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Read every stored file again and compare it with its sha256."""
    from store.lineage import verify_all

    checked = verify_all(open_store(store), prefix, remove=remove)
    faults = [fault for found in checked.values() for fault in found]
    bad = sum(map(bool, checked.values()))
    summary = f"{len(checked)} artifacts read, {bad} corrupt{' and removed' if bad and remove else ''}"
    tell(as_json, {"read": len(checked), "corrupt": bad, "faults": faults}, "\n".join([*faults, summary]))
    if bad and not remove:
        raise typer.Exit(2)
