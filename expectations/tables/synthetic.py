"""Tables of the synthetic benchmark: what every policy earned in every run, and how learning went."""

from __future__ import annotations

from expectations.tables.base import Column, TableSpec

_RUN = (
    Column("setting", "string", "The run's configuration apart from its seed, as a name."),
    Column("seed", "int64", "Of environment, log and learners.", minimum=0),
    Column("policy", "string", "The learner, or uniform, logging, optimal."),
)

RESULTS = TableSpec(
    name="synthetic.results",
    why="One row for each policy of each run: the benchmark's tidy result, from which every table and figure is made.",
    key=("setting", "seed", "policy"),
    columns=(
        *_RUN,
        Column("variant", "string", "The environment's variant."),
        Column("compat", "bool", "Whether the published environment's defects are reproduced."),
        Column("generator", "string", "How an action shapes the output."),
        Column("logging", "string", "Where the logging policy's scores come from."),
        Column("n_rounds", "int64", "Logged rounds.", minimum=1),
        Column("n_actions", "int64", "Actions.", minimum=2),
        Column("reward_std", "float64", "Standard deviation of a reward.", minimum=0.0),
        Column("beta", "float64", "Inverse temperature of the logging policy."),
        Column("kernel", "string", "Kernel set for all learners that have one.", nullable=True),
        Column("bandwidth", "float64", "Bandwidth set for all learners that have one.", nullable=True),
        Column("density", "string", "Density set for all learners that have one.", nullable=True),
        Column("value", "float64", "Mean expected reward over the scored contexts, by the harness."),
        Column("optimality", "float64", "(V - V_uniform) / (V_optimal - V_uniform)."),
        Column("improvement", "float64", "V - V_logging."),
        Column(
            "selected_step", "int64", "Gradient step of the checkpoint; none for policies without steps.", nullable=True
        ),
    ),
)

CURVES = TableSpec(
    name="synthetic.curves",
    why="The points of every learner's curve: what selected, and what was true.",
    key=("setting", "seed", "policy", "step"),
    columns=(
        *_RUN,
        Column("step", "int64", "Gradient steps done.", minimum=0),
        Column("estimate", "float64", "The held-out estimate that selects.", nullable=True),
        Column("value", "float64", "Exact value on the scored contexts; selects nothing."),
    ),
)
