"""Which networks a step has to train: a twin is its base run, to the last bit, until a batch draws what it replaces."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirical.samples import Indices

_READING_STEPS = 0.5
"""What putting the twins back in order for a reading takes, in steps of all networks; 0.4 was measured (docs/performance.md)."""


def forks_late(steps: int, readings: int, b: int, size: int) -> bool:
    """Does it pay to fork twins late, in ``steps`` steps that each draw ``b`` of the ``size`` samples of a group?

    A twin waits for about size/b steps, or for all of them; each of the ``readings`` costs some of what that saves.
    """
    return min(steps, size / b) >= _READING_STEPS * readings


def _first_drawn(block: Indices, size: int) -> Indices:
    """The first step 0, 1, ... of a ``block`` (steps, r, groups, b) that draws each place, (r, groups, size); else ``steps``."""
    steps, r, groups, b = block.shape
    first = np.full(r * groups * size, steps)
    places = np.arange(r * groups).reshape(r, groups, 1) * size + block
    np.minimum.at(first, places.reshape(-1), np.arange(steps).repeat(r * groups * b))
    return first.reshape(r, groups, size)


class Forks:
    """The networks in training, which are all of them (``late`` false), or the base runs and the twins that have left them.

    Networks are numbered replicate * lanes + lane. Those in training stand in the order in which they joined, base runs
    first, so that a step trains the first so many rows of one tensor.

    Args:
        training: (r, lanes, groups, size) training sets; lane 0 is the base run.
    """

    def __init__(self, training: Indices, device: torch.device, late: bool) -> None:
        self.shape, self.device, self.late = training.shape, device, late
        r, lanes, groups, size = training.shape
        self._training = training.reshape(r * lanes, groups, size)
        self._differing = np.nonzero(training != training[:, :1])
        self._follow(np.arange(0, r * lanes, lanes if late else 1))

    def _follow(self, order: NDArray[np.int64]) -> None:
        self.order, self.owners = order, order // self.shape[1]
        self._sets = torch.from_numpy(self._training[order]).to(self.device)
        self.rows = torch.from_numpy(self.owners).to(self.device)

    def plan(self, block: Indices) -> list[int]:
        """Line up the twins that fork in a ``block`` (steps, r, groups, b) of draws; the networks in training at each of its steps."""
        row, lane, group, place = self._differing
        present = len(self.order)
        if not self.late or present == len(self._training):
            return [present] * len(block)
        first = np.full(len(self._training), len(block))
        np.minimum.at(first, row * self.shape[1] + lane, _first_drawn(block, self.shape[3])[row, group, place])
        first[self.order] = len(block)
        ranked = np.argsort(first, kind="stable")
        joining = ranked[: int((first < len(block)).sum())]
        if len(joining):
            self._follow(np.concatenate([self.order, joining]))
        joined: list[int] = np.searchsorted(first[joining], np.arange(len(block)), side="right").tolist()
        return [present + count for count in joined]

    def indices(self, drawn: Tensor, count: int, models: int) -> Tensor:
        """Population indices (count * models, batch) of a step's places ``drawn`` (r, groups, b) in the first ``count`` networks."""
        shared = drawn if self.shape[1] == 1 else drawn.index_select(0, self.rows[:count])
        return self._sets[:count].gather(2, shared).view(count * models, -1)

    def every(self, models: Tensor, count: int) -> Tensor:
        """All networks (r, lanes, m, P) from the ``count`` in training, the first of ``models``; the others are their base runs."""
        r, lanes = self.shape[:2]
        if self.late and lanes > 1:
            where = np.arange(r).repeat(lanes)
            where[self.order[:count]] = np.arange(count)
            models = models.index_select(0, torch.from_numpy(where).to(self.device))
        return models.view(r, lanes, *models.shape[1:])
