"""Mean and covariance of all models of a network, exactly: step by step, or in the steady state.

Two nodes, the more curved one the noisier: ATC settles below centralized SGD, whose excess risk is 0.006582.

>>> from bounds.setting import Schedule
>>> from empirical.oracles import Method, Quadratic, steady_state
>>> problem = Quadratic(hessians=[[[2.0]], [[0.02]]], minimisers=[[0.0], [0.0]], noise=[[[1.0]], [[0.0]]])
>>> method = Method(update_form="atc", mixing=[[0.7, 0.3], [0.3, 0.7]], schedule=Schedule(eta=0.1))
>>> f'{steady_state(method, problem).excess_risk(problem.objective(), "node_average"):.6f}'
'0.006444'
"""

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
_ROUNDING = 1e-13
_SETTLED = 1e-13
_MOST_SWEEPS = 20_000
_EXPLODED = 1e9


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
        return (self.gradients.noise_at(at.mean) + self.gradients.noise_around(at.blocks())) / self.b

    def driven(self, eta: float, noise: Array) -> Array:
        """(s d, s d): covariance that the step's noise (m, d, d) adds."""
        spread = self.maps.spread
        added = np.tensordot(spread[:, None] * spread, noise, (2, 0))
        return np.asarray(eta**2 * added.swapaxes(1, 2).reshape(self.size, self.size))

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

    The covariance solves a discrete Lyapunov equation, summed by doubling. Where the noise depends on the point, the noise
    that the covariance brings about is fed back until it settles.

    Raises:
        DomainError: for a decaying step, and where mean or second moments do not converge.
    """
    eta = method.schedule.eta
    if eta is None:
        raise DomainError("got a decaying step c/(t+tau); only a constant step has a steady state: give eta, or evolve some steps")
    chain = _Chain(method, gradients)
    F = chain.drift(eta)
    radius = float(np.abs(np.linalg.eigvals(F)).max())
    if radius >= 1 - _ROUNDING:
        raise DomainError(
            f"got eta={eta!r} with spectral radius {radius:.6g} of a step; a steady state needs a radius < 1: take a smaller eta, "
            "or evolve some steps where a direction is flat"
        )
    mean = np.asarray(np.linalg.solve(np.eye(chain.size) - F, eta * chain.target), dtype=np.float64)
    feedback = _Feedback(chain, eta, F)
    feedback.check()
    return State(feedback.settled(mean), chain.maps.points)


class _Feedback:
    """From the noise (m, d, d) of the gradients to the covariance it sustains, and back to the noise that this adds."""

    def __init__(self, chain: _Chain, eta: float, F: Array) -> None:
        self.chain, self.eta, self.powers = chain, eta, [F]
        while np.linalg.norm(self.powers[-1]) > _NEGLIGIBLE:
            self.powers.append(self.powers[-1] @ self.powers[-1])

    def covariance(self, noise: Array) -> Array:
        """(s d, s d): the sum over t of F^t driven F^tT, doubling the number of terms at each power."""
        covariance = self.chain.driven(self.eta, noise)
        for power in self.powers:
            covariance = covariance + power @ covariance @ power.T
        return covariance

    def added(self, noise: Array) -> Array:
        """(m, d, d): the further noise that comes of a steady ``noise`` because the models vary; linear, and keeps order."""
        models = self.chain.moments(np.zeros(self.chain.size), self.covariance(noise))
        return self.chain.gradients.noise_around(models.combine(self.chain.maps.points).blocks()) / self.chain.b

    def check(self) -> None:
        """Raise unless noise in every direction dies out when fed back.

        Iterating from the actual noise would not tell: it can be 0, where all residuals are, while any perturbation explodes.
        """
        m, d = self.chain.gradients.pull.shape
        noise = np.array(np.broadcast_to(np.eye(d), (m, d, d)))
        for _ in range(_MOST_SWEEPS):
            noise = self.added(noise)
            largest = np.linalg.eigvalsh(noise).max()
            if largest <= 0.5:
                return
            if not largest < _EXPLODED:
                break
        raise _explodes(self.eta)

    def settled(self, mean: Array) -> Moments:
        """The moments whose noise sustains their covariance."""
        models = self.chain.moments(mean, np.zeros((self.chain.size, self.chain.size)))
        own = self.chain.noise(models)
        noise, change = own, np.inf
        for _ in range(_MOST_SWEEPS):
            before, noise = noise, own + self.added(noise)
            last, change = change, np.abs(noise - before).max()
            # The last digits may go round in circles.
            if change <= _SETTLED * np.abs(noise).max() and change >= last:
                return self.chain.moments(mean, self.covariance(noise))
        raise _explodes(self.eta)


def _explodes(eta: float) -> DomainError:
    return DomainError(
        f"got eta={eta!r}, for which the second moments do not converge: the gradient noise grows with the models; take a smaller eta"
    )
