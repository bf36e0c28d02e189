"""The golds of `ranking`: which items are relevant to each sample, and which items there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from harness.envelope import Envelope
from harness.errors import HarnessError, shown

KINDS: dict[type, str] = {str: "strings", int: "integers"}
BEYOND_EXACT = "holds an integer beyond 2^53, where numbers in JSON are no longer exact; write all items as strings"
_EXACT = 1 << 53


@dataclass(frozen=True)
class Relevance:
    """The relevant items of each sample, aligned with the ids, and all items there are (None: not told)."""

    items: tuple[frozenset[object], ...]
    kind: type
    catalogue: frozenset[object] | None


def read_relevance(golds: Envelope) -> Relevance:
    """The golds' items, all strings or all integers; raises `HarnessError`."""
    lists = [output if isinstance(output, list) else [output] for output in golds.outputs]
    kind = type(lists[0][0]) if lists[0] else str
    if kind not in KINDS:
        kind = str
    for name, items in zip(golds.ids, lists, strict=True):
        if fault := _fault(items, kind):
            raise HarnessError(f"{golds.where}: id {name!r}: {fault}")
    relevant = tuple(map(frozenset, lists))
    return Relevance(relevant, kind, _read_catalogue(golds, relevant, kind))


def beyond_exact(items: Sequence[object], kind: type) -> bool:
    """Whether one of the items, all of that kind, is an integer that readers of JSON may round (RFC 8259, section 6).

    Ask before the items go into a set: integers beyond 2^61 - 1 can be chosen to share one hash, which takes quadratic
    time, while those within 2^53 have a hash each, and those of strings cannot be foreseen.
    """
    if kind is not int or not items:
        return False
    numbers = cast("Sequence[int]", items)
    return min(numbers) < -_EXACT or max(numbers) > _EXACT


def _fault(items: list[object], kind: type) -> str | None:
    """What is wrong with the relevant items of one sample, or None."""
    if not items:
        return "output is an empty list; give at least one relevant item, or leave the sample out"
    if set(map(type, items)) != {kind}:
        return "output must be an item or a list of items, where items are all strings or all integers in all golds"
    if beyond_exact(items, kind):
        return f"output {BEYOND_EXACT}"
    if len(set(items)) != len(items):
        return "output names an item twice; name each relevant item once"
    return None


def _read_catalogue(golds: Envelope, relevant: tuple[frozenset[object], ...], kind: type) -> frozenset[object] | None:
    if unknown := sorted(set(golds.settings) - {"catalogue"}):
        raise HarnessError(f'{golds.where}: unknown settings {shown(unknown)}; the one known is "catalogue"')
    if "catalogue" not in golds.settings:
        return None
    listed = golds.settings["catalogue"]
    if not isinstance(listed, list) or set(map(type, listed)) != {kind}:
        raise HarnessError(f'{golds.where}: "catalogue" must be a list of items, {KINDS[kind]} as in the golds')
    if beyond_exact(listed, kind):
        raise HarnessError(f'{golds.where}: "catalogue" {BEYOND_EXACT}')
    catalogue = frozenset(listed)
    if strays := [name for name, items in zip(golds.ids, relevant, strict=True) if not items <= catalogue]:
        ids = "id" if len(strays) == 1 else "ids"
        raise HarnessError(
            f'{golds.where}: the "catalogue" lacks relevant items of {len(strays):,} {ids}: {shown(strays)}; '
            "it must hold all items"
        )
    return catalogue
