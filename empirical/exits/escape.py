"""The frozen description of walkers that leave a basin, checked on construction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError, LengthError
from bounds.symbols import symbol
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import Readout, UpdateForm, word
from empirical.exits.potentials import Potential
from empirical.viewpoint import Viewpoint


def _covariance(noise: float | ArrayLike, d: int) -> NDArray[np.float64]:
    given = np.asarray(noise, dtype=np.float64)
    matrix = np.diag(np.broadcast_to(given, d)) if given.ndim < 2 and given.size in (1, d) else given
    if matrix.shape != (d, d) or not np.isfinite(matrix).all() or not np.array_equal(matrix, matrix.T):
        raise DomainError(f"got noise of shape {given.shape}; it is a variance, {d} of them, or a symmetric ({d}, {d}) covariance")
    if np.linalg.eigvalsh(matrix)[0] < -1e-12 * np.abs(matrix).max():
        raise DomainError(f"got noise with the eigenvalue {np.linalg.eigvalsh(matrix)[0]:.3g}; a covariance has none below 0")
    return matrix


@dataclass(frozen=True, kw_only=True, eq=False)
class Escape:
    """Replicated walks of one update form in a potential, each until it leaves the basin or the horizon ends.

    Every node's stochastic gradient is grad V(x) + heterogeneity_k + noise of covariance ``noise``/b, Gaussian, independent
    over nodes and steps and of x; the centralized form is mini-batch SGD with all m nodes' batches, covariance noise/(m b).

    Attributes:
        potential: where the walkers walk; all start at its ``bottom``.
        update_form, m, eta, topology, Q: as for :class:`empirical.Run`; the step is constant.
        noise: covariance of a *per-sample* gradient: a variance (times the identity), d variances, or (d, d).
        b: local batch >= 1. heterogeneity: (m, d), what each node's gradient has beyond grad V; its sum over nodes is 0.
        level: an exit is progress >= level, the potential's exit coordinate averaged over the readout's points.
        readout, node: which points, see :class:`empirical.viewpoint.Viewpoint`.
        horizon: most steps; a walk still inside then is censored. replicates: independent walks. seed: any integer >= 0.

    Raises:
        DomainError, LengthError, UnknownNameError: in one line (and the mixing matrix's own errors).
    """

    potential: Potential
    update_form: UpdateForm
    m: int
    eta: float
    noise: float | ArrayLike
    horizon: int
    replicates: int
    topology: str | MixingMatrix = "ring"
    Q: int = 1
    b: int = 1
    heterogeneity: ArrayLike | None = None
    level: float | None = None
    readout: Readout = Readout.NETWORK_MEAN
    node: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "update_form", word(UpdateForm, self.update_form))
        for name, low in (("m", 1), ("horizon", 1), ("replicates", 1), ("Q", 1), ("b", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise DomainError(f"got {name}={value!r}; {name} takes an integer >= {low}")
        symbol("eta").check(self.eta)
        _covariance(self.noise, self.potential.dimension)
        if self.mixing is not None and self.mixing.nodes != self.m:
            raise DomainError(f"got m={self.m} with a mixing matrix of {self.mixing.nodes} nodes; set m={self.mixing.nodes}")
        self._check_heterogeneity()
        if self.node is not None and not 0 <= self.node < self.models:
            raise DomainError(f"got node={self.node!r} of {self.models} models; they are numbered 0..{self.models - 1}")
        if self.start_progress >= self.exit_level:
            raise DomainError(f"got level={self.level!r}, where the walk starts ({self.start_progress:g}) already; take a larger one")
        assert self.viewpoint

    def _check_heterogeneity(self) -> None:
        if self.heterogeneity is None:
            return
        given = np.asarray(self.heterogeneity, dtype=np.float64)
        if given.shape != (self.m, self.potential.dimension):
            raise LengthError(f"got heterogeneity of shape {given.shape}; it is (m, d) = ({self.m}, {self.potential.dimension})")
        if not np.abs(given.sum(axis=0)).max() <= 1e-12 * max(1.0, float(np.abs(given).sum())):
            raise DomainError(f"got heterogeneity with the sums {given.sum(axis=0)}; over the nodes it sums to 0: subtract its mean")

    @cached_property
    def mixing(self) -> MixingMatrix | None:
        """W, or None for the centralized form."""
        if self.update_form is UpdateForm.CENTRALIZED:
            return None
        return self.topology if isinstance(self.topology, MixingMatrix) else topology(self.topology, self.m)

    @property
    def models(self) -> int:
        """Models per walk: m, or one for the centralized form."""
        return 1 if self.update_form is UpdateForm.CENTRALIZED else self.m

    @property
    def viewpoint(self) -> Viewpoint:
        """Where an exit is looked for."""
        return Viewpoint(self.readout, self.update_form, self.mixing, self.Q, self.node)

    @property
    def exit_level(self) -> float:
        """The level in force.

        Raises:
            DomainError: when none is given and the potential has none of its own, or it is not finite.
        """
        level = self.potential.default_level if self.level is None else self.level
        if level is None or not math.isfinite(level):
            raise DomainError(f"got level={self.level!r}; this potential has no saddle, so name a finite level of its exit coordinate")
        return level

    @property
    def start_progress(self) -> float:
        """The exit coordinate of the common start."""
        import torch

        return float(self.potential.progress(torch.tensor(self.potential.bottom, dtype=torch.float64)))

    def step_covariance(self) -> NDArray[np.float64]:
        """Covariance (d, d) of one model's gradient noise: noise/b, or noise/(m b) for the centralized form."""
        batch = self.b * (self.m if self.update_form is UpdateForm.CENTRALIZED else 1)
        return _covariance(self.noise, self.potential.dimension) / batch

    @property
    def temperature(self) -> float:
        """eta r/(2 m b), r the noise variance along x_1: the temperature of the network mean."""
        return float(self.eta * _covariance(self.noise, self.potential.dimension)[0, 0] / (2 * self.m * self.b))
