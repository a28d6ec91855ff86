"""Scikit-learn's bundled handwritten digits as a finite population."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from empirical.data.population import unit_features


@cache
def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features (1797, 64), the pixels divided by the largest row norm, and labels (1797,) 0..9; read-only arrays.

    See :func:`empirical.data.population.unit_features`.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    labels = np.asarray(bunch.target, dtype=np.int64)
    labels.setflags(write=False)
    return unit_features(bunch.data), labels


def parity(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """+1 for even classes and -1 for odd ones."""
    return np.asarray(1 - 2 * (labels % 2))
