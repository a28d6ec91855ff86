"""How fast the residual of one step vanishes with the spread of the nodes: quadrature on a tanh network, no sampling error."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bounds.symbols import Domain, Symbol
from bounds.vocabulary import Quantity
from empirical.streams import stream
from verify.claims.averaged_sam.network import (
    WIDTH,
    Array,
    average,
    gaussian_gradient,
    gradients,
    objective,
    penalty_gradient,
    sample,
    weights,
)
from verify.verdict import Curve

SCALES = tuple(float(s) for s in np.geomspace(0.01, 0.08, 6))
#: How far a slope may lie from its order.
MARGIN = 0.1
_NODES = 8
SCALE = Symbol("s", "s", "distance of the nodes from their mean", "w", Domain(0, low_open=True))


@dataclass(frozen=True, eq=False)
class Residuals:
    """Mean over the drawn networks of the norm of (mean gradient - approximation), by approximation, each (scales,)."""

    plain: Array
    penalized: Array
    gaussian: Array

    def slope(self, name: str) -> float:
        """Least-squares slope of log residual on log scale."""
        return float(np.polyfit(np.log(SCALES), np.log(getattr(self, name)), 1)[0])

    def local(self, name: str) -> list[float]:
        """Slopes between neighbouring scales."""
        places = zip(SCALES, getattr(self, name), strict=True)
        return [float(np.log(later[1] / earlier[1]) / np.log(later[0] / earlier[0])) for earlier, later in pairwise(places)]


def deviations(kind: str, seed: int) -> Array:
    """(m, P) deviations with mean 0 and mean square norm 1: ``generic`` of four nodes, or ``symmetric``, three opposite pairs."""
    drawn = stream(seed, f"sam deviations {kind}", 0).standard_normal((4 if kind == "generic" else 3, WIDTH))
    drawn = drawn - drawn.mean(axis=0) if kind == "generic" else np.concatenate([drawn, -drawn])
    return np.asarray(drawn / np.sqrt((drawn**2).sum(axis=1).mean()))


def residuals(kind: str, seed: int, draws: int, own: bool = False) -> Residuals:
    """Residuals of the mean gradient (1/m) sum_k grad L_k(wbar + s d_k) on ``draws`` networks, averaged.

    Every node has the same data, or ``own``, a set of its own; L is the average of the L_k.
    """
    return Residuals(*np.mean([_residuals(kind, 1000 * seed + draw, own) for draw in range(draws)], axis=0))


def _residuals(kind: str, seed: int, own: bool) -> Array:
    """(3, scales): one network."""
    away, centre = deviations(kind, seed), weights(seed)
    losses = [objective(sample(seed, node)) for node in range(len(away) if own else 1)]
    common = average(losses)
    plain, penalty = gradients(common, centre)[0], penalty_gradient(common, centre, away)
    rows = []
    for s in SCALES:
        points = centre + s * away
        mean = np.mean([gradients(losses[node * own], point)[0] for node, point in enumerate(points)], axis=0)
        approximations = (plain, plain + s**2 * penalty, gaussian_gradient(common, centre, s * away, _NODES))
        rows.append([np.linalg.norm(mean - one) for one in approximations])
    return np.array(rows).T


def curve(found: Residuals, order: float) -> Curve:
    """The residual of the Gaussian objective on the line of its order, beside those of the cruder approximations and the theorem's order 3."""
    place = np.array(SCALES) / SCALES[0]
    others = [("gradient at the mean model", found.plain), ("with Tr(H Xi)/2", found.penalized)]
    others = others if order > 1 else [("order 3, the theorem's", found.gaussian[0] * place**3)]
    return Curve.exact(
        SCALE,
        Quantity.OTHER,
        SCALES,
        found.gaussian,
        found.gaussian[0] * place**order,
        label="distance to the mean gradient",
        bound_label=f"order {order:g}",
        companions=tuple(others),
    )
