"""Curvature along a line smoothed by a normal law: a trained network along directions, and losses of one variable."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import bounds
from empirical import trajectory
from empirical.curvature import gradient, hessian_vector, problem_objective, top_eigenvalue
from empirical.problems import problem
from empirical.samples import draw_samples
from empirical.streams import stream
from verify.claims.averaged_sam import trained

Values = NDArray[np.float64]
SIGMAS = (0.5, 1.0, 2.0, 4.0, 8.0)
_END, _STEP = 100.0, 0.2
_TAIL = 9.0


@dataclass(frozen=True, eq=False)
class Line:
    """First and second derivatives of a loss along a unit direction, at places -100, -99.8, ..., 100 from the trained model."""

    name: str
    places: Values
    slopes: Values
    bends: Values

    def smoothed(self, sigma: float) -> Values:
        """The second derivative of E L(w + (t + sigma z) u), z normal, at every t whose normal tails (9 sigma) were looked at."""
        steps = np.arange(-round(_TAIL * sigma / _STEP), round(_TAIL * sigma / _STEP) + 1) * _STEP
        density = np.exp(-((steps / sigma) ** 2) / 2)
        return np.asarray(np.convolve(self.bends, density / density.sum(), "valid"))

    def steepest(self, sigma: float) -> float:
        """The largest size of the smoothed second derivative: the Lipschitz constant of the smoothed gradient along the line."""
        return float(np.abs(self.smoothed(sigma)).max())

    def limit(self, sigma: float) -> float:
        """The bound with the largest slope and bend met on the line."""
        return bound(float(np.abs(self.slopes).max()), float(np.abs(self.bends).max()), sigma)


def bound(alpha: float, beta: float, sigma: float) -> float:
    """beta erf(alpha/(sqrt 2 beta sigma)), from the catalogue."""
    return float(bounds.get("smoothing_lipschitz").evaluate(alpha=alpha, beta=beta, xi_min=sigma**2))


def network_lines(seed: int, randoms: int) -> tuple[list[Line], float, float]:
    """The digits network after training, along its sharpest and along random directions; with its proved constants L and beta."""
    one = trained.run("shared", seed, 1)
    described = problem(one.problem)
    common = problem_objective(described, draw_samples(one, described).training[0])
    mean = trajectory(one, device="cpu")[0, -1].reshape(one.m, -1).mean(axis=0)
    used = np.any(gradient(common, np.stack([mean, -mean])).numpy() != 0, axis=0)
    drawn = stream(seed, "sam directions", 0).standard_normal((randoms, len(mean))) * used
    directions = [("sharpest", top_eigenvalue(common, mean, 1e-8).vector.numpy())]
    directions += [(f"random {k + 1}", one / np.linalg.norm(one)) for k, one in enumerate(drawn)]
    places = np.arange(-round(_END / _STEP), round(_END / _STEP) + 1) * _STEP
    lines = []
    for name, u in directions:
        points = mean + places[:, None] * u
        slopes = gradient(common, points).numpy() @ u
        bends = hessian_vector(common, points, np.tile(u, (len(points), 1))).numpy() @ u
        lines.append(Line(name, np.asarray(places, dtype=np.float64), slopes, bends))
    known = described.loss_class(None)
    assert known.L is not None
    assert known.beta is not None
    return lines, known.L.value, known.beta.value


def huber_curvature(alpha: float, beta: float, sigma: float) -> float:
    """The smoothed second derivative of the Huber loss (curvature beta up to alpha/beta) at its minimum, by Gauss-Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    end = min(alpha / beta / sigma, 9.0)
    return float(beta * end * (weights @ np.exp(-((end * nodes) ** 2) / 2)) / math.sqrt(2 * math.pi))


def quantiles(m: int) -> Values:
    """(m,) points like a standard normal sample without chance: its quantiles (k - 1/2)/m, scaled to variance 1 (1/m)."""
    from statistics import NormalDist

    points = np.array([NormalDist().inv_cdf((k + 0.5) / m) for k in range(m)])
    return np.asarray(points / np.sqrt((points**2).mean()))


def resolved(m: int, resolution: float) -> float:
    """The largest difference quotient of the mean of sign(w + e_k) over ``resolution``: the effective Lipschitz constant of |w| smoothed by m points."""
    jumps = np.sort(-quantiles(m))
    # Every window (w, w + resolution] that starts at a jump.
    held = np.searchsorted(jumps, jumps + resolution, side="left") - np.arange(m)
    return float(2 * held.max() / m / resolution)
