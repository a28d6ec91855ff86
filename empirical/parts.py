"""Cutting a run into parts that train together and fit the cache, and walking through their models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from bounds.errors import DomainError
from empirical.configuration import Run
from empirical.problems.base import Problem
from empirical.samples import Samples
from empirical.simulation import simulate

_WORKING_SET = {"cpu": 4 << 20, "cuda": 1 << 30}
"""Bytes of models per chunk: what stays in a CPU's cache, or fills a GPU."""


@dataclass(frozen=True)
class Part:
    """The replicates and twins that train together."""

    replicates: range
    twins: slice

    @property
    def rows(self) -> slice:
        """The replicates as a slice of an array with one row per replicate."""
        return slice(self.replicates.start, self.replicates.stop)


def cut(run: Run, width: int, twins: int, chunk: int | None, device: torch.device) -> list[Part]:
    """Cut a run into parts; many twins of one replicate are spread over parts that each repeat the base run.

    Args:
        width: weights P of one model. twins: coupled runs to train, 0 for none. chunk: replicates per part, or None.

    Raises:
        DomainError: for a chunk that is neither None nor an integer >= 1.
    """
    if chunk is not None and (not isinstance(chunk, int) or chunk < 1):
        raise DomainError(f"got chunk={chunk!r}; it is a number of replicates >= 1, or None for one that fits the cache")
    size = run.models * width * (8 if run.precision == "float64" else 4)
    networks = max(2, _WORKING_SET[device.type] // size)
    replicates = chunk or max(1, networks // (1 + twins))
    block = max(1, networks // replicates - 1)
    starts = range(0, run.replicates, replicates)
    ranges = [range(start, min(start + replicates, run.replicates)) for start in starts]
    slices = [slice(start, min(start + block, twins)) for start in range(0, max(twins, 1), block)]
    return [Part(numbers, part) for numbers in ranges for part in slices]


def states(
    run: Run,
    problem: Problem,
    samples: Samples,
    parts: Sequence[Part],
    device: torch.device,
    steps: Sequence[int],
    report: Callable[[float], None] | None = None,
) -> Iterator[tuple[Part, int, torch.Tensor]]:
    """(part, position in ``steps``, models) of every part in turn; see :func:`empirical.simulation.simulate`."""
    for done, part in enumerate(parts):
        lanes = samples.lanes(part.rows, part.twins, run.strata)
        tick = _progress(report, done, len(parts), steps[-1])
        for number, state in enumerate(simulate(run, problem, lanes, part.replicates, device, tick, steps)):
            yield part, number, state


def _progress(report: Callable[[float], None] | None, done: int, parts: int, steps: int) -> Callable[[int], None]:
    def tick(step: int) -> None:
        if report is not None:
            report((done + step / steps) / parts)

    return tick
