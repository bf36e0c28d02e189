"""One run of the benchmark: draws an environment and a log, learns by every method, writes golds and predictions."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor

from harness import write_envelope
from store import Attempt
from tasks.api import Context, Metrics, Progress
from tasks.opl.config import LearnConfig
from tasks.opl.learn import deficient_support
from tasks.opl.learners import LEARNERS, online
from tasks.opl.predict import ABOUT_FILE, GOLDS_FILE, Predictions, as_table, encode
from tasks.opl.problem import Fit, generators
from tasks.opl.synthetic.config import RunConfig
from tasks.opl.synthetic.problem import Doubles, Run, draw_run
from tasks.training.device import prepare_torch

TASK = "opl_synthetic"
CURVES_FILE = "curves.json"
TIMES_FILE = "aux/seconds.json"
_PIECE = 2048


@dataclass(frozen=True)
class Inputs:
    """Nothing is read: environment and log are drawn."""


def run(config: RunConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes golds.zip, a zip of predictions for uniform, logging, optimal and every learner, about.json and curves.json.

    Each learner's result is kept in the scratch directory as soon as it is there: a run that was killed goes on with the next.
    The networks are small: they run on one thread of the processor, beside other runs.

    Raises:
        TaskError: a learner cannot learn from such a log; names it.
        HarnessError: the environment's settings do not fit each other.
    """
    prepare_torch(ctx.runtime, small=True)
    drawn = draw_run(config)
    rewards = drawn.environment.expected_rewards(drawn.test)
    learnt: dict[str, Learnt] = {}
    with ctx.progress(f"learners, seed {config.seed}", len(config.learners)) as advance:
        for name in config.learners:
            learnt[name] = _kept(ctx, name) or _keep(ctx, name, learn(drawn, config.learner(name), rewards))
            advance(1)
    _write_golds(drawn, out)
    policies = _references(drawn, rewards) | {name: encode(found.action_dist) for name, found in learnt.items()}
    for name, predictions in policies.items():
        items = ({"id": str(row), "output": output} for row, output in enumerate(predictions.outputs))
        table = predictions.action_dist
        write_envelope(out.path(f"{name}.zip"), TASK, items, None if table is None else {"action_dist": table})
    out.write_json(ABOUT_FILE, {"policies": list(policies)})
    out.write_json(CURVES_FILE, {name: found.told for name, found in learnt.items()})
    out.write_json(TIMES_FILE, {name: found.seconds for name, found in learnt.items()})
    values = {name: _value(found.action_dist, rewards) for name, found in learnt.items()}
    return {
        "optimal_value": float(rewards.max(axis=1).mean()),
        "uniform_value": float(rewards.mean()),
        **{f"value_{name}": value for name, value in values.items()},
    }


@dataclass(frozen=True)
class Learnt:
    """What is kept of a learner.

    Attributes:
        action_dist: pi(a|x) of the test contexts `(n_test, n_actions)`, single precision.
        told: the selected step, figures, and the points of its curve.
        seconds: processor time.
    """

    action_dist: Doubles
    told: dict[str, object]
    seconds: float


def learn(drawn: Run, config: LearnConfig, rewards: Doubles, advance: Progress | None = None) -> Learnt:
    """Learns by one method, and judges every point of its curve exactly on the test contexts; that selects nothing.

    Args:
        drawn: the run.
        config: the learner.
        rewards: E[r|x, a] of the test contexts `(n_test, n_actions)`.
        advance: called with the steps done.
    """
    started = time.process_time()
    streams = generators(config.seed)
    if config.method == "online":
        fit = online.learn(drawn.online_problem(config), config, streams, advance)
    else:
        fit = LEARNERS[config.method](drawn.problem(config), config, streams, advance)
    seconds = time.process_time() - started
    truth = torch.from_numpy(rewards)
    selected = {name: value.clone() for name, value in fit.policy.state_dict().items()}
    points = []
    for point in (point for point in fit.history.points if point.step in fit.history.states):
        fit.policy.load_state_dict(fit.history.states[point.step])
        value = float((_dist(fit, drawn).double() * truth).sum(dim=1).mean())
        points.append({"step": point.step, "estimate": _finite(-point.val_loss), "value": value})
    fit.policy.load_state_dict(selected)
    action_dist = _dist(fit, drawn).numpy()
    told: dict[str, object] = {
        "method": config.method,
        "selected_step": fit.history.best_step,
        "notes": fit.notes | {"deficient_support": deficient_support(action_dist, drawn.pi_0(drawn.test))},
        "points": points,
    }
    return Learnt(action_dist, told, seconds)


def _dist(fit: Fit, drawn: Run) -> Tensor:
    """pi(a|x) of the test contexts."""
    with torch.inference_mode():
        parts = torch.split(drawn.test_ids, _PIECE)
        return torch.cat([fit.policy.log_dist(drawn.features, part).exp() for part in parts])


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _value(action_dist: Doubles, rewards: Doubles) -> float:
    return float((action_dist * rewards).sum(axis=1).mean())


def _references(drawn: Run, rewards: Doubles) -> dict[str, Predictions]:
    n_test = len(rewards)
    return {
        "uniform": Predictions([{"actions": [], "probs": [], "rest": 1.0}] * n_test),
        "logging": as_table(drawn.pi_0(drawn.test).astype(np.float32)),
        "optimal": Predictions([int(action) for action in rewards.argmax(axis=1)]),
    }


def _write_golds(drawn: Run, out: Attempt) -> None:
    arrays, settings = drawn.environment.to_golds()
    items = ({"id": str(row), "output": row} for row in range(len(drawn.test)))
    write_envelope(out.path(GOLDS_FILE), TASK, items, {"contexts": drawn.test, **arrays}, settings)


def _kept(ctx: Context, name: str) -> Learnt | None:
    """What an earlier attempt at this run has learnt by a method."""
    path = ctx.scratch / f"{name}.json"
    if not path.exists():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    action_dist = load_file(ctx.scratch / f"{name}.safetensors")["action_dist"]
    return Learnt(action_dist, told["told"], told["seconds"])


def _keep(ctx: Context, name: str, learnt: Learnt) -> Learnt:
    """Keeps a learner's result: the JSON comes last and at once, so that what is there is whole."""
    save_file({"action_dist": np.ascontiguousarray(learnt.action_dist)}, ctx.scratch / f"{name}.safetensors")
    aside = ctx.scratch / f"{name}.json.part"
    aside.write_text(json.dumps({"told": learnt.told, "seconds": learnt.seconds}), encoding="utf-8")
    os.replace(aside, ctx.scratch / f"{name}.json")
    return learnt
