"""Scikit-learn's bundled handwritten digits as a finite population."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features (1797, 64), the pixels divided by the largest row norm, and labels (1797,) 0..9; read-only arrays.

    The features are numbers of float32, so that a run in either precision sees exactly the same data and the largest norm
    is 1 up to the rounding of float32; constants are computed from the features themselves.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.asarray(bunch.data, dtype=np.float64)
    features = (pixels / np.linalg.norm(pixels, axis=1).max()).astype(np.float32).astype(np.float64)
    labels = np.asarray(bunch.target, dtype=np.int64)
    features.setflags(write=False)
    labels.setflags(write=False)
    return features, labels


def parity() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The same features (1797, 64) with labels (1797,) +1 for even digits and -1 for odd ones."""
    features, labels = digits()
    return features, 1 - 2 * (labels % 2)
