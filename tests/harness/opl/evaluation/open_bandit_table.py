"""Each policy of the Open Bandit Dataset evaluated from the log of the other, as the Markdown table of the docs.

`python -m tests.harness.opl.evaluation.open_bandit_table FOLDER [PICTURES]`: FOLDER holds
`{random,bts}/CAMPAIGN/CAMPAIGN.csv`, or `.csv.gz`, as the dataset does; pictures are written where a folder is given.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from harness.opl.evaluation import (
    BalancedInverseProbabilityWeighting,
    BanditFeedback,
    ClassifierBalancedInverseProbabilityWeighting,
    DirectMethod,
    DoublyRobust,
    DoublyRobustWithShrinkage,
    InverseProbabilityWeighting,
    MarginalizedInverseProbabilityWeighting,
    OffCEM,
    OffPolicyEstimator,
    OffPolicyEvaluation,
    SelfNormalizedDoublyRobust,
    SelfNormalizedInverseProbabilityWeighting,
    SubGaussianDoublyRobust,
    SubGaussianInverseProbabilityWeighting,
    SwitchDoublyRobust,
    empirical_action_dist,
    evaluate_policies,
    fit_rewards,
    load_open_bandit,
    select_by_slope,
    student_t_interval,
)

CAMPAIGNS = ("men", "women")
WEIGHTS = (1.0, 2.0, 5.0, 10.0, 50.0, 200.0, 1000.0)
TUNED = (
    [InverseProbabilityWeighting(weight) for weight in WEIGHTS],
    [DoublyRobust(weight) for weight in WEIGHTS],
    [SwitchDoublyRobust(weight) for weight in WEIGHTS],
    [DoublyRobustWithShrinkage(weight**2) for weight in WEIGHTS],
    [SubGaussianInverseProbabilityWeighting(1 / weight) for weight in WEIGHTS],
    [SubGaussianDoublyRobust(1 / weight) for weight in WEIGHTS],
)


def load(folder: Path, policy: str, campaign: str) -> BanditFeedback:
    files = sorted((folder / policy / campaign).glob(f"{campaign}.csv*"))
    return load_open_bandit(files[0], n_actions=len(item_kinds(folder, campaign)))


def item_kinds(folder: Path, campaign: str) -> np.ndarray:
    """A category of each item, `(n_items,)`, as numbers."""
    with (folder / "random" / campaign / "item_context.csv").open(encoding="utf-8") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: int(row["item_id"]))
    return np.unique([row["item_feature_3"] for row in rows], return_inverse=True)[1]


def estimates(log: BanditFeedback, policy: str, pi: np.ndarray, kinds: np.ndarray, truth: float) -> OffPolicyEvaluation:
    """Every estimator that applies; those with a bound on weights as they are, and with one that SLOPE chose."""
    model = LogisticRegression(C=0.1, max_iter=1000)
    q_hat = fit_rewards(log, model, n_folds=5, rng=np.random.default_rng(0))
    plain: list[OffPolicyEstimator] = [
        DirectMethod(),
        InverseProbabilityWeighting(),
        SelfNormalizedInverseProbabilityWeighting(),
        DoublyRobust(),
        SelfNormalizedDoublyRobust(),
        BalancedInverseProbabilityWeighting(),
        ClassifierBalancedInverseProbabilityWeighting(LogisticRegression(max_iter=1000)),
    ]
    if log.logging_dist is not None:
        plain += [MarginalizedInverseProbabilityWeighting(kinds), OffCEM(kinds)]
    named = {each.name: each for each in plain}
    for candidates in TUNED:
        chosen = select_by_slope(candidates, log, pi, q_hat).estimator
        named[f"{chosen.name}, SLOPE"] = chosen
    return evaluate_policies(log, {policy: pi}, named, q_hat, truth={policy: truth})


def directions(folder: Path, campaign: str) -> dict[str, tuple[OffPolicyEvaluation, BanditFeedback]]:
    """The evaluation, and the log of the evaluated policy itself, by what is evaluated from what."""
    random, bts = load(folder, "random", campaign), load(folder, "bts", campaign)
    uniform = np.full((10_000, random.n_actions), 1 / random.n_actions)
    random, kinds = replace(random, logging_dist=uniform), item_kinds(folder, campaign)
    pi = empirical_action_dist(bts, random)
    policies = {"BTS from the random log": (random, pi, bts), "random from BTS's log": (bts, uniform, random)}
    return {
        name: (estimates(log, f"{campaign}: {name}", action_dist, kinds, float(own.reward.mean())), own)
        for name, (log, action_dist, own) in policies.items()
    }


def main(folder: Path, pictures: Path | None) -> None:
    campaigns = [name for name in CAMPAIGNS if (folder / "random" / name).is_dir()]
    columns: dict[str, dict[str, str]] = {}
    for campaign in campaigns:
        for direction, (found, own) in directions(folder, campaign).items():
            told = student_t_interval(own.reward)
            cells = {"on-policy": f"**{_percent(told.mean)}** {_span(told.low, told.high)}"}
            for row in found.table:
                missed = "" if row.low <= told.mean <= row.high else " ✗"
                cells[row.estimator] = f"{_percent(row.value)} {_span(row.low, row.high)}{missed}"
            columns[f"{campaign}: {direction}"] = cells
            if pictures is not None:
                found.plot().save(pictures / f"{campaign}-{direction.split()[0]}.svg")
    names = max(columns.values(), key=len)
    lines = [f"| clicks, % | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    lines += [f"| {name} | {' | '.join(cells.get(name, '–') for cells in columns.values())} |" for name in names]
    sys.stdout.write("\n".join(lines) + "\n")


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _span(low: float, high: float) -> str:
    return f"[{_percent(low)}, {_percent(high)}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
