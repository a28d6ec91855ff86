"""Reading quantities off the models: from (r, lanes, models, P) tensors to per-node or per-twin numbers.

Lane 0 is the base run, the others its twins. All arithmetic is float64 and stays within one model, one network or one
pair, so that no number depends on which others are computed beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical.configuration import Run
from empirical.problems.base import Problem
from empirical.samples import Indices

_SLICE = 16


@dataclass(frozen=True)
class Context:
    """The problem in float64 on the device, and the signed sample weights (r, size) of R - R_S."""

    problem: Problem
    contrast: Tensor


def contrast(training: Indices, size: int) -> NDArray[np.float64]:
    """Weights (r, size) with sum_p weight_p l(w; z_p) = R(w) - R_S(w).

    R is the mean over the population, R_S the mean over all m*n entries of ``training`` (r, m, n).
    """
    flat = training.reshape(training.shape[0], -1)
    counts = np.stack([np.bincount(row, minlength=size) for row in flat])
    return 1.0 / size - counts / flat.shape[1]


def _network_mean(models: Tensor) -> Tensor:
    """Mean over the models' axis (second to last), added up in one fixed order."""
    total = models[..., 0, :].clone()
    for k in range(1, models.shape[-2]):
        total += models[..., k, :]
    return total / models.shape[-2]


def _gaps(context: Context, models: Tensor) -> Tensor:
    """R(x) - R_S(x) of each model of (r, k, P); (r, k)."""
    r, k, width = models.shape
    flat = models.reshape(-1, width)
    weights = context.contrast.repeat_interleave(k, dim=0)
    pieces = range(0, r * k, _SLICE)
    gaps = [(context.problem.losses(flat[i : i + _SLICE]) * weights[i : i + _SLICE]).sum(-1) for i in pieces]
    return torch.cat(gaps).view(r, k)


def _node_gaps(context: Context, state: Tensor) -> Tensor:
    return _gaps(context, state[:, 0])


def _mean_gap(context: Context, state: Tensor) -> Tensor:
    return _gaps(context, _network_mean(state[:, 0]).unsqueeze(1))


def _spreads(context: Context, state: Tensor) -> Tensor:
    base = state[:, 0]
    deviations: Tensor = base - _network_mean(base).unsqueeze(1)
    return deviations.square().sum(-1)


def _norms(vectors: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(vectors, dim=-1)
    return norms


def _l1(context: Context, state: Tensor) -> Tensor:
    return _norms(state[:, 1:] - state[:, :1]).mean(-1)


def _l1_mean(context: Context, state: Tensor) -> Tensor:
    means = _network_mean(state)
    return _norms(means[:, 1:] - means[:, :1])


def _l2(context: Context, state: Tensor) -> Tensor:
    return (state[:, 1:] - state[:, :1]).square().sum(-1).mean(-1)


@dataclass(frozen=True)
class Reading:
    """How to read one thing: ``read`` gives (r, entries), entries being nodes or, ``of_twins``, twins.

    The entries are averaged at the end unless ``keep`` asks for all of them.
    """

    read: Callable[[Context, Tensor], Tensor]
    of_twins: bool = False
    keep: bool = False


READINGS: dict[tuple[Quantity, Readout], Reading] = {
    (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE): Reading(_node_gaps),
    (Quantity.GENERALIZATION_ERROR, Readout.GRADIENT_POINT): Reading(_node_gaps),
    (Quantity.GENERALIZATION_ERROR, Readout.WORST_NODE): Reading(_node_gaps, keep=True),
    (Quantity.GENERALIZATION_ERROR, Readout.NETWORK_MEAN): Reading(_mean_gap),
    (Quantity.L1_STABILITY, Readout.NODE_AVERAGE): Reading(_l1, of_twins=True),
    (Quantity.L1_STABILITY, Readout.NETWORK_MEAN): Reading(_l1_mean, of_twins=True),
    (Quantity.L2_STABILITY, Readout.NODE_AVERAGE): Reading(_l2, of_twins=True),
    (Quantity.CONSENSUS_DISTANCE, Readout.NODE_AVERAGE): Reading(_spreads),
    (Quantity.CONSENSUS_DISTANCE, Readout.GRADIENT_POINT): Reading(_spreads),
}


def reading(run: Run, quantity: Quantity, readout: Readout) -> Reading:
    """The reading of a request.

    Raises:
        DomainError: when no run, or not this one, can be read that way.
    """
    found = READINGS.get((quantity, readout))
    if found is None:
        pairs = ", ".join(f"{q.value} at {r.value}" for q, r in READINGS)
        raise DomainError(f"cannot measure {quantity.value} at {readout.value}; measurable: {pairs}")
    if run.update_form is UpdateForm.CENTRALIZED and (quantity is Quantity.CONSENSUS_DISTANCE or readout is Readout.WORST_NODE):
        raise DomainError(f"cannot measure {quantity.value} at {readout.value} of a centralized run (one model); use a decentralized form")
    if found.of_twins and run.twins == 0:
        raise DomainError(f"cannot measure {quantity.value} with twins=0; give the run twins >= 1")
    if run.data == "shared" and run.m > 1 and quantity is not Quantity.CONSENSUS_DISTANCE:
        raise DomainError(f"cannot measure {quantity.value} with data='shared' (m*n samples that are not independent); use data='split'")
    return found
