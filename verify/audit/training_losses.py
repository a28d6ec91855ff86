"""Exact training losses of two unequal nodes, where the spread of the models pushes the mean as hard as the mgs bounds allow.

Node 1 has curvature h + a and node 2 h - a, with opposite gradients at 0, which is the minimiser of their mean and the start. Without
noise everything is a linear recursion, so that only the term of the consensus distance is left in the bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Schedule
from verify.audit.spreads import one_eigenvalue
from verify.audit.witness import Collector, Witness

Array = NDArray[np.float64]
_FORMS = ("atc", "cta", "consensus")
_MANY = 10**15


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both nodes: smoothness beta = h + a, mean curvature h, gradients of size ``pull`` at 0."""

    beta: float
    h: float
    pull: float

    def path(self, form: str, power: Array, schedule: Schedule, T: int) -> Array:
        """(T + 1, 2): the models after every step; ``power`` is W^Q."""
        curvature = np.array([self.beta, 2 * self.h - self.beta])
        models = np.zeros((T + 1, 2))
        for t in range(1, T + 1):
            before = models[t - 1]
            at = power @ before if form == "cta" else before
            moved = schedule.step(t) * (curvature * at + np.array([self.pull, -self.pull]))
            models[t] = power @ (before - moved) if form == "atc" else power @ before - moved
        return models

    def heterogeneity(self, path: Array) -> float:
        """The largest mean square difference of the local gradients at the mean of the models, on the way."""
        return float(((self.pull + (self.beta - self.h) * np.abs(path.mean(axis=1))) ** 2).max())


def _pairs(share: float) -> Iterator[tuple[_Pair, float, float, int, Array]]:
    """Pairs with step, gap, Q and W^Q; the mean curvature is ``share`` times the smoothness."""
    for eta, pull, (gap, Q) in product((1 / 64, 16.0), (1 / 8, 8.0), ((1 / 2, 1), (15 / 16, 1), (3 / 8, 3))):
        beta = 1 / (16 * eta)
        yield _Pair(beta, share * beta, pull), eta, gap, Q, np.linalg.matrix_power(one_eigenvalue(2, gap), Q)


def constant_steps() -> list[Witness]:
    """mgs_stationarity, mgs_pl and mgs_convex, and the convex excess risk, with nothing but heterogeneity."""
    ids = ("mgs_stationarity", "mgs_pl", "mgs_convex", "mgs_excess_convex")
    still, sloped, convex, excess = (Collector(name, "two unequal nodes, heterogeneity alone", "dominates") for name in ids)
    for form, (pair, eta, gap, Q, power) in product(_FORMS, _pairs(1 / 4)):
        T = 2_000
        path = pair.path(form, power, Schedule(eta=eta), T)
        mean = path.mean(axis=1)
        known = {"eta": eta, "T": T, "m": 2, "beta": pair.beta, "sigma2": 0.0, "zeta2": pair.heterogeneity(path), "gap": gap, "Q": Q}
        still.add(form, "network_mean", float(((pair.h * mean[:-1]) ** 2).mean()), D0=0.0, **known)
        sloped.add(form, "network_mean", pair.h * mean[-1] ** 2 / 2, D0=0.0, mu=pair.h, **known)
    for form, (pair, eta, gap, Q, power) in product(_FORMS, _pairs(1 / 2)):
        T = 2_000
        path = pair.path(form, power, Schedule(eta=eta), T)
        known = {"eta": eta, "T": T, "m": 2, "beta": pair.beta, "sigma2": 0.0, "zeta2": pair.heterogeneity(path), "gap": gap, "Q": Q}
        loss = pair.h * path[:-1].mean() ** 2 / 2
        convex.add(form, "network_mean", loss, r0=0.0, **known)
        if form == "atc":
            excess.add(form, "network_mean", loss, r0=0.0, L=1e-6 * pair.pull, n=_MANY, **known)
    return [still.witness(), sloped.witness(), convex.witness(), excess.witness()]


def falling_steps() -> list[Witness]:
    """mgs_excess_pl with nothing but heterogeneity: as many samples as it takes to leave the training loss alone."""
    found = Collector("mgs_excess_pl", "two unequal nodes, heterogeneity alone", "dominates")
    for pair, eta, gap, Q, power in _pairs(1 / 4):
        c, T = 8 / pair.beta, 2_000
        tau = round(c / eta) - 1
        path = pair.path("atc", power, Schedule(c=c, tau=tau), T)
        known = {
            "c": c,
            "tau": tau,
            "T": T,
            "m": 2,
            "beta": pair.beta,
            "sigma2": 0.0,
            "zeta2": pair.heterogeneity(path),
            "gap": gap,
            "Q": Q,
        }
        mean = float(path[-1].mean())
        found.add("atc", "network_mean", pair.h * mean**2 / 2, D0=0.0, mu=pair.h, L=1e-12, M=1e-12, n=_MANY, **known)
        apart = float(((path[-1] - mean) ** 2).mean())
        found.add("atc", "node_average", pair.h * (mean**2 + apart) / 2, D0=0.0, mu=pair.h, L=1e-12, M=1e-12, n=_MANY, **known)
    return [found.witness()]
