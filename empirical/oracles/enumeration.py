"""Every outcome of a tiny run: all index sequences, equally likely, so that a plain mean is the exact expectation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Step = Callable[[Array, Indices, int], Array]
"""step(models, places, t): models (S, ...) after step t of S runs, from those before it and their draws (S, groups, b)."""
MOST = 1 << 20


def draws(groups: int, size: int, b: int) -> Indices:
    """All (size^(groups b), groups, b) places that one step may draw, b with replacement from each group of ``size`` samples."""
    return np.indices((size,) * (groups * b)).reshape(groups * b, -1).T.reshape(-1, groups, b)


def outcomes(step: Step, start: ArrayLike, steps: int, strata: tuple[int, int], b: int = 1) -> Iterator[Array]:
    """All equally likely models after the steps 0, 1, ..., ``steps``.

    Args:
        step: one step of many runs at once. start: one run's models, of any shape.
        strata: (groups, samples in a group) as :attr:`empirical.configuration.Run.strata` has them.

    Yields:
        (size^(groups b t), *start's shape) after step t; the draws of the first step vary slowest.

    Raises:
        DomainError: for more than :data:`MOST` outcomes.
    """
    if strata[1] ** (strata[0] * b * steps) > MOST:
        raise DomainError(
            f"got {strata[1]}^{strata[0] * b * steps} index sequences; enumeration takes at most {MOST}: use fewer nodes, samples or steps"
        )
    return _outcomes(step, np.asarray(start, dtype=np.float64)[None], steps, draws(*strata, b))


def _outcomes(step: Step, models: Array, steps: int, drawn: Indices) -> Iterator[Array]:
    yield models
    for t in range(1, steps + 1):
        before = np.repeat(models, len(drawn), axis=0)
        models = step(before, np.tile(drawn, (len(models), 1, 1)), t)
        yield models
