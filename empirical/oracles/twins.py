"""Coupled twins, exactly: two runs that share every index draw and differ in one sample of one node.

The pair (x_k, x'_k - x_k) has affine gradients of its own, so its moments obey the same recursion in 2d dimensions. The
difference is carried itself: subtracting two covariances would cost the digits that a stable algorithm needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError, LengthError
from bounds.vocabulary import Readout
from empirical.oracles.method import Method
from empirical.oracles.moments import State, reduced
from empirical.oracles.recursion import evolve, steady_state
from empirical.oracles.sampled import SampledGradients

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TwinState:
    """Both runs after some steps; ``pairs`` are the models (x_k, x'_k - x_k) in 2d dimensions."""

    pairs: State

    @property
    def base(self) -> State:
        """The run on the original samples."""
        return self._seen(1, 0)

    @property
    def twin(self) -> State:
        """The run on the samples with one replaced."""
        return self._seen(1, 1)

    @property
    def difference(self) -> State:
        """The differences x'_k - x_k as models of their own."""
        return self._seen(0, 1)

    def _seen(self, base: int, difference: int) -> State:
        eye = np.eye(self.pairs.models.mean.shape[1] // 2)
        return State(self.pairs.models.transform(np.hstack([base * eye, difference * eye])), self.pairs.points)

    def l2_stability(self, readout: Readout | str) -> float:
        """E norm(x - x')^2 of this one replaced sample: mean over nodes (X, or the gradient points), network means, largest node."""
        return self.difference.squared_norm(readout)


def _paired(ours: SampledGradients, replacements: SampledGradients, node: int, place: int) -> SampledGradients:
    """Gradients of (x, x' - x): the second part is h' (x' - x) + (h' - h) x - (g' - g)."""
    _check(ours, replacements, node, place)
    theirs = ours.replaced(node, place, replacements)
    h, change = ours.hessians, theirs.hessians - ours.hessians
    hessians = np.concatenate([np.concatenate([h, np.zeros_like(h)], -1), np.concatenate([change, theirs.hessians], -1)], -2)
    return SampledGradients(hessians, np.concatenate([ours.pulls, theirs.pulls - ours.pulls], -1))


def evolve_twins(
    method: Method,
    gradients: SampledGradients,
    replacements: SampledGradients,
    node: int,
    place: int,
    steps: Sequence[int],
    start: ArrayLike | None = None,
) -> Iterator[TwinState]:
    """The exact joint state of a run and its twin after each of ``steps``, from a common start.

    The twin has ``replacements``' sample (node, place) in place of its own; ``start`` is a point (d,) or one per model.

    Raises:
        DomainError: for a node or place that does not exist; LengthError: for samples of different shapes.
    """
    pairs = _paired(gradients, replacements, node, place)
    doubled = None
    if start is not None:
        begin = np.asarray(start, dtype=np.float64)
        doubled = np.concatenate([begin, np.zeros_like(begin)], axis=-1)
    return (TwinState(state) for state in evolve(method, pairs, steps, doubled))


def steady_twins(method: Method, gradients: SampledGradients, replacements: SampledGradients, node: int, place: int) -> TwinState:
    """The exact joint state that a run and its twin converge to with a constant step.

    Raises:
        DomainError, LengthError: as :func:`evolve_twins` and :func:`empirical.oracles.recursion.steady_state`.
    """
    return TwinState(steady_state(method, _paired(gradients, replacements, node, place)))


def _check(gradients: SampledGradients, replacements: SampledGradients, node: int, place: int) -> None:
    if gradients.pulls.shape != replacements.pulls.shape:
        raise LengthError(
            f"got samples of shape {gradients.pulls.shape} and replacements of {replacements.pulls.shape}; give one per sample"
        )
    if not (0 <= node < gradients.nodes and 0 <= place < gradients.samples):
        raise DomainError(
            f"got node={node!r}, place={place!r}; they count from 0 to m-1={gradients.nodes - 1} and n-1={gradients.samples - 1}"
        )


def l2_stability(
    method: Method, gradients: SampledGradients, replacements: SampledGradients, steps: Sequence[int], readout: Readout | str
) -> Array:
    """(steps,): squared on-average stability (1/(m n)) sum_ij E norm(x - x^(ij))^2 given the samples and their replacements.

    Every sample is replaced once. At the worst node the average over (i, j) comes before the maximum over nodes.
    """
    positions = [(node, place) for node in range(gradients.nodes) for place in range(gradients.samples)]
    squares = [
        [state.difference.at(readout).squares() for state in evolve_twins(method, gradients, replacements, *position, steps)]
        for position in positions
    ]
    return np.array([reduced(values, readout) for values in np.mean(squares, axis=0)])
