"""Writes the golds of the held-out contexts and every policy's predictions, one zip each, as the harness scores them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from harness import write_envelope
from store import Artifact, Attempt
from tasks.api import Context, Metrics, TaskError
from tasks.opl.config import PredictConfig
from tasks.opl.env import LanguageEnvironment
from tasks.opl.labels import LOGGING, OPTIMAL, REFERENCES, UNIFORM, in_order
from tasks.opl.rounds import check_action_dist
from tasks.opl.tables import Floats, Ints

TASK = "opl_policy"
GOLDS_FILE, ABOUT_FILE = "golds.zip", "about.json"
_UNITS = 1_000_000  # probabilities in JSON have six decimals
_NUMBER, _ACTION, _BRACES, _POINTER = (
    9,
    4,
    34,
    13,
)  # bytes of "0.041667,", of "123,", of the sparse form's keys, of {"row":123}


@dataclass(frozen=True)
class Inputs:
    """The true rewards, the logging policy's distribution, and the learned policies."""

    environment: Artifact
    log: Artifact
    policies: list[Artifact]


@dataclass(frozen=True)
class Predictions:
    """A policy as the harness reads it: one output a context, and the table that `{"row": n}` outputs point into."""

    outputs: list[object]
    action_dist: Floats | None = None


def run(config: PredictConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes golds.zip, a zip for uniform, logging, every learned policy and optimal, and about.json, which names them.

    Raises:
        TaskError: two policies by one method, a method with a reserved name, or a policy of another environment.
    """
    environment = LanguageEnvironment.read(inputs.environment)
    learned = by_method(inputs.policies)
    test = environment.contexts("test")
    rewards = environment.expected_rewards("test")
    logging = distribution(inputs.log, "logging.safetensors", environment)[test]
    golds = [
        {"id": str(context), "user_id": str(environment.user[context]), "output": row}
        for row, context in enumerate(test)
    ]
    write_envelope(out.path(GOLDS_FILE), TASK, golds, {"rewards": rewards, "logging": logging})
    names = in_order([*REFERENCES, *learned])
    with ctx.progress("predictions", len(names)) as advance:
        for name, predictions in _all(environment, test, logging, learned):
            items = [
                {"id": str(context), "output": output}
                for context, output in zip(test, predictions.outputs, strict=True)
            ]
            table = predictions.action_dist
            write_envelope(out.path(f"{name}.zip"), TASK, items, None if table is None else {"action_dist": table})
            advance(1)
    about = {
        "policies": names,
        "n_contexts": len(test),
        "n_users": len(np.unique(environment.user[test])),
        "n_actions": environment.n_actions,
        "scale": inputs.environment.manifest.made_by.config.get("scale"),
    }
    out.write_json(ABOUT_FILE, about)
    sizes = {"n_contexts": len(test), "n_actions": environment.n_actions, "n_policies": len(names)}
    return {key: float(value) for key, value in sizes.items()}


def by_method(policies: list[Artifact]) -> dict[str, Artifact]:
    """The learned policies by the last part of their names, `opl/policy/<method>`.

    Raises:
        TaskError: a method comes twice, or is called as one of the reference policies.
    """
    found: dict[str, Artifact] = {}
    for artifact in policies:
        method = artifact.name.rsplit("/", 1)[-1]
        if method in found:
            raise TaskError(f"policies: {artifact} and {found[method]} are both by {method}; give one of them")
        if method in (*REFERENCES, "golds"):
            raise TaskError(f"policies: {artifact} has a reserved name; call the method something else than {method}")
        found[method] = artifact
    return found


def distribution(artifact: Artifact, file: str, environment: LanguageEnvironment) -> Floats:
    """pi(a|x) of an artifact for all contexts `(n_contexts, n_actions)`.

    Raises:
        TaskError: it is missing, does not fit the environment, or is no distribution.
    """
    tensors: Mapping[str, NDArray[np.generic]] = load_file(artifact.path(file))
    if "action_dist" not in tensors:
        raise TaskError(f"{artifact}: {file} holds no action_dist but {', '.join(sorted(tensors))}; make it again")
    action_dist = np.ascontiguousarray(tensors["action_dist"], dtype=np.float64)
    try:
        check_action_dist(action_dist, environment.n_contexts, environment.n_actions)
    except TaskError as error:
        raise TaskError(f"{artifact}: {error}") from None
    return action_dist


def _all(
    environment: LanguageEnvironment, test: Ints, logging: Floats, learned: Mapping[str, Artifact]
) -> Iterator[tuple[str, Predictions]]:
    n, n_actions = len(test), environment.n_actions
    yield UNIFORM, Predictions([{"actions": [], "probs": [], "rest": 1.0}] * n)
    yield LOGGING, as_table(logging)  # the golds' own numbers, so that its improvement over itself is 0
    yield OPTIMAL, Predictions([int(action) for action in environment.expected_rewards("test").argmax(axis=1)])
    for method, artifact in learned.items():
        yield method, encode(distribution(artifact, "policy.safetensors", environment)[test].reshape(n, n_actions))


def as_table(action_dist: Floats) -> Predictions:
    """A policy `(n, n_actions)` as a table beside the JSON, every bit kept."""
    return Predictions([{"row": row} for row in range(len(action_dist))], action_dist)


def encode(action_dist: Floats) -> Predictions:
    """A policy `(n, n_actions)` in the smallest form that the harness reads.

    Action numbers where it is deterministic; else JSON, rounded to six decimals that sum to 1, row by row dense or sparse; or a
    table where that is smaller.
    """
    n, n_actions = action_dist.shape
    if bool((action_dist.max(axis=1) == 1.0).all()):
        return Predictions([int(action) for action in action_dist.argmax(axis=1)])
    units = rounded_units(action_dist)
    kept = (units > 0).sum(axis=1)
    dense_bytes, sparse_bytes = n_actions * _NUMBER, kept * (_NUMBER + _ACTION) + _BRACES
    if np.minimum(dense_bytes, sparse_bytes).sum() > n * (n_actions * action_dist.itemsize + _POINTER):
        return as_table(action_dist)
    sparse = sparse_bytes < dense_bytes
    return Predictions([_sparse(row) if few else _dense(row) for row, few in zip(units, sparse, strict=True)])


def rounded_units(action_dist: Floats) -> Ints:
    """Probabilities `(n, n_actions)` in millionths, each row's sum exactly a million (largest remainders rounded up)."""
    scaled = action_dist / action_dist.sum(axis=1, keepdims=True) * _UNITS
    units = np.floor(scaled).astype(np.int64)
    lacking = _UNITS - units.sum(axis=1)
    rank = np.argsort(np.argsort(units - scaled, axis=1, kind="stable"), axis=1, kind="stable")
    rounded: Ints = units + (rank < lacking[:, None])
    return rounded


def _dense(units: Ints) -> list[float]:
    return [int(unit) / _UNITS for unit in units]


def _sparse(units: Ints) -> dict[str, object]:
    actions = np.flatnonzero(units)
    return {"actions": actions.tolist(), "probs": _dense(units[actions]), "rest": 0.0}
