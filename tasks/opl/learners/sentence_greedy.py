"""The greedy policy of a reward model on sentences: the prompt whose sentence is predicted to please most."""

from __future__ import annotations

from tasks.api import Progress
from tasks.opl.config import LearnConfig
from tasks.opl.learners.greedy import learn_greedily
from tasks.opl.problem import Fit, Generators, LoggedProblem


def learn(problem: LoggedProblem, config: LearnConfig, generators: Generators, advance: Progress | None) -> Fit:
    """a(x) = argmax_a E_{s ~ p(s|q, a)}[f(x, s)], f a regression of r on (x, sentence).

    It asks the generator about every action of a context, where a policy network asks nothing: use it where generation is
    cheap or tabulated.
    """
    return learn_greedily(problem, "outputs", config, generators)
