from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.distillation import clone_policy, distil_reward_model
from tasks.opl.objectives import cross_entropy, entropy
from tasks.opl.outputs import AdditiveOutputs
from tasks.opl.policies import EpsilonGreedyPolicy, SoftmaxPolicy
from tasks.opl.problem import FeatureTensors, Policy, RoundTensors, generators
from tasks.opl.regression import RewardModel

N, N_ACTIONS = 500, 4
G = torch.Generator().manual_seed(0)
CONTEXTS = torch.randn(N, 3, generator=G)
ACTIONS = AdditiveOutputs(torch.randn(N_ACTIONS, 3, generator=G))
OUTPUTS = AdditiveOutputs(ACTIONS.of_action, 0.5 * CONTEXTS, torch.full((3,), 0.3))
FEATURES = FeatureTensors(CONTEXTS, ACTIONS, OUTPUTS)
TRAIN, VAL = torch.arange(N).tensor_split([400])


class Truth(RewardModel):
    """f(x, o) = x . o."""

    def predict(self, context: Tensor) -> Tensor:
        return self.features.outputs.weighted(context, self.features.context[context])

    def of_rounds(self, rounds: RoundTensors) -> Tensor:
        return (self.features.context[rounds.context] * rounds.output).sum(dim=1)


TEACHER = Truth(FEATURES, "outputs", 1.0)


def config(**values: object) -> LearnConfig:
    brief = {"n_steps": 400, "regression_steps": 600, "learning_rate": 0.01, "eval_every": 20}
    return LearnConfig.model_validate({"method": "greedy", **brief, **values})


@pytest.mark.parametrize("teacher", [SoftmaxPolicy(TEACHER, 1.0), EpsilonGreedyPolicy(TEACHER, 0.2)])
def test_a_clone_acts_as_its_teacher_on_contexts_it_never_saw(teacher: Policy) -> None:
    fit = clone_policy(teacher, FEATURES, TRAIN, VAL, config(), generators(0))
    ours, theirs = (policy.log_dist(FEATURES, VAL).detach() for policy in (fit.policy, teacher))
    uniform = cross_entropy(torch.full_like(ours, 1 / N_ACTIONS).log(), theirs.exp())
    least, found = entropy(theirs), cross_entropy(ours, theirs.exp())
    assert float(found - least) < 0.25 * float(uniform - least)
    selected = next(point for point in fit.history.points if point.step == fit.history.best_step)
    assert selected.val_loss == pytest.approx(float(found), rel=1e-4)


def test_a_teacher_is_left_as_it_was() -> None:
    student = clone_policy(SoftmaxPolicy(TEACHER), FEATURES, TRAIN, VAL, config(n_steps=20), generators(0)).policy
    before = {name: value.clone() for name, value in student.state_dict().items()}
    clone_policy(SoftmaxPolicy(student, 2.0), FEATURES, TRAIN, VAL, config(n_steps=20), generators(1))
    assert all(torch.equal(before[name], value) for name, value in student.state_dict().items())


def test_cloning_refuses_a_divergence_from_no_one() -> None:
    with pytest.raises(TaskError, match="kl: it is 0.5, but cloning knows no logging policy"):
        clone_policy(SoftmaxPolicy(TEACHER), FEATURES, TRAIN, VAL, config(kl=0.5), generators(0))


@pytest.mark.parametrize("gradient", ["exact", "sampled"])
def test_a_student_of_actions_learns_what_a_teacher_of_outputs_knows(gradient: str) -> None:
    student = distil_reward_model(
        TEACHER, FEATURES, TRAIN.repeat(4), VAL.repeat(4), config(gradient=gradient), generators(0)
    )
    assert student.basis == "actions"
    predicted, truth = student.predict(VAL).flatten(), TEACHER.predict(VAL).flatten()
    assert float(torch.corrcoef(torch.stack([predicted, truth]))[0, 1]) > 0.95
    best = student.predict(VAL).argmax(dim=1) == TEACHER.predict(VAL).argmax(dim=1)
    assert float(best.float().mean()) > 0.8
