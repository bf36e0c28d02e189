"""Tables of off-policy learning: a user's own interactions, contexts and logged rounds."""

from __future__ import annotations

from expectations.tables.base import Column, TableSpec

INTERACTIONS = TableSpec(
    name="opl.interactions",
    why="Binary rewards of users for items as a user gave them, in the place of those made from MovieLens' ratings.",
    key=("user_id", "item_id"),
    columns=(
        Column("user_id", "int64", "Row of the user in users.", minimum=0),
        Column("item_id", "int64", "Row of the item in items.", minimum=0),
        Column("reward", "int8", "1 for a like, 0 for a dislike; both must occur.", allowed=(0, 1), present=(0, 1)),
    ),
)

CONTEXTS = TableSpec(
    name="opl.contexts",
    why="The (user, film) pairs a policy chooses a prompt for, parted into those it learns from and those it is judged on.",
    key=("context_id",),
    columns=(
        Column("context_id", "int64", "Dense id: the row of the reward table.", minimum=0, dense=True),
        Column(
            "split",
            "string",
            "Policies learn from train and are evaluated on test; neither may be empty.",
            allowed=("train", "test"),
            present=("train", "test"),
        ),
        Column("user_id", "int64", "The user: standard errors are clustered by it.", minimum=0),
        Column("item_id", "int64", "The film.", minimum=0),
    ),
)

ROUNDS = TableSpec(
    name="opl.rounds",
    why="The logged bandit feedback an off-policy learner has instead of the environment.",
    key=("round_id",),
    columns=(
        Column("round_id", "int64", "Dense id, in the order of logging.", minimum=0, dense=True),
        Column("context_id", "int64", "The context shown.", minimum=0),
        Column("action", "int64", "The prompt chosen by the logging policy.", minimum=0),
        Column("reward", "float64", "The reward observed, noise included; any finite number."),
        Column(
            "pscore",
            "float64",
            "Probability of the action under the logging policy; at 0 importance weights are undefined.",
            above=0.0,
            maximum=1.0,
            unit="probability",
        ),
    ),
)
