"""A made log of noisy outputs, small enough for plain loops."""

from __future__ import annotations

import torch

from tasks.opl.config import LearnConfig
from tasks.opl.outputs import AdditiveOutputs, Outputs, TabulatedOutputs
from tasks.opl.problem import FeatureTensors, LoggedProblem, RoundTensors

N_CONTEXTS, N_ACTIONS, DIM = 6, 5, 3


def config(**values: object) -> LearnConfig:
    return LearnConfig.model_validate({"method": "dso", "clip": 1e9, **values})


def additive(noise: float = 1.0, seed: int = 0) -> AdditiveOutputs:
    """Each coordinate's standard deviation is another one."""
    g = torch.Generator().manual_seed(seed)
    of_action, of_context = torch.randn(N_ACTIONS, DIM, generator=g), torch.randn(N_CONTEXTS, DIM, generator=g)
    return AdditiveOutputs(2 * of_action, of_context, noise * torch.tensor([0.5, 1.0, 2.0]))


def tabulated(seed: int = 0) -> TabulatedOutputs:
    g = torch.Generator().manual_seed(seed)
    return TabulatedOutputs(torch.randn(4, N_ACTIONS, DIM, generator=g), torch.arange(N_CONTEXTS) % 4)


def made_problem(outputs: Outputs, n_rounds: int = 200, *, explained: bool = False, seed: int = 1) -> LoggedProblem:
    """Rewards are x W o of contexts x, or, if they are not to be explained by it, with noise.

    The last fifth of the rounds are held out.
    """
    g = torch.Generator().manual_seed(seed)
    contexts, weight = torch.randn(N_CONTEXTS, 2, generator=g), torch.randn(2, DIM, generator=g)
    logging = torch.softmax(torch.randn(N_CONTEXTS, N_ACTIONS, generator=g), dim=1)
    context = torch.randint(N_CONTEXTS, (n_rounds,), generator=g)
    action = torch.multinomial(logging[context], 1, generator=g).squeeze(1)
    output = outputs.sample(context, action, g)
    reward = ((contexts[context] @ weight) * output).sum(dim=1)
    if not explained:
        reward = reward + torch.randn(n_rounds, generator=g)
    rounds = RoundTensors(context, action, reward, logging[context, action], output)
    features = FeatureTensors(contexts, AdditiveOutputs(torch.randn(N_ACTIONS, 2, generator=g)), outputs)
    train, val = torch.arange(n_rounds).tensor_split([n_rounds * 4 // 5])
    return LoggedProblem(features, rounds.take(train), rounds.take(val), logging)
