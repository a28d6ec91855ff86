"""Which gossip a step does: one matrix, a randomly renumbered one, one peer at a time, or none."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.vocabulary import UpdateForm
from empirical.configuration import Run
from empirical.mixing import Mix, mixer, ordered_mixer
from empirical.streams import stream

Owners = NDArray[np.int64]
_BLOCK = 256


def relabelling(run: Run, event: int, replicate: int) -> NDArray[np.int64]:
    """The permutation (m,) of the ``event``-th gossip (1, 2, ...): node k plays the part of node ``permutation[k]`` of W.

    Uniform, independent over events and replicates, and keyed: it depends on nothing but seed, replicate, event and m.
    """
    block, place = divmod(event - 1, _BLOCK)
    return np.asarray(_relabellings(run.seed, run.m, block, replicate)[place])


@lru_cache(maxsize=4096)
def _relabellings(seed: int, m: int, block: int, replicate: int) -> NDArray[np.int64]:
    uniforms = stream(seed, f"relabelling-{block}", replicate).random((_BLOCK, m))
    return np.argsort(uniforms, axis=1, kind="stable")


def one_peer(m: int, first: int, count: int) -> NDArray[np.float64]:
    """The product W_(first + count - 1) ... W_first of one-peer exponential graphs (Ying et al. 2021, arXiv 2110.13363).

    W_r averages node k with node k + 2^(r mod ceil(log2 m)) mod m, half and half. For m a power of two, any log2 m in a row
    average exactly.
    """
    product, period = np.eye(m), max(1, (m - 1).bit_length())
    for number in range(first, first + count):
        product = (product + np.roll(product, -(2 ** (number % period)), axis=0)) / 2
    return product


def gossip_event(run: Run, step: int) -> int | None:
    """The number 1, 2, ... of the gossip that step 1, 2, ... does; None for a step without."""
    if run.update_form is UpdateForm.CENTRALIZED or step % run.gossip_every:
        return None
    return step // run.gossip_every


def gossip_phase(run: Run, event: int) -> int:
    """Gossips of one phase apply the same matrices (before nodes are renumbered): one-peer graphs take turns, others have one phase."""
    return (event - 1) * run.Q % max(1, (run.m - 1).bit_length()) if run.graphs == "one_peer" else 0


def gossip_steps(run: Run, phase: int) -> list[NDArray[np.float64]]:
    """The Q matrices that a gossip applies one after the other; their product is what :class:`Gossip` applies at once."""
    if run.graphs == "one_peer":
        return [one_peer(run.m, phase + number, 1) for number in range(run.Q)]
    return [run.base_mixing().matrix] * run.Q


class Gossip:
    """The gossip of every step of ``run`` on ``device``, in the run's precision; ``width`` is P.

    ``ordered`` does the Q gossip steps one by one, each as :func:`empirical.mixing.ordered_mixer` sums, which is what nodes that
    send to their neighbours do; otherwise W^Q is applied at once, in the fastest way. The two differ by rounding.
    """

    def __init__(self, run: Run, device: torch.device, width: int = 0, ordered: bool = False) -> None:
        self.run, self.device, self.width, self.ordered = run, device, width, ordered
        self.dtype: torch.dtype = getattr(torch, run.precision)
        self._mixers: dict[int, Mix] = {}

    def at(self, step: int, replicates: range, owners: Owners) -> Mix | None:
        """What step 1, 2, ... applies to networks (k, m, P), network i being of ``replicates[owners[i]]``; None for no gossip."""
        run, event = self.run, gossip_event(self.run, step)
        if event is None:
            return None
        if run.graphs != "relabelled":
            return self._mixer(event)
        parts = np.stack([relabelling(run, event, replicate) for replicate in replicates])[owners]
        return _renumbered(self._mixer(event), torch.from_numpy(parts).to(self.device))

    def _mixer(self, event: int) -> Mix:
        """The mixer of W^Q, or of an event's one-peer product; each is made once."""
        phase = gossip_phase(self.run, event)
        if phase not in self._mixers:
            self._mixers[phase] = ordered_mixer(gossip_steps(self.run, phase)) if self.ordered else self._at_once(phase)
        return self._mixers[phase]

    def _at_once(self, phase: int) -> Mix:
        run = self.run
        matrix = one_peer(run.m, phase, run.Q) if run.graphs == "one_peer" else run.base_mixing().power(run.Q)
        return mixer(matrix, self.device, self.dtype, width=self.width)


def _renumbered(mix: Mix, parts: Tensor) -> Mix:
    """``mix`` with W replaced by W[parts][:, parts], network by network; ``parts`` (networks, m)."""
    offsets = torch.arange(len(parts), device=parts.device)[:, None] * parts.shape[1]
    forth, back = (parts + offsets).view(-1), (parts.argsort(1) + offsets).view(-1)

    def renumbered(models: Tensor, out: Tensor) -> None:
        played = models.reshape(-1, models.shape[-1]).index_select(0, back).view(models.shape)
        mixed = torch.empty_like(played)
        mix(played, mixed)
        torch.index_select(mixed.view(-1, mixed.shape[-1]), 0, forth, out=out.view(-1, out.shape[-1]))

    return renumbered
