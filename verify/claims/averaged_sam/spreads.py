"""The steady spread of the nodes by direction of the Hessian, against a posterior's variance: linear gradients, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

from bounds.setting import Schedule
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import Readout, UpdateForm
from empirical.oracles import Method, Quadratic, steady_state

Values = NDArray[np.float64]
NODES = 16
CURVATURES = tuple(float(h) for h in np.geomspace(0.1, 4.0, 6))
ETA = 0.01
#: The share that a node of the lazy ring gives away in a step.
SHARE = 1e-5
GRAPHS = ("lazy", "ring", "complete")
NOISES = ("isotropic", "curvature")


def mixing(graph: str) -> MixingMatrix:
    """``ring``, ``complete``, or ``lazy``: a ring on which a share of 1e-5 of a model moves."""
    if graph == "lazy":
        return MixingMatrix((1 - SHARE) * np.eye(NODES) + SHARE * topology("ring", NODES).matrix, "lazy ring")
    return topology(graph, NODES)


def formula(graph: str, noise: str, eta: float = ETA, b: int = 1) -> Values:
    """(curvatures,): Xi_h = eta^2 v(h)/(b m) sum_{i>=2} 1/(1-(lambda_i - eta h)^2), v = 1 or h."""
    rest, h = np.sort(mixing(graph).spectrum)[:-1], np.array(CURVATURES)
    # 1 - (l - x)^2 as a product: slow modes would lose their digits.
    memory = ((1 - rest)[:, None] + eta * h) * ((1 + rest)[:, None] - eta * h)
    return np.asarray(eta**2 * (h if noise == "curvature" else 1.0) / (b * NODES) * (1 / memory).sum(axis=0))


def recursion(graph: str, noise: str, eta: float = ETA, b: int = 1) -> Values:
    """(curvatures,): the same from the moment recursion of the consensus form, one curvature at a time."""
    method = Method(update_form=UpdateForm.CONSENSUS, schedule=Schedule(eta), mixing=mixing(graph), b=b)
    found = []
    for h in CURVATURES:
        problem = Quadratic([[h]], np.zeros((NODES, 1)), [[h if noise == "curvature" else 1.0]])
        found.append(steady_state(method, problem).consensus_distance(Readout.NODE_AVERAGE))
    return np.array(found)


@dataclass(frozen=True)
class Likeness:
    """How a spread compares with posterior variances, whatever their scales.

    ``slope``: of log spread on log posterior variance, 1 where they are proportional; ``distance``: the Kullback-Leibler divergence of the best
    multiple of the spread from the posterior, both normal; ``plain``: that of the best multiple of the identity; ``scale``: geometric
    mean of spread over posterior variance.
    """

    slope: float
    distance: float
    plain: float
    scale: float


def likeness(spread: Values, posterior: Values) -> Likeness:
    """Compare variances by direction, both (directions,)."""
    slope = float(np.polyfit(np.log(posterior), np.log(spread), 1)[0])
    scale = float(np.exp(np.log(spread / posterior).mean()))
    return Likeness(slope, _distance(posterior / spread), _distance(posterior), scale)


def _distance(ratios: Values) -> float:
    """min_c KL(N(0, q) || N(0, c p)) for ratios q/p: (d/2)(log mean ratio - mean log ratio)."""
    return float(len(ratios) / 2 * (np.log(ratios.mean()) - np.log(ratios).mean()))


def rises(noise: str) -> bool:
    """Is d Xi_h/dh confirmed: of the sign of x at lambda = 0 (isotropic noise), of 1 - lambda^2 + x^2 (noise like the curvature)?"""
    x, second = sympy.Symbol("x", positive=True), sympy.Symbol("l", real=True)
    if noise == "isotropic":
        slope, known = sympy.diff(1 / (1 - x**2), x) * (1 - x**2) ** 2, 2 * x
    else:
        rest = 1 - (second - x) ** 2
        slope, known = sympy.diff(x / rest, x) * rest**2, 1 - second**2 + x**2
    return bool(sympy.simplify(slope - known) == 0)
