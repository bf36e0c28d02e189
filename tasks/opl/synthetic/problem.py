"""One run's environment and log, and what its learners may see of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.opl.environment import SyntheticEnvironment
from harness.opl.interface import LoggedData, Policy, sample_logged_data
from store.seeds import stream
from tasks.opl.config import LearnConfig
from tasks.opl.outputs import AdditiveOutputs
from tasks.opl.policies import SoftmaxPolicy
from tasks.opl.problem import (
    FeatureTensors,
    LoggedProblem,
    OnlineProblem,
    RoundTensors,
    generators,
    hold_out_users,
)
from tasks.opl.regression import fit_reward_model
from tasks.opl.synthetic.config import RunConfig
from tasks.opl.synthetic.draw import draw_run_environment

Doubles = NDArray[np.float64]
_UNIFORM_ROUNDS = 10_000  # that the published logging policy is fitted to


@dataclass(frozen=True)
class Run:
    """What a run draws before anything learns. Contexts are known by their row in one table: logged ones first.

    Attributes:
        config: the run's.
        environment: the truth.
        log: the rounds, with the logged contexts.
        pi_0: the logging policy.
        online: contexts for the online learner `(n_online, dim)`.
        test: contexts that policies are scored on `(n_test, dim)`.
    """

    config: RunConfig
    environment: SyntheticEnvironment
    log: LoggedData[Doubles]
    pi_0: Policy[Doubles]
    online: Doubles
    test: Doubles
    problems: dict[tuple[float, int, bool], LoggedProblem] = field(default_factory=dict, repr=False)

    @property
    def n_rounds(self) -> int:
        """Logged rounds."""
        return len(self.log.contexts)

    @cached_property
    def features(self) -> FeatureTensors:
        """What learners see of the logged contexts, then the online ones, then the test ones."""
        return features_of(self.environment, np.concatenate([self.log.contexts, self.online, self.test]))

    @property
    def test_ids(self) -> Tensor:
        """Rows of the test contexts."""
        first = self.n_rounds + len(self.online)
        return torch.arange(first, first + len(self.test))

    def problem(self, config: LearnConfig) -> LoggedProblem:
        """What an off-policy learner sees: one problem, with what learners share, for each split that is asked for."""
        key = config.val_ratio, config.seed, config.selects_nothing
        if key not in self.problems:
            self.problems[key] = logged_problem_of(self.features, self.log, self.pi_0, config)
        return self.problems[key]

    def online_problem(self, config: LearnConfig) -> OnlineProblem:
        """What the online learner sees: the true expected rewards of contexts of its own."""
        rows = [torch.from_numpy(part) for part in hold_out_users(np.arange(len(self.online)), config)]
        train, val = (part + self.n_rounds for part in rows)

        def reward(ids: Tensor) -> Tensor:
            contexts = self.online[ids.numpy() - self.n_rounds]
            return torch.from_numpy(self.environment.expected_rewards(contexts)).float()

        return OnlineProblem(self.features, train, val, reward, self.environment.settings.reward_std)


def draw_run(config: RunConfig) -> Run:
    """Draws a run, each part from a stream of its own: another number of rounds leaves the test contexts as they are."""
    environment = draw_run_environment(config)
    pi_0 = environment.logging_policy if config.logging == "environment" else network_policy(environment, config)
    log = sample_logged_data(environment, pi_0, config.n_rounds, stream(config.seed, "logging"))
    online = environment.sample_contexts(config.n_online_contexts, stream(config.seed, "online"))
    test = environment.sample_contexts(config.n_contexts, stream(config.seed, "evaluation"))
    return Run(config, environment, log, pi_0, online, test)


def logged_problem_of(
    features: FeatureTensors, log: LoggedData[Doubles], pi_0: Policy[Doubles], config: LearnConfig
) -> LoggedProblem:
    """What an off-policy learner sees of a log, whose contexts are the first of the features'."""
    rounds = rounds_of(log)
    train, val = (torch.from_numpy(rows) for rows in hold_out_users(np.arange(len(rounds)), config))
    return LoggedProblem(features, rounds.take(train), rounds.take(val), torch.from_numpy(pi_0(log.contexts)).float())


def features_of(environment: SyntheticEnvironment, contexts: Doubles) -> FeatureTensors:
    """What learners see of contexts `(n, dim)`, of the actions, and of their outputs."""
    of_context, of_action, std = (
        _single(environment.observed_outputs(outputs))
        for outputs in (
            environment.query_outputs(contexts),
            environment.action_outputs,
            environment.output_std[None],
        )
    )
    outputs = AdditiveOutputs(of_action, of_context, std[0])
    actions = AdditiveOutputs(_single(environment.action_embeddings))
    return FeatureTensors(_single(environment.features(contexts)), actions, outputs)


def rounds_of(log: LoggedData[Doubles]) -> RoundTensors:
    """Logged rounds, the context of round i being i."""
    feedback = log.feedback
    output = feedback.output
    assert output is not None  # environments log what actions bring forth
    reward, pscore, seen = (_single(column) for column in (feedback.reward, feedback.pscore, output))
    action = torch.from_numpy(feedback.action.copy())
    return RoundTensors(torch.arange(len(action)), action, reward, pscore, seen)


def network_policy(environment: SyntheticEnvironment, config: RunConfig) -> Policy[Doubles]:
    """softmax(beta q(x, a)), q a reward network fitted to uniform rounds as published."""
    n_actions = environment.n_actions
    schedule = {"published": True, "regression_steps": config.logging_steps, "seed": config.seed}
    learnt = LearnConfig.model_validate({"method": "greedy", **schedule})

    def uniform(contexts: Doubles) -> Doubles:
        return np.full((len(contexts), n_actions), 1 / n_actions)

    log = sample_logged_data(environment, uniform, _UNIFORM_ROUNDS, stream(config.seed, "logging/uniform"))
    problem = logged_problem_of(features_of(environment, log.contexts), log, uniform, learnt)
    model = fit_reward_model(
        problem.features, "actions", problem.train, problem.val, learnt, generators(config.seed), "logging"
    )

    softened = SoftmaxPolicy(model, environment.settings.beta)

    def pi_0(contexts: Doubles) -> Doubles:
        logits = softened.logits(features_of(environment, contexts), torch.arange(len(contexts)))
        return torch.softmax(logits.double(), dim=1).numpy()

    return pi_0


def _single(array: Doubles) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float32))
