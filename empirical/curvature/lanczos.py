"""The extreme eigenvalues of a Hessian, with the residual that encloses them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from bounds.errors import DomainError
from empirical.curvature.objective import Objective
from empirical.curvature.products import hessian_vector
from empirical.streams import stream

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Eigenpair:
    """An approximate eigenpair of a Hessian H.

    Attributes:
        value: the Rayleigh quotient v^T H v of the unit vector v, never outside the spectrum: at most the largest eigenvalue.
        residual: norm(H v - value v). Some eigenvalue of H lies within it of ``value`` (H is symmetric); that this one is the
            extreme one is what Lanczos makes overwhelmingly likely, not what the residual proves.
        vector: v, (P,). products: Hessian-vector products spent.
    """

    value: float
    residual: float
    vector: Tensor
    products: int


def top_eigenvalue(
    objective: Objective, point: Tensor | ArrayLike, tolerance: float = 1e-9, steps: int = 200, seed: int = 0, smallest: bool = False
) -> Eigenpair:
    """The largest (algebraically; or ``smallest``) eigenvalue of the Hessian at ``point`` (P,), by Lanczos.

    Lanczos (1950) with full reorthogonalisation (twice), from a Gaussian start keyed by (``seed``, "lanczos"). It stops when its
    residual is below ``tolerance`` times the largest absolute eigenvalue seen, when the Krylov space is exhausted, or after
    ``steps`` products; then the residual says how good the value is. Memory is steps * P numbers.

    Raises:
        DomainError: for several points, ``steps`` below 1, or a Hessian that is not finite.
    """
    weights = objective.rows(point)
    if len(weights) != 1:
        raise DomainError(f"got {len(weights)} points; an eigenvalue is that of one Hessian: give one point, or use curvature")
    if steps < 1:
        raise DomainError(f"got steps={steps!r}; Lanczos takes an integer >= 1 of Hessian-vector products")
    sign = -1.0 if smallest else 1.0

    def apply(vector: Tensor) -> Tensor:
        return sign * hessian_vector(objective, weights, vector)[0]

    start = torch.from_numpy(stream(seed, "lanczos", 0).standard_normal(objective.width)).to(objective.device)
    basis, coefficients = _lanczos(apply, start, min(steps, objective.width), tolerance)
    vector = torch.from_numpy(coefficients).to(objective.device) @ basis
    vector /= vector.norm()
    image = apply(vector)
    value = float(vector @ image)
    return Eigenpair(sign * value, float((image - value * vector).norm()), vector, len(basis) + 1)


def _lanczos(apply: Callable[[Tensor], Tensor], start: Tensor, steps: int, tolerance: float) -> tuple[Tensor, NDArray[np.float64]]:
    """A Krylov basis (k, P) and the coefficients (k,) of its largest Ritz vector."""
    basis = torch.empty((steps, len(start)), dtype=start.dtype, device=start.device)
    vector = start / start.norm()
    diagonal: list[float] = []
    off: list[float] = []
    for k in range(steps):
        basis[k] = vector
        image = apply(vector)
        diagonal.append(float(vector @ image))
        if not np.isfinite(diagonal[-1]):
            raise DomainError("the Hessian is not finite at this point; the loss overflows there or is not twice differentiable")
        for _ in range(2):
            image = image - (basis[: k + 1] @ image) @ basis[: k + 1]
        rest = float(image.norm())
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
        size = float(np.abs(values).max())
        if rest * abs(vectors[-1, -1]) <= tolerance * size or rest <= _EPS * size:
            break
        off.append(rest)
        vector = image / rest
    return basis[: k + 1], vectors[:, -1]
