"""Off-policy learning at the paper's default size: expected rewards, a density step, a policy step, a whole seed.

The peers do what the published code does: expected rewards from ten draws an action in a loop over actions; a density step
that samples the logging policy anew by a loop over actions; a policy step that draws by a hard Gumbel softmax. They are ours,
written for this comparison. All on one thread: the networks are too small for more to help a busy machine.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from harness.opl.drawing import draw_environment
from tasks.opl.ascent import new_policy
from tasks.opl.config import LearnConfig
from tasks.opl.density import LoggedActions, fit_density
from tasks.opl.kernels import output_kernel
from tasks.opl.networks import RewardNetwork
from tasks.opl.objectives import expected_loss
from tasks.opl.problem import generators
from tasks.opl.synthetic.config import RunConfig
from tasks.opl.synthetic.problem import draw_run
from tasks.opl.synthetic.run import learn
from tasks.training.loop import batches

LEARNERS = ("online", "greedy", "direct_method", "ips", "doubly_robust", "potec", "dso")
N_ROWS = 200  # of the peer's expected rewards, scaled up
REFERENCE = "the published code's whole seed: about 1,000 CPU s on another machine"


def rows() -> list[dict[str, object]]:
    """Every measure."""
    torch.set_num_threads(1)
    return [expected_rewards(), policy_step(), density_step(), *whole_seed(), *growth()]


def timed(work: Callable[[], object], times: int = 1, clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of one call, the mean of so many; the processor's by default."""
    started = clock()
    for _ in range(times):
        work()
    return (clock() - started) / times


def default_run(**values: object) -> RunConfig:
    """The paper's default setting, with the schedule of the preset `small`."""
    learners = {name: {"method": name, "n_steps": 2000, "patience": 10} for name in LEARNERS}
    return RunConfig.model_validate({"compat": True, "learners": learners, **values})


def row(size: str, ours: float, peer: str | None, peer_s: float | None, note: str = "") -> dict[str, object]:
    """A row of the table; seconds are the processor's."""
    return {
        "job": "learning",
        "size": size,
        "ours_s": ours,
        "peer": peer,
        "peer_s": peer_s,
        "ratio": None if peer_s is None else peer_s / ours,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "note": note,
    }


def expected_rewards() -> dict[str, object]:
    """Closed form beside ten draws an action."""
    environment = draw_environment(0, compat=True)
    rng = np.random.default_rng(0)
    contexts = environment.sample_contexts(8000, rng)
    environment.expected_rewards(contexts[:100])
    ours = min(timed(lambda: environment.expected_rewards(contexts)) for _ in range(5))
    few = contexts[:N_ROWS]

    def by_draws() -> None:
        for action in range(environment.n_actions):
            chosen = np.full(len(few), action)
            for _ in range(10):
                outputs = environment.sample_outputs(few, chosen, rng)
                environment.expected_reward_given_output(few, chosen, outputs)

    peer = timed(by_draws) * len(contexts) / N_ROWS
    return row("expected rewards, 8,000 contexts x 1,000 actions", ours, "10 draws an action", peer, "exact here")


def policy_step() -> dict[str, object]:
    """An exact step of 256 contexts beside a sampled one."""
    drawn = draw_run(default_run(n_contexts=10, n_online_contexts=10))
    config = LearnConfig.model_validate({"method": "direct_method"})
    problem = drawn.problem(config)
    table = torch.randn(len(problem.train), problem.n_actions, generator=torch.Generator().manual_seed(0))
    seen = problem.train.context

    def stepper(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], None]:
        policy = new_policy(problem.features, seen, config, generators(0))
        optimizer = torch.optim.Adam(policy.parameters(), lr=1e-3, fused=True)
        dealt = batches(len(seen), 256, torch.Generator().manual_seed(0))

        def step() -> None:
            chosen = next(dealt)
            value = loss(policy.log_dist(problem.features, seen[chosen]), chosen)
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

        return step

    def exact(log_dist: Tensor, chosen: Tensor) -> Tensor:
        return expected_loss(log_dist, table[chosen])

    def gumbel(log_dist: Tensor, chosen: Tensor) -> Tensor:
        onehot = torch.nn.functional.gumbel_softmax(log_dist, hard=True).detach()
        return -((onehot * table[chosen]).sum(dim=1) * (onehot * log_dist).sum(dim=1)).mean()

    def per_step(loss: Callable[[Tensor, Tensor], Tensor], clock: Callable[[], float]) -> float:
        step = stepper(loss)
        timed(step, 20)
        return timed(step, 200, clock)

    ours, peer = per_step(exact, time.process_time), per_step(gumbel, time.process_time)
    torch.set_num_threads(2)
    both = per_step(exact, time.perf_counter)
    torch.set_num_threads(1)
    note = f"{1000 * both:.1f} ms by the clock on two threads"
    return row("one policy step, batch 256, 1,000 actions", ours, "one Gumbel draw", peer, note)


def density_step() -> dict[str, object]:
    """A training step of the density network beside one that samples the logging policy anew."""
    drawn = draw_run(default_run(n_contexts=10, n_online_contexts=10))
    config = LearnConfig.model_validate({"method": "dso", "published": True, "density_steps": 1000})
    problem = drawn.problem(config)
    kernel = output_kernel(problem, config, generators(0)("kernel"))
    actions = LoggedActions(problem.logging_dist("dso"))
    ours = timed(lambda: fit_density(problem, kernel, actions, config, generators(0)("density"))) / 1000
    generator = torch.Generator().manual_seed(0)
    rounds, vectors = problem.train, problem.features.actions.of_action
    context = problem.features.context
    network = RewardNetwork(context, vectors, rounds.reward, 100, generator)

    def sampled_twice() -> None:
        ids = rounds.context[:32]
        for _ in range(2):
            with torch.no_grad():
                scores = [network(context[ids], vector.expand(32, -1)) for vector in vectors]
                action = torch.multinomial(torch.softmax(torch.stack(scores, dim=1), dim=1), 1).squeeze(1)
            problem.features.outputs.sample(ids, action, generator)

    peer = timed(sampled_twice, 10) + ours
    return row("one density step, batch 32, 1,000 actions", ours, "policy sampled anew by a loop", peer)


def whole_seed() -> list[dict[str, object]]:
    """Every learner of the published comparison on one default seed, the fitted logging policy included."""
    started = time.process_time()
    drawn = draw_run(default_run(logging="network", logging_steps=10_000))
    rewards = drawn.environment.expected_rewards(drawn.test)
    seconds = {name: learn(drawn, drawn.config.learner(name), rewards).seconds for name in LEARNERS}
    total = time.process_time() - started
    told = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    return [row("one default seed, all published methods", total, None, None, f"{REFERENCE}; {told}")]


def growth() -> list[dict[str, object]]:
    """Cost against rounds and actions, and memory against steps: exact DSO, 500 steps unless said."""
    found = []
    for n_rounds, n_actions, n_steps in (
        (2000, 1000, 500),
        (8000, 1000, 500),
        (8000, 100, 500),
        (8000, 4000, 500),
        (8000, 1000, 2000),
    ):
        values = {"method": "dso", "n_steps": n_steps, "eval_every": 100, "patience": 1000}
        drawn = draw_run(default_run(n_rounds=n_rounds, n_actions=n_actions, n_contexts=100, n_online_contexts=10))
        config = LearnConfig.model_validate(values)
        rewards = drawn.environment.expected_rewards(drawn.test)
        seconds = learn(drawn, config, rewards).seconds
        found.append(
            row(f"exact DSO, {n_rounds:,} rounds, {n_actions:,} actions, {n_steps:,} steps", seconds, None, None)
        )
    return found
