"""Gossip as one node sees it: whom it sends its model to, whose models it waits for, and in which order it adds them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirical.configuration import Run
from empirical.gossip import gossip_event, gossip_phase, gossip_steps, relabelling
from empirical.mixing import Mix, ordered_sum

Message = tuple[int, Tensor]


class Exchange(Protocol):
    """Sends to neighbours and waits for theirs."""

    def exchange(self, outgoing: Sequence[Message], incoming: Sequence[Message], /) -> None:
        """Send each tensor of ``outgoing`` to its node, and fill each of ``incoming`` from its; messages of a pair keep their order."""


@dataclass(frozen=True)
class Route:
    """One gossip step of one node for some replicates.

    Attributes:
        rows: the replicates.
        terms: (node, weight) of everything that is added up, itself among them, in the order of summation.
        receivers: the nodes that add this one's model up.
    """

    rows: slice
    terms: tuple[tuple[int, float], ...]
    receivers: tuple[int, ...]


def route(matrix: NDArray[np.float64], node: int, rows: slice, parts: NDArray[np.int64] | None = None) -> Route:
    """The route of ``node`` in one gossip step; with ``parts``, where node k plays the part of node ``parts[k]`` of the matrix.

    The order of summation is ascending in the parts, which is what renumbering the nodes, summing, and renumbering them back gives.
    """
    played = np.arange(len(matrix)) if parts is None else parts
    player, own = np.argsort(played), int(played[node])
    terms = tuple((int(player[j]), float(matrix[own, j])) for j in np.flatnonzero(matrix[own]))
    receivers = tuple(sorted(int(player[i]) for i in np.flatnonzero(matrix[:, own]) if i != own))
    return Route(rows, terms, receivers)


class NodeGossip:
    """The gossip of every step of ``run`` at ``node``, with its neighbours' models coming through ``peers``.

    To the last bit row ``node`` of what :class:`empirical.gossip.Gossip` computes with ``ordered=True``.
    """

    def __init__(self, run: Run, node: int, peers: Exchange) -> None:
        self.run, self.node, self.peers = run, node, peers
        self._fixed: dict[int, list[list[Route]]] = {}

    def at(self, step: int) -> Mix | None:
        """What step 1, 2, ... applies to this node's models (replicates, 1, P); None for no gossip."""
        event = gossip_event(self.run, step)
        if event is None:
            return None
        routes = self.routes(event)

        def mix(models: Tensor, out: Tensor) -> None:
            mixed = models
            for number, one in enumerate(routes):
                mixed = self._step(mixed, one, out if number == len(routes) - 1 else torch.empty_like(models))

        return mix

    def routes(self, event: int) -> list[list[Route]]:
        """For each of the Q gossip steps of an event, the routes of all replicates: one, or one for each where nodes are renumbered."""
        run, phase = self.run, gossip_phase(self.run, event)
        if run.graphs == "relabelled":
            parts = [relabelling(run, event, replicate) for replicate in range(run.replicates)]
            return [[route(one, self.node, slice(r, r + 1), part) for r, part in enumerate(parts)] for one in gossip_steps(run, phase)]
        if phase not in self._fixed:
            self._fixed[phase] = [[route(one, self.node, slice(None))] for one in gossip_steps(run, phase)]
        return self._fixed[phase]

    def _step(self, models: Tensor, routes: Sequence[Route], out: Tensor) -> Tensor:
        outgoing = [(peer, models[one.rows]) for one in routes for peer in one.receivers]
        arriving = [{peer: torch.empty_like(models[one.rows]) for peer, _ in one.terms if peer != self.node} for one in routes]
        self.peers.exchange(outgoing, [message for those in arriving for message in those.items()])
        for one, those in zip(routes, arriving, strict=True):
            terms = [(models[one.rows] if peer == self.node else those[peer], weight) for peer, weight in one.terms]
            out[one.rows] = ordered_sum(terms)
        return out
