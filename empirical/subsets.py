"""How many twins a stability is read from, and what reading it from some of them costs in accuracy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from empirical.configuration import Run

ALL_TWINS = 64
"""Up to this many samples m*n a run that asks for no number of twins has one for each: 65 small networks still train in the cache."""


def with_twins(run: Run) -> Run:
    """The run that a stability of ``run`` is read from: itself, or with twins = m*n if it has none and m*n <= :data:`ALL_TWINS`.

    Larger runs must name their number of twins, and data that all nodes share have no twins.
    """
    whole = run.m * run.n
    if run.twins or whole > ALL_TWINS or (run.data == "shared" and run.m > 1):
        return run
    return replace(run, twins=whole)


def subset_error(entries: NDArray[np.float64], whole: int) -> NDArray[np.float64]:
    r"""Standard errors (rows,) of the means of ``entries`` (rows, k), each row k of ``whole`` = N values drawn without replacement.

    sqrt((1 - k/N) s^2 / k) with s^2 = sum (e - mean)^2 / (k - 1); its square has the expectation of
    \|mean of the row - mean of all N\|^2 (Cochran, Sampling Techniques, 1977, section 2.6). 0 for k = N; NaN, for unknown,
    for k = 1 < N.
    """
    k = entries.shape[1]
    if k == whole:
        return np.zeros(len(entries))
    if k == 1:
        return np.full(len(entries), np.nan)
    return np.asarray(np.sqrt((1 - k / whole) * entries.var(axis=1, ddof=1) / k))
