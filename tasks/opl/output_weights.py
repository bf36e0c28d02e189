"""Importance weights of logged outputs: how much likelier an action brings forth something near than the logging policy does."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.density import logging_density
from tasks.opl.kernels import output_kernel
from tasks.opl.problem import Generators, LoggedProblem, RoundTensors

_CELLS = 1 << 18  # of a block of the table: it stays in the processor's cache


class OutputWeights:
    """w_ia = min(kappa_ia / f_i, clip), kappa_ia = E_{o' ~ p(.|x_i, a)}[K(o_i, o')], f_i = f(x_i, o_i) the density.

    With the exact density sum_a pi_0(a|x_i) w_ia is 1 where nothing is clipped.
    """

    def __init__(self, problem: LoggedProblem, config: LearnConfig, generators: Generators) -> None:
        """Args:
        problem: its outputs and its logging policy.
        config: kernel, density and clip.
        generators: streams of the run.

        Raises:
            TaskError: pi_0 was not logged.
        """
        self._config = config
        self._kernel = output_kernel(problem, config, generators("kernel"))
        self._density = logging_density(problem, self._kernel, config, generators)

    def table(self, rounds: RoundTensors) -> Tensor:
        """w_ia `(n_rounds, n_actions)`."""
        weights = rounds.reward.new_empty(len(rounds), self._kernel.outputs.n_actions)
        for rows, log_kernel, log_density in self._blocks(rounds):
            weights[rows] = (log_kernel - log_density[:, None]).exp().clamp_max(self._config.clip)
        return weights

    def log_density(self, rounds: RoundTensors) -> Tensor:
        """log f_i `(n_rounds,)`."""
        return torch.cat([log_density for _, _, log_density in self._blocks(rounds)])

    def sample(self, rounds: RoundTensors, log_density: Tensor, action: Tensor, generator: torch.Generator) -> Tensor:
        """min(K(o_i, o') / f_i, clip) of one o' ~ p(.|x_i, a_i) for each action, `(n_rounds,)`.

        Args:
            rounds: n of them.
            log_density: theirs `(n_rounds,)`.
            action: of the policy that is weighed `(n_rounds,)`.
            generator: draws the outputs and the kernel's noise.
        """
        output = self._kernel.outputs.sample(rounds.context, action, generator)
        weight = self._kernel.between(rounds.output, output, generator) / log_density.exp()
        return weight.clamp_max(self._config.clip)

    def _blocks(self, rounds: RoundTensors) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Rows, log kappa `(n, n_actions)` and log f `(n,)` of some rounds at a time."""
        step = max(1, _CELLS // self._kernel.outputs.n_actions)
        for start in range(0, len(rounds), step):
            rows = torch.arange(start, min(start + step, len(rounds)), device=rounds.context.device)
            part = rounds.take(rows)
            log_kernel = self._kernel.log_expected(part.context, part.output)
            log_density = self._density.log(part, log_kernel)
            if bool(log_density.isneginf().any()):
                row = start + int(log_density.isneginf().int().argmax())
                raise TaskError(
                    f"log: the output of round {row} is near nothing that the logging policy brings forth; "
                    f"raise bandwidth, now {self._kernel.bandwidth:.3g}, or density_draws where the density is drawn"
                )
            yield slice(start, start + step), log_kernel, log_density
