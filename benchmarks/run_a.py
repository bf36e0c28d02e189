"""The published learners on a small environment, beside the figures that the published code gave: `python -m benchmarks.run_a`.

Run A has 100 actions, 2000 logged rounds and the published defects: seeds give the very environments of the published code.
Its logs, first weights and draws are its own, so that only means can agree. Schedules are the published ones, shortened:
20,000 steps of each regression, 10,000 of the density, 4000 of each policy, all of 32. Ours are exact values on 50,000 fresh
contexts; the published code evaluates on sampled rewards in contexts a fifth of which were logged.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping

import numpy as np
import torch

from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.interface import LoggedData, Policy, sample_logged_data
from tasks.opl.config import LearnConfig
from tasks.opl.learners import LEARNERS, online
from tasks.opl.problem import FeatureTensors, Fit, LoggedProblem, OnlineProblem, generators
from tasks.opl.regression import fit_reward_model, shared_reward_model
from tasks.opl.synthetic.problem import Doubles, features_of, rounds_of

SCHEDULE = {"published": True, "regression_steps": 20_000, "n_steps": 4000, "eval_every": 4000}
N_UNIFORM, N_LOGGED, N_TRAINED, N_ONLINE, N_TEST = 10_000, 2000, 1600, 50_000, 50_000
REFERENCE = {
    "logging": (-0.0955, -0.0638, 0.0179),
    "uniform": (-0.1156, -0.0899, -0.0095),
    "optimal": (0.5399, 0.5716, 0.4710),
    "greedy": (-0.0146, -0.0122, 0.0923),
    "online": (0.4103, 0.3901, 0.3219),
    "direct_method": (0.0216, -0.0927, 0.1050),
    "ips": (0.1663, 0.1127, 0.1255),
    "doubly_robust": (0.1082, 0.1152, 0.1422),
    "dso": (0.1565, 0.1152, 0.1521),
    "potec": (0.0051, 0.0225, 0.0410),
}
"""Values by environment seed 0, 1, 2, each of one log and one training."""


def values(seed: int, repeat: int) -> Mapping[str, float]:
    """Exact values in the environment of a seed, under one log and one training."""
    environment = draw_environment(seed, Sizes(n_actions=100), compat=True)
    rng = np.random.default_rng([seed, repeat])
    pi_0 = logging_policy(environment, repeat, rng)
    log = sample_logged_data(environment, pi_0, N_LOGGED, rng)
    pool, test = environment.sample_contexts(N_ONLINE, rng), environment.sample_contexts(N_TEST, rng)
    rewards = environment.expected_rewards(test)
    found = {
        "logging": float((pi_0(test) * rewards).sum(axis=1).mean()),
        "uniform": float(rewards.mean()),
        "optimal": float(rewards.max(axis=1).mean()),
    }
    features = features_of(environment, np.concatenate([log.contexts, test, pool]))
    for name, fit in learnt(environment, pi_0, log, features, repeat):
        found[name] = value(fit, features, rewards)
    return found


def logging_policy(environment: SyntheticEnvironment, repeat: int, rng: np.random.Generator) -> Policy[Doubles]:
    """softmax(q(x, a)), q the published reward network, fitted to four fifths of the uniform rounds."""

    def uniform(contexts: Doubles) -> Doubles:
        return np.full((len(contexts), environment.n_actions), 1 / environment.n_actions)

    log = sample_logged_data(environment, uniform, N_UNIFORM, rng)
    rounds, features = rounds_of(log), features_of(environment, log.contexts)
    train, val = torch.split(torch.arange(N_UNIFORM), [N_UNIFORM * 4 // 5, N_UNIFORM // 5])
    config = schedule("greedy", repeat)
    model = fit_reward_model(
        features, "actions", rounds.take(train), rounds.take(val), config, generators(repeat), "logging"
    )

    def pi_0(contexts: Doubles) -> Doubles:
        scores = model.over(features_of(environment, contexts)).predict(torch.arange(len(contexts)))
        return torch.softmax(scores.double(), dim=1).numpy()

    return pi_0


def learnt(
    environment: SyntheticEnvironment,
    pi_0: Policy[Doubles],
    log: LoggedData[Doubles],
    features: FeatureTensors,
    repeat: int,
) -> Iterator[tuple[str, Fit]]:
    """Every learner's fit. Features are of the logged contexts, the test contexts and the online pool, in this order."""
    first = N_LOGGED + N_TEST
    table = torch.from_numpy(environment.expected_rewards(features.context[first:].double().numpy())).float()
    pool = OnlineProblem(
        features,
        torch.arange(first, first + N_ONLINE - 100),
        torch.arange(first + N_ONLINE - 100, first + N_ONLINE),
        lambda ids: table[ids - first],
        environment.settings.reward_std,
    )
    problem = published_problem(pi_0, log, features, repeat)
    yield "online", online.learn(pool, schedule("online", repeat), generators(repeat), None)
    for method in LEARNERS.keys() & REFERENCE.keys():
        yield method, LEARNERS[method](problem, schedule(method, repeat), generators(repeat), None)


def schedule(method: str, repeat: int) -> LearnConfig:
    """Run A's, of a learner."""
    return LearnConfig.model_validate({**SCHEDULE, "method": method, "seed": repeat})


def published_problem(
    pi_0: Policy[Doubles], log: LoggedData[Doubles], features: FeatureTensors, repeat: int
) -> LoggedProblem:
    """Policies are learnt from all rounds, with rewards regressed on four fifths of them, and nothing is held out."""
    rounds, logging = rounds_of(log), torch.from_numpy(pi_0(log.contexts)).float()
    train, val = (rounds.take(rows) for rows in torch.split(torch.arange(N_LOGGED), [N_TRAINED, N_LOGGED - N_TRAINED]))
    parted, whole = LoggedProblem(features, train, val, logging), LoggedProblem(features, rounds, val, logging)
    config = schedule("greedy", repeat)
    shared_reward_model(parted, "actions", config, generators(repeat))
    whole.memo.update(parted.memo)
    return whole


def value(fit: Fit, features: FeatureTensors, rewards: Doubles) -> float:
    """The policy's, on the test contexts."""
    with torch.inference_mode():
        ids = torch.split(torch.arange(N_LOGGED, N_LOGGED + N_TEST), 2048)
        action_dist = torch.cat([fit.policy.log_dist(features, part).exp() for part in ids])
    return float((action_dist.double().numpy() * rewards).sum(axis=1).mean())


def table(ours: Mapping[str, Doubles], seeds: list[int]) -> str:
    """Markdown: by method and seed ours and the published; means; their difference in standard errors of two kinds."""
    lines = [
        "| method | " + " | ".join(f"seed {seed}: ours, published" for seed in seeds) + " | mean: ours, published "
        "| difference | in se of the published mean | in se of the difference |",
        "|---" * (len(seeds) + 5) + "|",
    ]
    for method, found in ours.items():
        published = np.array(REFERENCE[method])[seeds]
        pairs = [*zip(found, published, strict=True), (found.mean(), published.mean())]
        difference = found.mean() - published.mean()
        errors = [standard_error(published), standard_error(found - published)]
        cells = [f"{a:.4f}, {b:.4f}" for a, b in pairs] + [f"{difference:+.4f}"]
        cells += [f"{difference / error:+.1f}" for error in errors]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def standard_error(sample: Doubles) -> float:
    """Of the mean."""
    return float(sample.std(ddof=1) / len(sample) ** 0.5) if len(sample) > 1 else float("nan")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], choices=[0, 1, 2])
    parser.add_argument("--repeats", type=int, default=1, help="logs and trainings to average over")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the networks are small
    started = time.process_time()
    runs = [[values(seed, repeat) for repeat in range(arguments.repeats)] for seed in arguments.seeds]
    ours = {
        method: np.array([np.mean([found[method] for found in repeats]) for repeats in runs]) for method in REFERENCE
    }
    print(table(ours, arguments.seeds))
    print(f"\n{arguments.repeats} repeats, {time.process_time() - started:.0f} s of one core")


if __name__ == "__main__":
    main()
