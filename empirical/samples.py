"""Everything random in a run: training sets, twins and batches, drawn on the CPU from streams keyed by their purpose.

Uniform numbers are drawn first and scaled to the wanted range after, so runs that differ only in T, eta, Q, topology, update
form, radius, split, checkpoints, twins, t0 or requested measures share their draws (and, in n, the uniforms behind their
batches), a longer run begins like a shorter one, and more replicates begin like fewer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError
from empirical.configuration import Run
from empirical.problems.base import Problem
from empirical.splits import draw_from, node_distributions
from empirical.streams import stream

Indices = NDArray[np.int64]
_BLOCK = 1 << 17
_DRAWS = 1 << 12
"""Numbers drawn at a time, which then stay in a core's cache until they are batches."""


def scaled(uniforms: NDArray[np.float64], count: int) -> Indices:
    """Integers 0..count-1 from uniforms in [0, 1): floor(u * count), below count for every double u < 1."""
    return (uniforms * count).astype(np.int64, order="C")


@dataclass(frozen=True)
class Samples:
    """The samples of all replicates of a run, as population indices.

    Attributes:
        training: (R, m, n), the training sets.
        positions: (R, K), the flat place i*n + j (node i, its sample j) that each of K twins replaces.
        replacements: (R, K), the population index put there, an independent draw from node i's distribution D_i (or
            antithetic).
        population: (R, size), the probabilities (1/m) sum_k D_k(z) that define the population risk R.
    """

    training: Indices
    positions: Indices
    replacements: Indices
    population: NDArray[np.float64]

    def lanes(self, replicates: slice, twins: slice, strata: tuple[int, int]) -> Indices:
        """Training sets (r, 1 + k, groups, group size) of some replicates: the base run, then some of its twins."""
        base = self.training[replicates].reshape(-1, 1, strata[0] * strata[1])
        positions, replacements = self.positions[replicates, twins], self.replacements[replicates, twins]
        lanes = np.repeat(base, 1 + positions.shape[1], axis=1)
        np.put_along_axis(lanes[:, 1:], positions[:, :, None], replacements[:, :, None], axis=2)
        return lanes.reshape(*lanes.shape[:2], *strata)

    def spared(self, run: Run) -> NDArray[np.bool_]:
        """(R, K): is the sample that each twin replaces in none of its node's batches of the steps 1..t0?"""
        group, place = np.divmod(self.positions, run.strata[1])
        free = np.ones(self.positions.shape, dtype=np.bool_)
        for block in batches(run, range(run.replicates), run.t0):
            at_node = np.take_along_axis(block, group[None, :, :, None], axis=2)
            free &= ~(at_node == place[None, :, :, None]).any(axis=(0, 3))
        return free


class _Source:
    """One replicate's node distributions, drawn from by inversion."""

    def __init__(self, run: Run, problem: Problem, replicate: int) -> None:
        self.size, self.rows = problem.size, None
        if run.split != "iid":
            if problem.labels is None:
                raise DomainError(f"got split={run.split!r} with problem {problem.name!r}, which has no labels; use split='iid'")
            generator = stream(run.seed, "dirichlet", replicate)
            self.rows = node_distributions(problem.labels, run.m, run.split, run.dirichlet_alpha, generator)

    def draw(self, uniforms: NDArray[np.float64], nodes: Indices) -> Indices:
        """One sample of node ``nodes[i]`` for each row or entry ``uniforms[i]``."""
        if self.rows is None:
            return scaled(uniforms, self.size)
        drawn = np.empty(uniforms.shape, dtype=np.int64)
        for node in np.unique(nodes):
            drawn[nodes == node] = draw_from(self.rows[node], uniforms[nodes == node])
        return drawn

    def population(self) -> NDArray[np.float64]:
        """(1/m) sum_k D_k, (size,), or (1,) where it is the same for all points."""
        return np.full(1, 1.0 / self.size) if self.rows is None else np.asarray(self.rows.mean(axis=0))


def draw_samples(run: Run, problem: Problem) -> Samples:
    """Draw the training sets and twins of every replicate of ``run``.

    Raises:
        DomainError: when the run's split needs labels and the problem has none.
    """
    replicates = [_replicate(run, problem, replicate) for replicate in range(run.replicates)]
    training, positions, replacements, population = (np.stack(pieces) for pieces in zip(*replicates, strict=True))
    return Samples(training, positions, replacements, np.broadcast_to(population, (run.replicates, problem.size)))


def _replicate(run: Run, problem: Problem, replicate: int) -> tuple[Indices, Indices, Indices, NDArray[np.float64]]:
    source = _Source(run, problem, replicate)
    rows = 1 if run.data == "shared" else run.m
    drawn = source.draw(stream(run.seed, "training", replicate).random((rows, run.n)), np.arange(rows))
    training = np.broadcast_to(drawn, (run.m, run.n))
    return training, *_twins(run, problem, source, replicate, training.reshape(-1)), source.population()


def _twins(run: Run, problem: Problem, source: _Source, replicate: int, training: Indices) -> tuple[Indices, Indices]:
    if run.twins == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    places = stream(run.seed, "twin-position", replicate).permutation(run.m * run.n)[: run.twins].astype(np.int64)
    if problem.replacement == "antithetic":
        return places, problem.antithetic(training[places])
    return places, source.draw(stream(run.seed, "twin-replacement", replicate).random(run.twins), places // run.n)


def batches(run: Run, replicates: range, steps: int) -> Iterator[Indices]:
    """Batches of the first ``steps`` steps, in blocks of shape (block, r, groups, b): places inside each group.

    The block length depends on how many replicates share it, the draws do not.
    """
    groups, size = run.strata
    generators = [stream(run.seed, "batch", replicate) for replicate in replicates]
    # Half the time of 64-bit draws, and as uniform: numpy rejects what would favour some places.
    kind = np.uint16 if size <= 1 << 16 else np.uint32
    # A call throws away the bits that it does not use, so that draws depend on how many are asked for at once.
    once = max(1, _DRAWS // (groups * run.b))
    block = once * max(1, _BLOCK // (len(generators) * groups * run.b * once))
    for start in range(0, steps, block):
        places = np.empty((len(generators), min(block, steps - start), groups, run.b), dtype=kind)
        for generator, rows in zip(generators, places, strict=True):
            for first in range(0, len(rows), once):
                part = rows[first : first + once]
                part[...] = generator.integers(0, size, size=part.shape, dtype=kind)
        yield places.swapaxes(0, 1).astype(np.int64, order="C")
