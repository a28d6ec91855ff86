"""A minimum of a mean loss, for runs that are to leave it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from empirical.curvature.objective import Objective
from empirical.curvature.products import gradient


def descend(objective: Objective, start: Tensor | ArrayLike, steps: int = 1000, tolerance: float = 1e-8) -> tuple[Tensor, float]:
    """A minimum near ``start`` (P,) by L-BFGS on the exact gradient: the point (P,) and the gradient's norm there.

    Whether it is a minimum is for the smallest eigenvalue to say. Stops when no entry of the gradient exceeds ``tolerance``, when
    the loss no longer falls in float64, or after ``steps`` iterations; the norm tells how far it came.
    """
    # Only here: scipy's optimisers take longer to import than most curvatures to compute.
    from scipy.optimize import minimize

    def value_and_slope(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        row = objective.rows(weights)
        with torch.no_grad():
            value = float(objective.values(row)[0])
        return value, gradient(objective, row)[0].cpu().numpy()

    origin = objective.rows(start)[0].cpu().numpy()
    options = {"maxiter": steps, "maxfun": 4 * steps, "gtol": tolerance, "ftol": 0.0, "maxcor": 20}
    found = minimize(value_and_slope, origin, jac=True, method="L-BFGS-B", options=options)
    point = torch.from_numpy(np.asarray(found.x, dtype=np.float64)).to(objective.device)
    return point, float(gradient(objective, point)[0].norm())
