"""Small networks of quadratic losses in decimal numbers: what a search draws, a report prints, and anyone can evaluate again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Fact, Schedule
from bounds.topology import MixingMatrix
from bounds.vocabulary import UpdateForm, word
from empirical.oracles import Method, Quadratic
from verify.verdict import Table

Exact = tuple[tuple[Fraction, ...], ...]
_HUNDREDTH = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Network:
    """Node k has the loss (w - a_k)^T H_k (w - a_k)/2 and gradient noise of covariance R_k/b; all numbers are decimals.

    ``mixing`` (m, m) is symmetric and doubly stochastic, ``hessians`` and ``noise`` have m entries (d, d), ``minimisers`` is (m, d).
    """

    mixing: Exact
    hessians: tuple[Exact, ...]
    minimisers: Exact
    noise: tuple[Exact, ...]
    eta: Fraction
    b: int = 1
    Q: int = 1

    @property
    def m(self) -> int:
        """Number of nodes."""
        return len(self.mixing)

    @property
    def d(self) -> int:
        """Dimension of a model."""
        return len(self.minimisers[0])

    def problem(self) -> Quadratic:
        """The same problem for the moment recursions."""
        return Quadratic(floats(self.hessians), floats(self.minimisers), floats(self.noise))

    def method(self, form: str) -> Method:
        """The same method for the moment recursions."""
        mixing = MixingMatrix(floats(self.mixing)) if form != "centralized" else None
        return Method(update_form=word(UpdateForm, form), schedule=Schedule(float(self.eta)), mixing=mixing, Q=self.Q, b=self.b)

    def table(self, title: str) -> Table:
        """Every number of the network, to be evaluated again."""
        rows: list[tuple[Fact, ...]] = [("eta", decimals(self.eta)), ("b", self.b), ("Q", self.Q)]
        rows += [(f"W, row {k}", ", ".join(map(decimals, row))) for k, row in enumerate(self.mixing)]
        for name, matrices in (("H", self.hessians), ("R", self.noise)):
            shown = [_matrix(one) for one in matrices]
            rows += [(f"{name}_k, every node", shown[0])] if len(set(shown)) == 1 else [(f"{name}_{k}", one) for k, one in enumerate(shown)]
        rows += [(f"minimiser of node {k}", _matrix((place,))) for k, place in enumerate(self.minimisers)]
        return Table(title, ("number", "value"), tuple(rows))


def floats(numbers: Exact | tuple[Exact, ...]) -> NDArray[np.float64]:
    """Nested decimals as an array."""
    return np.array(numbers, dtype=np.float64)


def decimals(value: Fraction) -> str:
    """A decimal number with all its digits."""
    return f"{float(value):.12g}"


def _matrix(matrix: Exact) -> str:
    rows = [", ".join(map(decimals, row)) for row in matrix]
    return rows[0] if len(rows) == 1 else "; ".join(f"[{row}]" for row in rows)


@dataclass(frozen=True, slots=True)
class Family:
    """Which networks are drawn: one Hessian or own ones; one noise covariance, own ones or none; own minimisers or one; sizes."""

    hessians: Literal["common", "own"] = "own"
    noise: Literal["common", "own", "none"] = "own"
    pulls: bool = False
    lazy: bool = False
    d: int | None = None
    eta: tuple[float, float] = (0.01, 0.5)

    def words(self) -> str:
        """The family in words."""
        noise = {"common": "one noise covariance", "own": "own noise covariances", "none": "no noise"}[self.noise]
        pulls = "own minimisers" if self.pulls else "one minimiser"
        lazy = ", at least half of every model stays at home" if self.lazy else ""
        return f"{'one Hessian' if self.hessians == 'common' else 'own Hessians'}, {noise}, {pulls}{lazy}"


def draws(family: Family, rng: np.random.Generator) -> Iterator[Network]:
    """Random networks of the family: 2 to 5 nodes, dimension 1 or 2, steps log-uniform (in units of 1/largest curvature)."""
    while True:
        m, d = int(rng.integers(2, 6)), int(family.d or rng.integers(1, 3))
        hessians = _matrices(rng, m, d, family.hessians == "common")
        noise = _matrices(rng, m, d, family.noise == "common") if family.noise != "none" else (_zero(d),) * m
        places = tuple(tuple(_decimal(x) for x in row) for row in (rng.normal(size=(m, d)) if family.pulls else np.zeros((m, d))))
        curvature = float(np.linalg.eigvalsh(floats(hessians)).max())
        eta = _decimal(float(np.exp(rng.uniform(*np.log(family.eta)))) / curvature, 4)
        if eta > 0:
            yield Network(mixing(rng, m, family.lazy), hessians, places, noise, eta, Q=int(rng.integers(1, 3)))


def mixing(rng: np.random.Generator, m: int, lazy: bool = False) -> Exact:
    """A random symmetric doubly stochastic matrix in hundredths whose graph contains a path; ``lazy`` keeps a half on the diagonal."""
    shares = 50 if lazy else 100
    while True:
        weights = np.triu(rng.integers(0, shares + 1, (m, m)) * (rng.random((m, m)) < rng.random()), 1)
        for k in range(m - 1):
            weights[k, k + 1] = max(weights[k, k + 1], rng.integers(1, shares // 2))
        whole = weights + weights.T
        if whole.sum(axis=1).max() <= shares:
            np.fill_diagonal(whole, 100 - whole.sum(axis=1))
            return tuple(tuple(int(value) * _HUNDREDTH for value in row) for row in whole)


def _matrices(rng: np.random.Generator, m: int, d: int, common: bool) -> tuple[Exact, ...]:
    made = [_semidefinite(rng, d) for _ in range(1 if common else m)]
    return tuple(made * m) if common else tuple(made)


def _semidefinite(rng: np.random.Generator, d: int) -> Exact:
    """C C^T for C with decimal entries: exactly symmetric and positive semidefinite; sizes spread over two decades."""
    scale = float(np.exp(rng.uniform(np.log(0.1), 0)))
    root = np.array([[_decimal(x, 2) for x in row] for row in scale * np.tril(rng.normal(size=(d, d)) + 2 * np.eye(d))], dtype=object)
    for k in range(d):
        root[k, k] = abs(root[k, k]) or Fraction(1, 100)
    return tuple(tuple(row) for row in root @ root.T)


def _zero(d: int) -> Exact:
    return ((Fraction(0),) * d,) * d


def _decimal(value: float, digits: int = 2) -> Fraction:
    return Fraction(f"{value:.{digits}f}")
