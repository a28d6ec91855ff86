"""The moments of a small network in exact rational arithmetic: no rounding, and no code shared with the float recursions.

Coordinates are w - w*, w* the minimiser of the average loss: e <- F e - eta G (c + s) with c_k = H_k (w* - a_k) and Cov(s) = blkdiag(R_k)/b.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from verify.claims.flatness.networks import Exact, Network


@dataclass(frozen=True)
class Exactly:
    """Mean (s d, 1) and covariance (s d, s d) of the models of one update form, s = m (1 for centralized SGD), in w - w*."""

    network: Network
    mean: Any
    covariance: Any

    def excess(self, node: int | None = None, combined: bool = False, averaged: bool = False) -> Fraction:
        """E J - J(w*): mean over nodes, of one ``node``, of the ``averaged`` model; ``combined``: after one more combination W^Q."""
        d, count = self.network.d, self.mean.nrows() // self.network.d
        hessian = _average(self.network)
        if combined or averaged:
            weights = fmpq_mat(1, count, [fmpq(1, count)] * count) if averaged else _gossip(self.network)
            spread = _kron(weights, _eye(d))
            return Exactly(self.network, spread * self.mean, spread * self.covariance * spread.transpose()).excess(node)
        second = self.covariance + self.mean * self.mean.transpose()
        energies = [_trace_product(hessian, _block(second, k, d)) / 2 for k in range(count)]
        return _fraction(energies[node] if node is not None else sum(energies) / count)


def settled(network: Network, form: str) -> Exactly:
    """The steady state, which must exist.

    Raises:
        ZeroDivisionError: when a step has an eigenvalue that admits none.
    """
    F, driven, pulled = _step(network, form)
    size = F.nrows()
    mean = (_eye(size) - F).solve(pulled)
    flat = (_eye(size * size) - _kron(F, F)).solve(fmpq_mat(size * size, 1, driven.entries()))
    return Exactly(network, mean, fmpq_mat(size, size, flat.entries()))


def after(network: Network, form: str, steps: int) -> Exactly:
    """The moments after some steps from w*."""
    F, driven, pulled = _step(network, form)
    mean, covariance = fmpq_mat(F.nrows(), 1), fmpq_mat(F.nrows(), F.nrows())
    for _ in range(steps):
        mean, covariance = F * mean + pulled, F * covariance * F.transpose() + driven
    return Exactly(network, mean, covariance)


def expands(network: Network, form: str) -> bool:
    """Has the symmetric step matrix of this form surely an eigenvalue below -1 (or above 1)? By the sign of a determinant's leading minors."""
    F, _, _ = _step(network, form)
    return not (_definite(_eye(F.nrows()) + F) and _definite(_eye(F.nrows()) - F))


def _definite(matrix: Any) -> bool:
    """Sylvester's criterion, with >= 0 for the last determinant's edge left to the caller."""
    rows = [[matrix[i, j] for j in range(matrix.ncols())] for i in range(matrix.nrows())]
    minors = (fmpq_mat(k, k, [rows[i][j] for i in range(k) for j in range(k)]).det() for k in range(1, len(rows) + 1))
    return all(minor > 0 for minor in minors)


def _step(network: Network, form: str) -> tuple[Any, Any, Any]:
    """F, the covariance that a step adds, and the pull that it adds to the mean."""
    m, d, eta = network.m, network.d, _number(network.eta)
    H = _diagonal([_matrix(one) for one in network.hessians])
    R = _diagonal([_matrix(one) for one in network.noise])
    W, alone = _kron(_gossip(network), _eye(d)), _eye(m * d)
    slopes = _slopes(network)
    if form == "centralized":
        mean = _kron(fmpq_mat(1, m, [fmpq(1, m)] * m), _eye(d))
        F, G = _eye(d) - _average(network) * eta, mean
    else:
        F, G = {"atc": (W * (alone - H * eta), W), "cta": ((alone - H * eta) * W, alone), "consensus": (W - H * eta, alone)}[form]
    return F, G * R * G.transpose() * (eta * eta / network.b), G * slopes * -eta


def _slopes(network: Network) -> Any:
    """(m d, 1): c_k = H_k (w* - a_k)."""
    places = [fmpq_mat(network.d, 1, list(map(_number, place))) for place in network.minimisers]
    hessians = [_matrix(one) for one in network.hessians]
    pull = sum((H * place for H, place in zip(hessians, places, strict=True)), fmpq_mat(network.d, 1))
    best = (_average(network) * fmpq(network.m)).solve(pull)
    return fmpq_mat(network.m * network.d, 1, [x for H, a in zip(hessians, places, strict=True) for x in (H * (best - a)).entries()])


def _average(network: Network) -> Any:
    return sum((_matrix(one) for one in network.hessians), fmpq_mat(network.d, network.d)) * fmpq(1, network.m)


def _gossip(network: Network) -> Any:
    W = _matrix(network.mixing)
    power = W
    for _ in range(network.Q - 1):
        power = power * W
    return power


def _matrix(matrix: Exact) -> Any:
    return fmpq_mat(len(matrix), len(matrix[0]), [_number(value) for row in matrix for value in row])


def _diagonal(blocks: list[Any]) -> Any:
    d, m = blocks[0].nrows(), len(blocks)
    whole = fmpq_mat(m * d, m * d)
    for k, block in enumerate(blocks):
        for i in range(d):
            for j in range(d):
                whole[k * d + i, k * d + j] = block[i, j]
    return whole


def _kron(left: Any, right: Any) -> Any:
    a, b = (left.nrows(), left.ncols()), (right.nrows(), right.ncols())
    entries = [left[i, j] * right[p, q] for i in range(a[0]) for p in range(b[0]) for j in range(a[1]) for q in range(b[1])]
    return fmpq_mat(a[0] * b[0], a[1] * b[1], entries)


def _eye(size: int) -> Any:
    return fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])


def _block(matrix: Any, k: int, d: int) -> Any:
    return fmpq_mat(d, d, [matrix[k * d + i, k * d + j] for i in range(d) for j in range(d)])


def _trace_product(left: Any, right: Any) -> Any:
    product = left * right
    return sum((product[i, i] for i in range(product.nrows())), fmpq(0))


def _number(value: Fraction) -> Any:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))
