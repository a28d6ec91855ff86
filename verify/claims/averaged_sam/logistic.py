"""Logistic regression on a few principal components of the digits: D-SGD's spread, the Laplace posterior, and Langevin samples of the posterior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from empirical.problems.digits import digits, parity
from empirical.streams import stream
from verify.claims.averaged_sam.spreads import mixing

Values = NDArray[np.float64]
NODES, SAMPLES = 16, 200
_COMPONENTS = (0, 1, 3, 7, 15, 31)
_RIDGE = 0.02
_START, _BURN = 0.3, 0.25


@dataclass(frozen=True, eq=False)
class Model:
    """L(w) = (1/N) sum_i log(1 + exp(-z_i . w)) + ridge |w|^2/2, z (N, d); its minimum and Hessian there.

    The posterior is exp(-N L): the ridge is a normal prior of variance 1/(N ridge). ``curvatures`` (d,), ascending, and ``axes`` (d, d),
    columns, are those of the Hessian.
    """

    z: Values
    best: Values
    curvatures: Values
    axes: Values

    def gradient(self, w: Values) -> Values:
        """grad L at (..., d)."""
        return np.asarray(-_falling(w @ self.z.T) @ self.z / len(self.z) + _RIDGE * w)

    def value(self, w: Values) -> Values:
        """L at (..., d)."""
        return np.asarray(np.logaddexp(0, -(w @ self.z.T)).mean(axis=-1) + _RIDGE * (w**2).sum(axis=-1) / 2)

    def laplace(self) -> Values:
        """(d,): 1/(N h), the variances of the Laplace posterior along the axes."""
        return np.asarray(1 / (len(self.z) * self.curvatures))


def _falling(scores: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(np.clip(scores, -500, 500))))


@cache
def model() -> Model:
    """Components 1, 2, 4, 8, 16 and 32, so that curvatures differ; minimum by Newton's method."""
    features, labels = digits()
    _, _, rows = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    chosen = stream(0, "sam logistic samples", 0).permutation(len(features))[:SAMPLES]
    scores = (features - features.mean(axis=0)) @ rows[list(_COMPONENTS)].T
    z = (scores / scores[:, 0].std() * np.asarray(parity(labels))[:, None])[chosen]
    w = np.zeros(z.shape[1])
    for _ in range(50):
        p = _falling(z @ w)
        hessian = (z.T * (p * (1 - p))) @ z / len(z) + _RIDGE * np.eye(len(w))
        w = w - np.linalg.solve(hessian, -z.T @ p / len(z) + _RIDGE * w)
    curvatures, axes = np.linalg.eigh(hessian)
    return Model(z, w, curvatures, axes)


@dataclass(frozen=True)
class Spread:
    """D-SGD in the consensus form: ``graph`` and ``noise`` (``minibatch`` of ``b`` or ``isotropic`` of variance ``variance``)."""

    graph: str
    noise: str
    eta: float
    steps: int
    replicates: int
    seed: int
    b: int = 1
    variance: float = 0.0


def measured_spread(one: Spread) -> Values:
    """(replicates, d): the nodes' variance (1/m) along each axis of the Hessian, mean over the last three quarters of the steps."""
    known, W, draws = model(), mixing(one.graph).matrix, stream(one.seed, f"sam logistic {one.graph} {one.noise}", 0)
    shape = (one.replicates, NODES, len(known.best))
    # From the minimum, apart already as the Laplace posterior is: slow modes need not build up from 0.
    apart = draws.standard_normal(shape) * np.sqrt(known.laplace()) if one.graph == "lazy" else np.zeros(shape)
    x, total, count = known.best + apart @ known.axes.T, np.zeros((one.replicates, shape[-1])), 0
    for step in range(one.steps):
        if one.noise == "minibatch":
            z = known.z[draws.integers(0, SAMPLES, (*shape[:2], one.b))]
            gradient = -(_falling((z @ x[..., None])[..., 0])[..., None] * z).mean(axis=2) + _RIDGE * x
        else:
            gradient = known.gradient(x) + np.sqrt(one.variance) * draws.standard_normal(shape)
        x = W @ x - one.eta * gradient
        if step >= one.steps * _BURN:
            away = (x - x.mean(axis=1, keepdims=True)) @ known.axes
            total, count = total + (away**2).mean(axis=1), count + 1
    return np.asarray(total / count)


def langevin(chains: int, steps: int, seed: int) -> tuple[Values, float]:
    """Variances (chains, d) of exp(-N L) along the axes about the pooled mean, by MALA preconditioned with the Laplace covariance; acceptance."""
    known, draws = model(), stream(seed, "sam langevin", 0)
    root, count = np.sqrt(known.laplace()), len(known.z)
    y, h = draws.standard_normal((chains, len(root))), 0.9
    at, slope = _density(known, y, root, count)
    kept, accepted = list[Values](), 0.0
    for step in range(steps):
        proposal = y + h / 2 * slope + np.sqrt(h) * draws.standard_normal(y.shape)
        new, new_slope = _density(known, proposal, root, count)
        back = ((y - proposal - h / 2 * new_slope) ** 2).sum(axis=1) - ((proposal - y - h / 2 * slope) ** 2).sum(axis=1)
        taken = np.log(draws.random(chains)) < new - at - back / (2 * h)
        y, at, slope = np.where(taken[:, None], proposal, y), np.where(taken, new, at), np.where(taken[:, None], new_slope, slope)
        accepted += float(taken.mean()) / steps
        if step >= steps // 5:
            kept.append(y * root)
    samples = np.stack(kept, axis=1)
    return np.asarray(((samples - samples.mean(axis=(0, 1))) ** 2).mean(axis=1)), accepted


def _density(known: Model, y: Values, root: Values, count: int) -> tuple[Values, Values]:
    """log posterior and its gradient in coordinates y that the Laplace posterior makes standard normal."""
    w = known.best + (y * root) @ known.axes.T
    return -count * known.value(w), -count * (known.gradient(w) @ known.axes) * root
