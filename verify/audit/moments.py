"""Exact excess risks, their differences, and step limits of quadratics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Schedule
from bounds.topology import topology
from bounds.vocabulary import UpdateForm, word
from empirical.oracles import Method, State, steady_state
from verify.audit.spreads import Pulled, modes
from verify.audit.witness import Collector, Witness

Array = NDArray[np.float64]
_FORMS = ("atc", "cta", "consensus")
_READOUTS = ("node_average", "network_mean", "gradient_point")


@dataclass(frozen=True, slots=True)
class _Basin:
    """Quadratics of five nodes on a lazy ring: curvatures rho, gradient noise of variance r along each, heterogeneity in modes."""

    eta: float
    b: int
    Q: int
    rho: tuple[float, ...]
    r: tuple[float, ...]
    apart: float

    @property
    def spectrum(self) -> tuple[float, ...]:
        return tuple(modes(topology("lazy_ring", 5).matrix)[0])

    @property
    def heterogeneity(self) -> tuple[tuple[float, ...], ...]:
        """(5, 2): gradients at the minimum, by eigenvector of W and of the Hessian; the mean over nodes has none."""
        rows = self.apart * np.array([[0.0, 0.0], [1.0, 0.5], [0.25, 2.0], [1.5, 0.5], [0.5, 1.0]])
        return tuple(map(tuple, rows.tolist()))

    def state(self, form: str) -> State:
        """The exact steady state."""
        matrix = topology("lazy_ring", 5)
        pulls = modes(matrix.matrix)[1] @ np.array(self.heterogeneity)
        method = Method(update_form=word(UpdateForm, form), mixing=matrix, Q=self.Q, b=self.b, schedule=Schedule(eta=self.eta))
        return steady_state(method, Pulled(np.diag(self.rho), pulls, np.diag(self.r)))

    def excess(self, form: str, readout: str) -> float:
        """The exact excess risk."""
        return _excesses(self, form)[readout]

    def point(self) -> dict[str, object]:
        """The parameters, as lists; without the heterogeneity where there is none."""
        heterogeneity = [list(row) for row in self.heterogeneity] if self.apart else None
        return {
            "eta": self.eta,
            "b": self.b,
            "Q": self.Q,
            "rho": list(self.rho),
            "r": list(self.r),
            "spectrum": list(self.spectrum),
            "heterogeneity": heterogeneity,
        }


@cache
def _excesses(basin: _Basin, form: str) -> dict[str, float]:
    from empirical.oracles import Objective

    state, objective = basin.state(form), Objective(np.diag(basin.rho), np.zeros(2))
    return {readout: state.excess_risk(objective, readout) for readout in _READOUTS}


def _basins(apart: tuple[float, ...]) -> Iterator[_Basin]:
    for (eta, b), Q, size in product(((1 / 64, 3), (16.0, 1)), (1, 2), apart):
        yield _Basin(eta, b, Q, (0.5 / eta, 0.1 / eta), (4.0, 0.25) if b > 1 else (0.25, 4.0), size)


def excess_risks() -> list[Witness]:
    """The formulas of the excess risk, at every readout, with and without heterogeneity."""
    found = []
    for form in ("centralized", *_FORMS):
        here = Collector(f"excess_risk_{form}", "steady state of quadratics", "equals")
        for basin, readout in product(_basins((0.0, 1 / 8, 8.0) if form != "centralized" else (0.0,)), _READOUTS):
            here.add(form, readout, basin.excess(form, readout), **basin.point())
        found.append(here.witness())
    return found


def excess_gaps() -> list[Witness]:
    """The differences of excess risks between the consensus form and the two others."""
    found = []
    for form in ("atc", "cta"):
        here = Collector(f"excess_gap_consensus_{form}", "steady states of quadratics", "equals", 1e-6)
        for basin in _basins((0.0,)):
            truth = basin.excess("consensus", "node_average") - basin.excess(form, "node_average")
            here.add(
                "consensus", "node_average", truth, **{name: value for name, value in basin.point().items() if name != "heterogeneity"}
            )
        found.append(here.witness())
    return found


def largest_step(form: str, matrix: Array, curvature: float) -> float:
    """The step above which a step of ``form`` on quadratics no longer contracts, by halving; ``matrix`` is W^Q."""
    eye = np.eye(len(matrix))
    low, high = 0.0, 4 / curvature
    for _ in range(60):
        middle = (low + high) / 2
        step = matrix - middle * curvature * eye if form == "consensus" else matrix * (1 - middle * curvature)
        low, high = (middle, high) if np.abs(np.linalg.eigvalsh(step)).max() < 1 else (low, middle)
    return low


def step_limits() -> list[Witness]:
    """The largest stable step of every update form, and the curvature that it allows."""
    limits = {form: Collector(f"step_limit_{form}", "spectral radius of a step", "equals") for form in ("centralized", *_FORMS)}
    edge = Collector("edge_of_stability", "spectral radius of a step", "equals")
    for curvature, name, Q in product((1 / 16, 16.0), ("ring", "lazy_ring"), (1, 2, 3)):
        matrix = topology(name, 5).matrix
        power, spectrum = np.linalg.matrix_power(matrix, Q), modes(matrix)[0]
        for form, found in limits.items():
            truth = largest_step(form, np.eye(1) if form == "centralized" else power, curvature)
            found.add(form, "node_average", truth, rho_max=curvature, spectrum=spectrum, Q=Q)
            if form in ("consensus", "atc"):
                edge.add(form, "node_average", truth, curvature=curvature, spectrum=spectrum, Q=Q)
    return [*(found.witness() for found in limits.values()), edge.witness()]
