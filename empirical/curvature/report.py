"""The curvature that a network sits in, read at a named readout."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike
from torch import Tensor

from bounds.vocabulary import Readout
from empirical.curvature.lanczos import top_eigenvalue
from empirical.curvature.objective import Objective
from empirical.curvature.traces import Estimated, hessian_spread, hessian_trace
from empirical.viewpoint import Viewpoint


@dataclass(frozen=True)
class Curvature:
    """Numbers of the Hessian of one mean loss, averaged (1/points) over the points of a readout.

    Attributes:
        points: how many points were averaged: 1 or m.
        top: the largest eigenvalue, and top_residual the bound of its error given that Lanczos met the top one.
        trace: Hutchinson's estimate, with independent probes at each point: the standard error is that of the average.
        spread: Tr(H Xi), Xi (1/m) the spread of the nodes' points (models, or W^Q X at CTA's gradient point) and H the Hessian
            at their mean, whatever is averaged; 0 for one model.
    """

    readout: Readout
    points: int
    top: float
    top_residual: float
    trace: Estimated
    spread: float

    def edge(self, eta: float) -> float:
        """eta * (largest eigenvalue). On a quadratic, gradient descent, ATC and CTA diverge above 2, and the consensus form with a
        symmetric W above 1 + lambda_min(W^Q)."""
        return eta * self.top


def curvature(
    objective: Objective, models: Tensor | ArrayLike, viewpoint: Viewpoint, probes: int = 64, tolerance: float = 1e-6, seed: int = 0
) -> Curvature:
    """Top eigenvalue, trace and Tr(H Xi) of ``objective`` at a readout of the models (m, P) of one network.

    Args:
        models: rows x_k; weights of any shape are flattened.
        viewpoint: which points are looked at. probes: per point. tolerance: of Lanczos, relative.

    Raises:
        DomainError: for models that do not fit the objective or the viewpoint.
    """
    rows = objective.rows(models)
    points = viewpoint.points(rows)
    pairs = [top_eigenvalue(objective, point, tolerance, seed=seed) for point in points]
    traces = [hessian_trace(objective, point, probes, seed, replicate) for replicate, point in enumerate(points)]
    everyone = rows if viewpoint.readout is Readout.NETWORK_MEAN else _all_points(viewpoint, rows)
    count = len(points)
    return Curvature(
        viewpoint.readout,
        count,
        sum(pair.value for pair in pairs) / count,
        sum(pair.residual for pair in pairs) / count,
        Estimated(
            sum(trace.mean for trace in traces) / count,
            math.sqrt(sum(trace.standard_error**2 for trace in traces)) / count,
            probes * count,
        ),
        hessian_spread(objective, everyone),
    )


def _all_points(viewpoint: Viewpoint, rows: Tensor) -> Tensor:
    everyone = Viewpoint(viewpoint.readout, viewpoint.update_form, viewpoint.mixing, viewpoint.Q)
    points: Tensor = everyone.points(rows)
    return points
