"""Everything random in a run: training sets, twins and batches, drawn on the CPU from streams keyed by their purpose.

Uniform numbers are drawn first and scaled to the wanted range after, so runs that differ only in T, eta, Q, topology, update
form, radius, checkpoints, twins or requested measures share their draws (and, in n, the uniforms behind their batches), a
longer run begins like a shorter one, and more replicates begin like fewer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.configuration import Run
from empirical.problems.base import Problem
from empirical.streams import stream

Indices = NDArray[np.int64]
_BLOCK = 1 << 20


def scaled(uniforms: NDArray[np.float64], count: int) -> Indices:
    """Integers 0..count-1 from uniforms in [0, 1): floor(u * count), below count for every double u < 1."""
    return (uniforms * count).astype(np.int64)


@dataclass(frozen=True)
class Samples:
    """The samples of all replicates of a run, as population indices.

    Attributes:
        training: (R, m, n), the training sets.
        positions: (R, K), the flat place i*n + j (node i, its sample j) that each of K twins replaces.
        replacements: (R, K), the population index put there.
    """

    training: Indices
    positions: Indices
    replacements: Indices

    def lanes(self, replicates: slice, twins: slice, strata: tuple[int, int]) -> Indices:
        """Training sets (r, 1 + k, groups, group size) of some replicates: the base run, then some of its twins."""
        base = self.training[replicates].reshape(-1, 1, strata[0] * strata[1])
        positions, replacements = self.positions[replicates, twins], self.replacements[replicates, twins]
        lanes = np.repeat(base, 1 + positions.shape[1], axis=1)
        np.put_along_axis(lanes[:, 1:], positions[:, :, None], replacements[:, :, None], axis=2)
        return lanes.reshape(*lanes.shape[:2], *strata)


def draw_samples(run: Run, problem: Problem) -> Samples:
    """Draw the training sets and twins of every replicate of ``run``."""
    training = np.stack([_training_set(run, problem, replicate) for replicate in range(run.replicates)])
    twins = [_twins(run, problem, replicate, training[replicate].reshape(-1)) for replicate in range(run.replicates)]
    return Samples(training, np.stack([places for places, _ in twins]), np.stack([points for _, points in twins]))


def _training_set(run: Run, problem: Problem, replicate: int) -> Indices:
    rows = 1 if run.data == "shared" else run.m
    indices = scaled(stream(run.seed, "training", replicate).random((rows, run.n)), problem.size)
    return np.broadcast_to(indices, (run.m, run.n))


def _twins(run: Run, problem: Problem, replicate: int, training: Indices) -> tuple[Indices, Indices]:
    if run.twins == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    places = stream(run.seed, "twin-position", replicate).permutation(run.m * run.n)[: run.twins].astype(np.int64)
    if problem.replacement == "antithetic":
        return places, problem.antithetic(training[places])
    return places, scaled(stream(run.seed, "twin-replacement", replicate).random(run.twins), problem.size)


def batches(run: Run, replicates: range, steps: int) -> Iterator[Indices]:
    """Batches of the first ``steps`` steps, in blocks of shape (block, r, groups, b): places inside each group.

    The block length depends on how many replicates share it, the draws do not.
    """
    groups, size = run.strata
    generators = [stream(run.seed, "batch", replicate) for replicate in replicates]
    block = max(1, min(steps, _BLOCK // (len(generators) * groups * run.b)))
    for start in range(0, steps, block):
        shape = (min(block, steps - start), groups, run.b)
        yield np.stack([scaled(generator.random(shape), size) for generator in generators], axis=1)
