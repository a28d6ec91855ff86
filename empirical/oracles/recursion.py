"""Mean and covariance of all models of a network, exactly: step by step, or in the steady state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError, LengthError
from empirical.oracles.gradients import Gradients
from empirical.oracles.method import Method
from empirical.oracles.moments import Moments, State

Array = NDArray[np.float64]
_NEGLIGIBLE = 1e-12
"""A power of the step smaller than this leaves out a 1e-24 of the covariance."""
_SETTLED = 2e-15
_MOST_SWEEPS = 20_000


class _Chain:
    """One method on one problem: X <- F X + eta S pull - eta S noise, F = keep - eta spread H points on stacked models."""

    def __init__(self, method: Method, gradients: Gradients) -> None:
        self.maps, self.gradients, self.b = method.maps(gradients.nodes), gradients, method.b
        self.shape = len(self.maps.keep), gradients.dimension
        self.size = self.shape[0] * self.shape[1]
        keep, spread, points = self.maps
        self.kept = np.kron(keep, np.eye(self.shape[1]))
        pulled = np.einsum("sk,kab,ku->saub", spread, gradients.curvature, points, optimize=True)
        self.pulled = pulled.reshape(self.size, self.size)
        self.target = (spread @ gradients.pull).reshape(-1)

    def drift(self, eta: float) -> Array:
        """F as a (s d, s d) matrix."""
        return np.asarray(self.kept - eta * self.pulled)

    def noise(self, models: Moments) -> Array:
        """(m, d, d): covariance of each node's batch gradient at its gradient point."""
        at = models.combine(self.maps.points)
        return self.gradients.noise(at.mean, at.blocks()) / self.b

    def driven(self, eta: float, noise: Array) -> Array:
        """(s d, s d): covariance that the step's noise (m, d, d) adds."""
        spread = self.maps.spread
        added = np.einsum("sk,kab,tk->satb", spread, noise, spread, optimize=True)
        return np.asarray(eta**2 * added.reshape(self.size, self.size))

    def advance(self, models: Moments, eta: float) -> Moments:
        """The moments one step later."""
        F = self.drift(eta)
        mean = F @ models.mean.reshape(-1) + eta * self.target
        covariance = F @ models.covariance.reshape(self.size, self.size) @ F.T + self.driven(eta, self.noise(models))
        return self.moments(mean, covariance)

    def moments(self, mean: Array, covariance: Array) -> Moments:
        """Flat moments in the shapes that :class:`Moments` has."""
        return Moments(mean.reshape(self.shape), covariance.reshape(*self.shape, *self.shape))

    def start(self, start: Moments | ArrayLike | None) -> Moments:
        """Moments of the given start."""
        if isinstance(start, Moments):
            models = start
        else:
            place = np.zeros(self.shape[1]) if start is None else np.asarray(start, dtype=np.float64)
            if place.shape not in (self.shape[1:], self.shape):
                raise LengthError(f"got a start of shape {place.shape}; it is one point {self.shape[1:]} or one per model {self.shape}")
            models = self.moments(np.array(np.broadcast_to(place, self.shape)), np.zeros((self.size, self.size)))
        if models.mean.shape != self.shape:
            raise LengthError(f"got start moments of {models.mean.shape} models; this method and problem have {self.shape}")
        return models


def evolve(method: Method, gradients: Gradients, steps: Sequence[int], start: Moments | ArrayLike | None = None) -> Iterator[State]:
    """The exact state after each of ``steps``, ascending integers >= 0 (0 is the start).

    ``start`` is a point (d,) that all models start from, one point per model (m, d), or moments independent of all
    draws; None is 0. Memory and time of a step are (m d)^2 and (m d)^3.

    Raises:
        DomainError: for steps that are not ascending integers >= 0.
        LengthError: for shapes that do not fit together.
    """
    wanted = list(steps)
    if wanted != sorted(set(wanted)) or not all(isinstance(step, int | np.integer) and step >= 0 for step in wanted):
        raise DomainError(f"got steps={wanted!r}; they are strictly ascending integers >= 0")
    return _states(_Chain(method, gradients), method, wanted, start)


def _states(chain: _Chain, method: Method, steps: list[int], start: Moments | ArrayLike | None) -> Iterator[State]:
    models, done = chain.start(start), 0
    for step in steps:
        while done < step:
            done += 1
            models = chain.advance(models, method.schedule.step(done))
        yield State(models, chain.maps.points)


def steady_state(method: Method, gradients: Gradients) -> State:
    """The exact state that a constant step converges to, from every start.

    The covariance solves a discrete Lyapunov equation, summed by doubling; where the noise depends on the point, the
    noise is fed back until it settles, which from below it does exactly when the second moments converge.

    Raises:
        DomainError: for a decaying step, and where mean or second moments do not converge.
    """
    eta = method.schedule.eta
    if eta is None:
        raise DomainError("got a decaying step c/(t+tau); only a constant step has a steady state: give eta, or evolve some steps")
    chain = _Chain(method, gradients)
    F = chain.drift(eta)
    radius = float(np.abs(np.linalg.eigvals(F)).max())
    if radius >= 1:
        raise DomainError(
            f"got eta={eta!r} with spectral radius {radius:.6g} of a step; a steady state needs a radius < 1: take a smaller eta, "
            "or evolve some steps where a direction is flat"
        )
    mean: Array = np.linalg.solve(np.eye(chain.size) - F, eta * chain.target)
    return State(_settled(chain, eta, mean, _doublings(F)), chain.maps.points)


def _doublings(F: Array) -> list[Array]:
    """F, F^2, F^4, ..., until what follows is negligible."""
    powers = [F]
    while np.linalg.norm(powers[-1]) > _NEGLIGIBLE:
        powers.append(powers[-1] @ powers[-1])
        if len(powers) > 64 or not np.isfinite(powers[-1]).all():
            raise DomainError("got a step whose spectral radius is 1 to rounding; a steady state needs a smaller one: change eta")
    return powers


def _settled(chain: _Chain, eta: float, mean: Array, powers: list[Array]) -> Moments:
    models = chain.moments(mean, np.zeros((chain.size, chain.size)))
    noise = chain.noise(models)
    for _ in range(_MOST_SWEEPS):
        covariance = chain.driven(eta, noise)
        for power in powers:
            covariance = covariance + power @ covariance @ power.T
        models = chain.moments(mean, covariance)
        before, noise = noise, chain.noise(models)
        if not np.isfinite(noise).all():
            break
        if np.abs(noise - before).max() <= _SETTLED * np.abs(noise).max():
            return models
    raise DomainError(
        f"got eta={eta!r}, for which the second moments do not converge: the gradient noise grows with the models; take a smaller eta"
    )
