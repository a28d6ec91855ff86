"""Traces: of the Hessian by random probes, and of the Hessian against the spread of the nodes exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from bounds.errors import DomainError
from empirical.curvature.objective import Objective
from empirical.curvature.products import hessian_vector
from empirical.streams import stream
from empirical.viewpoint import network_mean


@dataclass(frozen=True, slots=True)
class Estimated:
    """A mean of ``count`` independent, identically distributed estimates, and its standard error.

    ``standard_error`` is the sample standard deviation (1/(count-1)) over sqrt(count).
    """

    mean: float
    standard_error: float
    count: int


def hessian_trace(objective: Objective, point: Tensor | ArrayLike, probes: int = 64, seed: int = 0, replicate: int = 0) -> Estimated:
    """Tr H at ``point`` (P,), estimated without bias by v^T H v with Rademacher probes v (Hutchinson 1989).

    The variance of one probe is 2 norm_F(H - diag H)^2. Probes are keyed by (``seed``, "hutchinson", ``replicate``): estimates
    at several points are independent when their ``replicate`` differs.

    Raises:
        DomainError: for several points or fewer than 2 probes.
    """
    weights = objective.rows(point)
    if len(weights) != 1:
        raise DomainError(f"got {len(weights)} points; a trace is that of one Hessian: give one point, or use curvature")
    if probes < 2:
        raise DomainError(f"got probes={probes!r}; a standard error needs at least 2")
    generator = stream(seed, "hutchinson", replicate)
    values = []
    for first in range(0, probes, objective.chunk):
        count = min(objective.chunk, probes - first)
        signs = torch.from_numpy(2.0 * generator.integers(0, 2, (count, objective.width)) - 1).to(objective.device)
        values.append((signs * hessian_vector(objective, weights, signs)).sum(-1))
    found = torch.cat(values)
    return Estimated(float(found.mean()), float(found.std(correction=1)) / math.sqrt(probes), probes)


def hessian_spread(objective: Objective, models: Tensor | ArrayLike, point: Tensor | ArrayLike | None = None) -> float:
    """Tr(H Xi) with Xi = (1/m) sum_k (x_k - xbar)(x_k - xbar)^T, exactly, by m Hessian-vector products.

    Half of it is, to third order in the spread, how far the mean loss of the models lies above the loss of their mean (equal on
    quadratics); Xi has the factor 1/m, as in arXiv 2306.02913, not 1/(m-1).

    Args:
        models: (m, P) models x_k, or the points of another readout.
        point: where the Hessian is taken; None: at the mean xbar of ``models``.
    """
    rows = objective.rows(models)
    mean = network_mean(rows)
    deviations = rows - mean
    products = hessian_vector(objective, mean if point is None else point, deviations)
    return float((deviations * products).sum(-1).mean())
