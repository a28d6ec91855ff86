"""Run a configuration and read the requested quantities, or the models themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.vocabulary import Quantity, Readout, word
from empirical.configuration import Run
from empirical.device import one_thread, resolve_device
from empirical.measurement import Measurement, describe
from empirical.parts import Part, cut, states
from empirical.problems.base import Problem
from empirical.problems.registry import problem as build_problem
from empirical.readings import Context, Reading, contrast, reading
from empirical.samples import Samples, draw_samples
from empirical.simulation import Points
from empirical.subsets import subset_error, with_twins

Values = NDArray[np.float64]
Request = tuple[Quantity, Readout]


class _Collector:
    """Arrays (replicates, checkpoints, entries) of every distinct reading, filled part by part."""

    def __init__(self, run: Run, readings: Sequence[Reading], spared: NDArray[np.bool_] | None) -> None:
        self.readers = {_key(wanted): wanted for wanted in readings}
        self.steps = len(run.read_at)
        self.replicates, self.twins, self.samples, self.spared = run.replicates, run.twins, run.m * run.n, spared
        self.arrays: dict[object, Values] = {}

    def add(self, part: Part, step: int, context: Context, state: Tensor, points: Callable[[Tensor], Tensor]) -> None:
        models = {False: state.double()}
        for key, reader in self.readers.items():
            if not reader.of_twins and part.twins.start > 0:
                continue
            if reader.mixed not in models:
                models[True] = points(state).double()
            entries = reader.read(context, models[reader.mixed]).cpu().numpy()
            count = self.twins if reader.of_twins else entries.shape[1]
            array = self.arrays.setdefault(key, np.full((self.replicates, self.steps, count), np.nan))
            array[part.rows, step, part.twins if reader.of_twins else slice(None)] = entries

    def read(self, wanted: Reading, step: int) -> tuple[Values, Values | None]:
        """The values of a reading at a checkpoint, and, of twins, their standard error against all m*n of them."""
        entries = np.ascontiguousarray(self.arrays[_key(wanted)][:, step])
        if not np.isfinite(entries).all():
            raise DomainError("the run diverged: a measure is not finite; take a smaller eta or a projection radius")
        if wanted.of_twins and self.spared is not None:
            entries = entries * self.spared
        error = subset_error(entries, self.samples) if wanted.of_twins else None
        return entries if wanted.keep else np.asarray(entries.mean(axis=1)), error


def _key(wanted: Reading) -> object:
    """Readings with the same key differ only in how their entries are averaged."""
    return wanted.read, wanted.mixed


def measure(
    run: Run,
    requests: Sequence[Request],
    device: str = "auto",
    chunk: int | None = None,
    progress: Callable[[float], None] | None = None,
    memory: int | None = None,
) -> list[Measurement]:
    """Train ``run`` and return one measurement per request and checkpoint, ordered by request, then checkpoint.

    * generalization error: R - R_S, R the exact population risk (mean over nodes of the risks under D_k), R_S the mean loss
      on all m*n training samples; mean over nodes, of the averaged model (network mean), or per node (worst node).
    * excess risk: R - min R, for problems that know it; readouts likewise.
    * l1 stability: (1/m) sum_k norm(x_k - x~_k), or the norm of the difference of the network means, averaged over the
      twins of a replicate; l2 stability: (1/m) sum_k norm^2, likewise. With t0 > 0 a twin whose replaced sample is drawn by
      its node in the steps 1..t0 counts as 0 (not left out: the mean is E[distance * 1(never drawn by t0)]).
      The twins are a random subset of all m*n, see :attr:`Measurement.subset_error`. A run with twins=0 and m*n <= 64 has
      all of them for a stability (see :func:`empirical.subsets.with_twins`), and its settings say so.
    * consensus distance: (1/m) sum_k norm(x_k - xbar)^2.

    Node average, network mean and worst node read the models X; the gradient point reads, averaged over nodes, the points
    where the next step evaluates its gradients: Y = W^Q X for CTA, X for the other forms.

    The values do not depend on ``chunk`` (replicates trained together; None fits the cache), ``memory`` (bytes that this
    process may hold at most while it trains; None is half the machine) nor on the other requests, to the last bit on one
    device. ``progress`` is called with the fraction done.

    Raises:
        DomainError: for a request this run cannot answer, a run that diverged, or one that does not fit the memory.
        UnknownNameError, DeviceError: see :func:`empirical.device.resolve_device`.
    """
    pairs = [(word(Quantity, quantity), word(Readout, readout)) for quantity, readout in requests]
    place, problem = resolve_device(device), build_problem(run.problem)
    readings = [reading(run, problem, *pair) for pair in pairs]
    run = with_twins(run) if any(wanted.of_twins for wanted in readings) else run
    samples = draw_samples(run, problem)
    twins = run.twins if any(wanted.of_twins for wanted in readings) else 0
    parts = cut(run, problem, twins, chunk, place, memory) if readings else []
    return read_off(run, problem, samples, pairs, place, states(run, problem, samples, parts, place, run.read_at, progress))


def read_off(
    run: Run,
    problem: Problem,
    samples: Samples,
    pairs: Sequence[Request],
    device: torch.device,
    seen: Iterable[tuple[Part, int, Tensor]],
    ordered: bool = False,
) -> list[Measurement]:
    """What :func:`measure` returns, read off models that were trained elsewhere.

    Args:
        seen: (part, position in ``run.read_at``, models (r, lanes, models, P)), see :func:`empirical.parts.states`.
        ordered: whether they gossiped in the ordered way, see :func:`empirical.simulation.simulate`.
    """
    readings = [reading(run, problem, *pair) for pair in pairs]
    collector = _Collector(run, readings, samples.spared(run) if run.t0 else None)
    _collect(run, problem, samples, device, collector, seen, ordered)
    loss = problem.loss_class(run.radius, samples.training.reshape(run.replicates, *_node_shape(run)))
    return [
        Measurement(*pair, values, describe(run, problem, loss, pair[1], step), error)
        for pair, wanted in zip(pairs, readings, strict=True)
        for number, step in enumerate(run.read_at)
        for values, error in [collector.read(wanted, number)]
    ]


def _node_shape(run: Run) -> tuple[int, int]:
    """(nodes, samples per node) as the theory counts them: a centralized run is one node with all samples."""
    return run.models, run.m * run.n // run.models


def _collect(
    run: Run,
    problem: Problem,
    samples: Samples,
    device: torch.device,
    collector: _Collector,
    seen: Iterable[tuple[Part, int, Tensor]],
    ordered: bool,
) -> None:
    exact = problem.to(device, torch.float64)
    points = Points(run, device, problem.width, ordered)
    with torch.inference_mode(), one_thread():
        for part, step, state in seen:
            at = partial(points, step=run.read_at[step], replicates=part.replicates)
            # Part by part: replicates times population are no fewer numbers than the models.
            weights = torch.from_numpy(contrast(samples.training[part.rows], samples.population[part.rows])).to(device)
            collector.add(part, step, Context(exact, weights), state, at)


def trajectory(run: Run, device: str = "auto", chunk: int | None = None, ordered: bool = False) -> Values:
    """The models themselves, (replicates, checkpoints, models, *weight_shape) in float64, models being m, or 1 if centralized.

    ``ordered`` gossips in the order of summation that a distributed run has, see :func:`empirical.simulation.simulate`.
    """
    place, problem = resolve_device(device), build_problem(run.problem)
    samples = draw_samples(run, problem)
    result = np.empty((run.replicates, len(run.read_at), run.models, *problem.weight_shape))
    with torch.inference_mode(), one_thread():
        for part, step, state in states(run, problem, samples, cut(run, problem, 0, chunk, place), place, run.read_at, ordered=ordered):
            models = state[:, 0].double().cpu().numpy()
            result[part.rows, step] = models.reshape(len(part.replicates), run.models, *problem.weight_shape)
    return result
