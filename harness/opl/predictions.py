"""The forms of a predicted policy: an action, all probabilities, a sparse map, or a row of a table beside the JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.envelope import Envelope
from harness.errors import SubmissionError
from harness.opl.distribution import TOLERANCE, distribution_fault
from harness.opl.quoted import quoted

if TYPE_CHECKING:
    from harness.registry import FloatArray

FORMS = 'an action number, a list of probabilities, {"actions": [...], "probs": [...], "rest": p} or {"row": n}'


def action_dist(predictions: Envelope, block: slice, n_actions: int) -> FloatArray:
    """The predicted distributions of a block of contexts, `(block, n_actions)`; raises `SubmissionError`."""
    ids, outputs = predictions.ids[block], predictions.outputs[block]
    table = predictions.arrays.get("action_dist")
    dense = np.zeros((len(ids), n_actions))
    for row, name, output in zip(dense, ids, outputs, strict=True):
        if fault := _fill(row, output, table):
            raise SubmissionError(f"{predictions.where}: id {name!r}: {fault}")
    if wrong := distribution_fault(dense):
        raise SubmissionError(f"{predictions.where}: id {ids[wrong[0]]!r}: the policy {wrong[1]}")
    return dense


def _fill(row: FloatArray, output: object, table: FloatArray | None) -> str | None:
    """Write one prediction into its zeroed row `(n_actions,)`; what is wrong with it, or None."""
    if type(output) is int:
        if not 0 <= output < len(row):
            return f"action {quoted(output)} is not one of 0 to {len(row) - 1}"
        row[output] = 1.0
        return None
    if isinstance(output, list):
        if len(output) != len(row):
            return f"{len(output)} probabilities are given but the golds have {len(row)} actions"
        return _assign(row, slice(None), output)
    if isinstance(output, dict) and set(output) == {"actions", "probs", "rest"}:
        return _fill_sparse(row, output["actions"], output["probs"], output["rest"])
    if isinstance(output, dict) and set(output) == {"row"}:
        return _fill_from_table(row, output["row"], table)
    return f"output must be {FORMS}"


def _fill_sparse(row: FloatArray, actions: object, probs: object, rest: object) -> str | None:
    if not isinstance(actions, list) or not isinstance(probs, list) or len(actions) != len(probs):
        return '"actions" and "probs" must be lists of one length'
    if actions and (set(map(type, actions)) != {int} or not 0 <= min(actions) <= max(actions) < len(row)):
        return f'"actions" must be action numbers from 0 to {len(row) - 1}'
    if len(set(actions)) != len(actions):
        return '"actions" names an action twice'
    if isinstance(rest, bool) or not isinstance(rest, int | float) or not 0 <= rest <= 1 + TOLERANCE:
        return f'"rest" must be a probability from 0 to 1, not {quoted(rest)}'
    unnamed = len(row) - len(actions)
    if not unnamed and rest > TOLERANCE:
        return f'"rest" is {quoted(rest)} but every action is named; make it 0'
    row[:] = rest / max(1, unnamed)
    return _assign(row, actions, probs)


def _fill_from_table(row: FloatArray, number: object, table: FloatArray | None) -> str | None:
    if table is None:
        return '"row" points into <task>.action_dist.npy, which is not beside the JSON'
    if table.shape[1] != len(row):
        return f"action_dist is {table.shape} but the golds have {len(row)} actions"
    if type(number) is not int or not 0 <= number < len(table):
        return f'"row" must be a row number from 0 to {len(table) - 1}, not {quoted(number)}'
    row[:] = table[number]
    return None


def _assign(row: FloatArray, where: slice | list[int], probs: list[object]) -> str | None:
    if not set(map(type, probs)) <= {int, float}:  # numpy would take "0.5" and true for numbers
        return "probabilities must be numbers"
    try:
        row[where] = np.array(probs, dtype=np.float64)
    except OverflowError:
        return "a probability is too large for a float"
    return None
