"""First-passage times of many walkers at once, through the engine's own update forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from empirical.device import one_thread
from empirical.exits.escape import Escape
from empirical.exits.survival import ExitTimes
from empirical.mixing import mixer
from empirical.streams import stream
from empirical.updates import UPDATES, Rules
from empirical.viewpoint import Viewpoint, network_mean

_BLOCK = 32
"""Steps per draw; it does not change the draws."""
_ENTRIES = 1 << 14
"""Numbers that move together: enough to hide the cost of a torch call, few enough for a cache."""


class _Noise:
    """Each walker's own stream, so that no walk depends on how many walk beside it."""

    def __init__(self, escape: Escape, replicates: range) -> None:
        values, vectors = np.linalg.eigh(escape.step_covariance())
        # The symmetric root: unlike Cholesky's it exists for every covariance.
        self.root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
        self.generators = [stream(escape.seed, "exit-noise", replicate) for replicate in replicates]
        self.models, self.d = escape.models, len(values)
        shift = np.zeros((self.models, self.d))
        if escape.heterogeneity is not None and escape.mixing is not None:
            shift = np.array(escape.heterogeneity, dtype=np.float64)
        self.shift = torch.from_numpy(shift).unsqueeze(-1)

    def block(self, steps: int) -> Tensor:
        """Noise and heterogeneity of the next ``steps`` steps, (steps, models, d * walkers)."""
        normal = np.empty((len(self.generators), steps, self.models, self.d))
        for generator, part in zip(self.generators, normal, strict=True):
            generator.standard_normal(out=part)
        columns = torch.from_numpy(normal).permute(1, 2, 3, 0).contiguous()
        # Elementwise, in one fixed order: a matrix product's bits could depend on the number of walkers.
        mixed = columns * torch.from_numpy(self.root.diagonal()[:, None].copy())
        for i, j in np.argwhere(self.root * (1 - np.eye(self.d))):
            mixed[:, :, i].add_(columns[:, :, j], alpha=self.root[i, j])
        return mixed.add_(self.shift).view(steps, self.models, -1)

    def keep(self, walkers: NDArray[np.int64]) -> None:
        self.generators = [self.generators[walker] for walker in walkers]


def exit_times(
    escape: Escape, progress: Callable[[float], None] | None = None, watch: Callable[[Tensor, int], None] | None = None
) -> ExitTimes:
    """The first step t >= 1 after which each walk's readout is at or past the level; censored at the horizon.

    Walks are keyed by (seed, replicate): a longer horizon or more replicates begin like fewer, to the last bit, and the
    decentralized forms share their noise. ``progress`` is called with the fraction of replicates done, ``watch`` every 32 steps
    with the models (1, m, d * walkers), coordinate by coordinate, of the walkers that are still inside, and their number.

    Raises:
        DomainError: when a walk diverges before it exits.
    """
    size = max(1, _ENTRIES // (escape.models * escape.potential.dimension))
    found = []
    with torch.inference_mode(), one_thread():
        for first in range(0, escape.replicates, size):
            last = min(first + size, escape.replicates)
            found.append(_walk(escape, range(first, last), watch))
            if progress is not None:
                progress(last / escape.replicates)
    times = np.concatenate(found)
    return ExitTimes(np.where(times > 0, times, escape.horizon), times > 0)


def _start(escape: Escape, walkers: int) -> Tensor:
    models = torch.zeros((1, escape.models, escape.potential.dimension, walkers), dtype=torch.float64)
    models[:, :, 0] = escape.potential.bottom
    return models.view(1, escape.models, -1)


def _walk(escape: Escape, replicates: range, watch: Callable[[Tensor, int], None] | None = None) -> NDArray[np.int64]:
    """Exit times of some replicates, 0 for those still inside at the horizon."""
    power = None if escape.mixing is None else escape.mixing.power(escape.Q)
    mix = None if power is None else mixer(power, torch.device("cpu"), torch.float64, by_column=True)
    rules, update = Rules(escape.potential, mix, None), UPDATES[escape.update_form]
    noise, models, viewpoint = _Noise(escape, replicates), _start(escape, len(replicates)), escape.viewpoint
    alive, times, step = np.arange(len(replicates)), np.zeros(len(replicates), dtype=np.int64), 0
    while step < escape.horizon and len(alive):
        spare = torch.empty_like(models)
        for draws in noise.block(min(_BLOCK, escape.horizon - step)):
            step += 1
            models, spare = update(rules, models, spare, draws, escape.eta)
            outside = _outside(escape, viewpoint, models, len(alive))
            if bool(outside.any()):
                gone = alive[outside.numpy()]
                times[gone] = np.where(times[gone] == 0, step, times[gone])
        inside = np.flatnonzero(times[alive] == 0)
        if len(inside) < len(alive):
            # Walkers that left are dropped between draws; until then they walk on unread.
            models, alive = _kept(models, inside, len(alive)), alive[inside]
            noise.keep(inside)
        if not bool(torch.isfinite(models).all()):
            raise DomainError(f"a walk diverged before step {step} without an exit; take a smaller eta than {escape.eta:g}")
        if watch is not None and len(alive):
            watch(models, len(alive))
    return times


def _outside(escape: Escape, viewpoint: Viewpoint, models: Tensor, walkers: int) -> Tensor:
    """(walkers,) booleans: is the exit coordinate, averaged over the readout's points, at or past the level?"""
    points = viewpoint.points(models)[0]
    coordinates = escape.potential.progress(points.view(len(points), -1, walkers)[:, 0])
    return network_mean(coordinates) >= escape.exit_level


def _kept(models: Tensor, inside: NDArray[np.int64], walkers: int) -> Tensor:
    columns = models.view(*models.shape[:2], -1, walkers)[..., torch.from_numpy(inside)]
    return columns.reshape(*models.shape[:2], -1)
