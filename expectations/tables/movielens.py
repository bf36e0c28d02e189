"""Tables of the MovieLens corpus and of the sentences written about its films."""

from __future__ import annotations

from expectations.tables.base import Column, TableSpec

INTERACTIONS = TableSpec(
    name="movielens.interactions",
    why="Binary rewards of users for films: what the reward simulator learns from and the contexts are drawn from.",
    key=("user_id", "item_id"),
    columns=(
        Column("user_id", "int64", "Row of the user in users: dense, so that embeddings index by it.", minimum=0),
        Column("item_id", "int64", "Row of the film in items.", minimum=0),
        Column(
            "reward",
            "int8",
            "1 where the rating reaches positive_min, 0 where it stays within negative_max; both must occur.",
            allowed=(0, 1),
            present=(0, 1),
        ),
        Column("rating", "float32", "The rating as given.", minimum=0.5, maximum=5.0, unit="stars"),
        Column(
            "timestamp",
            "int64",
            "When it was given: time-ordered splits need it.",
            minimum=0,
            maximum=2**36 - 1,
            unit="seconds since 1970-01-01 UTC",
        ),
    ),
)

ITEMS = TableSpec(
    name="movielens.items",
    why="The films of the interactions: the queries of the environment.",
    key=("item_id",),
    unique=(("source_item_id",),),
    columns=(
        Column("item_id", "int64", "Dense id.", minimum=0, dense=True),
        Column("source_item_id", "int64", "The film's id in the dump, to walk back to it.", minimum=0),
        Column("title", "string", "Title as the dump spells it; the prompt's query.", pattern=r"\S", max_length=1000),
        Column("year", "int32", "Year of release, where the dump tells.", nullable=True, minimum=1870, maximum=2100),
        Column("genres", "string", "Genres joined by |; empty where none is listed."),
        Column(
            "n_positive", "int64", "Interactions with reward 1: popularity baseline.", minimum=0, unit="interactions"
        ),
        Column("n_negative", "int64", "Interactions with reward 0.", minimum=0, unit="interactions"),
    ),
)

USERS = TableSpec(
    name="movielens.users",
    why="The users of the interactions: the rows of the user embeddings.",
    key=("user_id",),
    unique=(("source_user_id",),),
    columns=(
        Column("user_id", "int64", "Dense id.", minimum=0, dense=True),
        Column("source_user_id", "int64", "The user's id in the dump.", minimum=0),
        Column("n_positive", "int64", "Interactions with reward 1.", minimum=0, unit="interactions"),
        Column("n_negative", "int64", "Interactions with reward 0.", minimum=0, unit="interactions"),
    ),
)

SENTENCES = TableSpec(
    name="movielens.sentences",
    why="What the frozen language model wrote about each film under each prompt: the outputs that are rewarded.",
    key=("item_id", "prompt_id"),
    columns=(
        Column("item_id", "int64", "The film described.", minimum=0),
        Column("prompt_id", "int64", "The keyword prompt; -1 without one, the baseline every film has.", minimum=-1),
        Column("text", "string", "The sentence; a blank one would be rewarded as if it said something.", pattern=r"\S"),
    ),
)
