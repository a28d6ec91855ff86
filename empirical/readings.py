"""Reading quantities off the models: from (r, lanes, models, P) tensors to per-node or per-twin numbers.

Lane 0 is the base run, the others its twins. All arithmetic is float64 and stays within one model, one network or one
pair, so that no number depends on which others are computed beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical.configuration import Run
from empirical.problems.base import Problem
from empirical.samples import Indices
from empirical.subsets import ALL_TWINS, with_twins
from empirical.viewpoint import network_mean

_SLICE = 16


@dataclass(frozen=True)
class Context:
    """The problem in float64 on the device, and the signed sample weights (r, size) of R - R_S."""

    problem: Problem
    contrast: Tensor


def contrast(training: Indices, population: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (r, size) with sum_p weight_p l(w; z_p) = R(w) - R_S(w).

    R is the mean under ``population`` (r, size), R_S the mean over all m*n entries of ``training`` (r, m, n).
    """
    flat = training.reshape(training.shape[0], -1)
    counts = np.stack([np.bincount(row, minlength=population.shape[1]) for row in flat])
    return population - counts / flat.shape[1]


def _weighted(problem: Problem, models: Tensor, weights: Tensor) -> Tensor:
    """sum_p weights_p l(x; z_p) of each model x of (r, k, P), ``weights`` being (r, size); (r, k)."""
    r, k, width = models.shape
    flat = models.reshape(-1, width)
    owners = torch.arange(r, device=weights.device).repeat_interleave(k)
    pieces = [slice(start, start + _SLICE) for start in range(0, r * k, _SLICE)]
    return torch.cat([(problem.losses(flat[part]) * weights[owners[part]]).sum(-1) for part in pieces]).view(r, k)


def _node_gaps(context: Context, state: Tensor) -> Tensor:
    return _weighted(context.problem, state[:, 0], context.contrast)


def _mean_gap(context: Context, state: Tensor) -> Tensor:
    return _weighted(context.problem, network_mean(state[:, 0]).unsqueeze(1), context.contrast)


def _excess(context: Context, models: Tensor) -> Tensor:
    """R(x) - min R under the uniform population of problems whose least risk is known."""
    problem = context.problem
    assert problem.minimum_risk is not None
    uniform = models.new_full((len(models), problem.size), 1 / problem.size)
    return _weighted(problem, models, uniform) - problem.minimum_risk


def _node_excess(context: Context, state: Tensor) -> Tensor:
    return _excess(context, state[:, 0])


def _mean_excess(context: Context, state: Tensor) -> Tensor:
    return _excess(context, network_mean(state[:, 0]).unsqueeze(1))


def _spreads(context: Context, state: Tensor) -> Tensor:
    base = state[:, 0]
    deviations: Tensor = base - network_mean(base).unsqueeze(1)
    return deviations.square().sum(-1)


def _norms(vectors: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(vectors, dim=-1)
    return norms


def _l1(context: Context, state: Tensor) -> Tensor:
    return _norms(state[:, 1:] - state[:, :1]).mean(-1)


def _l1_mean(context: Context, state: Tensor) -> Tensor:
    means = network_mean(state)
    return _norms(means[:, 1:] - means[:, :1])


def _l2(context: Context, state: Tensor) -> Tensor:
    return (state[:, 1:] - state[:, :1]).square().sum(-1).mean(-1)


@dataclass(frozen=True)
class Reading:
    """How to read one thing: ``read`` gives (r, entries), entries being nodes or, ``of_twins``, twins.

    The entries are averaged at the end unless ``keep`` asks for all of them. ``read`` is handed the models X, or, ``mixed``,
    the points Y = W^Q X where a CTA step evaluates its gradients.
    """

    read: Callable[[Context, Tensor], Tensor]
    of_twins: bool = False
    keep: bool = False
    mixed: bool = False


_G, _L1, _L2 = Quantity.GENERALIZATION_ERROR, Quantity.L1_STABILITY, Quantity.L2_STABILITY
_E, _D = Quantity.EXCESS_RISK, Quantity.CONSENSUS_DISTANCE

READINGS: dict[tuple[Quantity, Readout], Reading] = {
    (_G, Readout.NODE_AVERAGE): Reading(_node_gaps),
    (_G, Readout.GRADIENT_POINT): Reading(_node_gaps),
    (_G, Readout.WORST_NODE): Reading(_node_gaps, keep=True),
    (_G, Readout.NETWORK_MEAN): Reading(_mean_gap),
    (_L1, Readout.NODE_AVERAGE): Reading(_l1, of_twins=True),
    (_L1, Readout.GRADIENT_POINT): Reading(_l1, of_twins=True),
    (_L1, Readout.NETWORK_MEAN): Reading(_l1_mean, of_twins=True),
    (_L2, Readout.NODE_AVERAGE): Reading(_l2, of_twins=True),
    (_L2, Readout.GRADIENT_POINT): Reading(_l2, of_twins=True),
    (_E, Readout.NODE_AVERAGE): Reading(_node_excess),
    (_E, Readout.GRADIENT_POINT): Reading(_node_excess),
    (_E, Readout.WORST_NODE): Reading(_node_excess, keep=True),
    (_E, Readout.NETWORK_MEAN): Reading(_mean_excess),
    (_D, Readout.NODE_AVERAGE): Reading(_spreads),
    (_D, Readout.GRADIENT_POINT): Reading(_spreads),
}


def reading(run: Run, problem: Problem, quantity: Quantity, readout: Readout) -> Reading:
    """The reading of a request.

    Raises:
        DomainError: when no run, or not this one, can be read that way.
    """
    found = READINGS.get((quantity, readout))
    if found is None:
        pairs = ", ".join(f"{q.value} at {r.value}" for q, r in READINGS)
        raise DomainError(f"cannot measure {quantity.value} at {readout.value}; measurable: {pairs}")
    if run.update_form is UpdateForm.CENTRALIZED and (quantity is _D or readout is Readout.WORST_NODE):
        raise DomainError(f"cannot measure {quantity.value} at {readout.value} of a centralized run (one model); use a decentralized form")
    if run.data == "shared" and run.m > 1 and quantity is not _D:
        raise DomainError(f"cannot measure {quantity.value} with data='shared' (m*n samples that are not independent); use data='split'")
    if found.of_twins and with_twins(run).twins == 0:
        raise DomainError(f"cannot measure {quantity.value} with twins=0 and m*n > {ALL_TWINS}; give the run twins >= 1, such as 32")
    if quantity is _E:
        _check_minimum(run, problem)
    return replace(found, mixed=readout is Readout.GRADIENT_POINT and run.update_form is UpdateForm.CTA)


def _check_minimum(run: Run, problem: Problem) -> None:
    if problem.minimum_risk is None:
        raise DomainError(f"cannot measure excess_risk of problem {problem.name!r}, whose least risk is not known; use 'quadratic'")
    if run.split != "iid":
        raise DomainError(f"cannot measure excess_risk with split={run.split!r}: the least risk is known for split='iid' only; use that")
