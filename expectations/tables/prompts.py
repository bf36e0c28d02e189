"""Tables of candidate prompts."""

from __future__ import annotations

from expectations.tables.base import Column, TableSpec

KEYWORDS = TableSpec(
    name="prompts.keywords",
    why="The candidate prompts: the actions of the environment, in the order of their ids.",
    key=("prompt_id",),
    unique=(("keyword",),),
    columns=(
        Column("prompt_id", "int64", "Dense id, which is the action's number.", minimum=0, dense=True),
        Column("keyword", "string", "The word that asks for a description's slant.", pattern=r"\S", max_length=200),
    ),
)
