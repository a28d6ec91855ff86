"""The other nodes of a run, reached over torch.distributed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from bounds.errors import DomainError, NodeLostError, unknown_name
from empirical.distributed.neighbours import Message
from empirical.distributed.throttle import Throttle

BACKENDS = ("gloo", "nccl")


@dataclass
class Traffic:
    """What this node has sent so far: messages, their bytes, gossip steps, and the seconds that these took, waiting included."""

    messages: int = 0
    sent_bytes: int = 0
    steps: int = 0
    seconds: float = 0.0


class Peers:
    """Node ``rank`` of ``size``, in the default process group, which :func:`joined` sets up.

    Args:
        timeout: seconds after which a node that does not answer counts as lost.
        throttle: a slower link to pretend, or None.
    """

    def __init__(self, rank: int, size: int, timeout: float, throttle: Throttle | None = None) -> None:
        self.rank, self.size, self.timeout, self.throttle = rank, size, timeout, throttle
        self.traffic = Traffic()

    def exchange(self, outgoing: Sequence[Message], incoming: Sequence[Message]) -> None:
        """One gossip step, see :class:`empirical.distributed.neighbours.Exchange`.

        Raises:
            NodeLostError: naming the node that does not answer.
        """
        begun = time.perf_counter()
        receiving = [dist.P2POp(dist.irecv, tensor, peer) for peer, tensor in incoming]
        if self.throttle is None:
            self._finish([*receiving, *(dist.P2POp(dist.isend, tensor, peer) for peer, tensor in outgoing)])
        else:
            self._slowly(receiving, outgoing, self.throttle)
        self.traffic.messages += len(outgoing)
        self.traffic.sent_bytes += sum(tensor.nbytes for _, tensor in outgoing)
        self.traffic.steps += 1
        self.traffic.seconds += time.perf_counter() - begun

    def _finish(self, operations: Sequence[dist.P2POp]) -> None:
        if not operations:
            return
        with self._answering(None):
            works = dist.batch_isend_irecv(list(operations))
        # A backend that bundles them returns one work for all.
        names = [one.peer for one in operations] if len(works) == len(operations) else [None] * len(works)
        for work, peer in zip(works, names, strict=True):
            with self._answering(peer):
                work.wait()

    def _slowly(self, receiving: Sequence[dist.P2POp], outgoing: Sequence[Message], throttle: Throttle) -> None:
        with self._answering(None):
            waiting = [(one.peer, dist.irecv(one.tensor, one.peer)) for one in receiving]

        def send(peer: int | None, tensor: Tensor) -> None:
            assert peer is not None
            with self._answering(peer):
                waiting.append((peer, dist.isend(tensor, peer)))

        throttle.send([tensor.nbytes for _, tensor in outgoing], [lambda p=p, t=t: send(p, t) for p, t in outgoing])  # type: ignore[misc]
        for peer, work in waiting:
            with self._answering(peer):
                assert work is not None
                work.wait()

    def everybody(self, value: Any) -> list[Any]:
        """What every node gives here, by node."""
        found: list[Any] = [None] * self.size
        with self._answering(None):
            dist.all_gather_object(found, value)
        return found

    def meet(self) -> None:
        """Wait until all nodes are here."""
        with self._answering(None):
            dist.barrier()

    def collect(self, tensor: Tensor) -> list[Tensor] | None:
        """At node 0 every node's tensor, all of one shape, by node; None elsewhere."""
        if self.rank:
            self._finish([dist.P2POp(dist.isend, tensor, 0)])
            return None
        others = [torch.empty_like(tensor) for _ in range(1, self.size)]
        self._finish([dist.P2POp(dist.irecv, other, peer) for peer, other in enumerate(others, start=1)])
        return [tensor, *others]

    @contextmanager
    def _answering(self, peer: int | None) -> Iterator[None]:
        who = "a node does" if peer is None else f"node {peer} does"
        try:
            yield
        except RuntimeError as error:
            raise NodeLostError(f"{who} not answer ({_reason(error, self.timeout)})") from None


def _reason(error: RuntimeError, timeout: float) -> str:
    text = " ".join(str(error).split()).lower()
    if "timed out" in text or "timeout" in text:
        return f"nothing came for {timeout:g} s"
    if "closed" in text or "reset" in text or "refused" in text:
        return "its connection is closed"
    return text[:120]


@contextmanager
def joined(
    rank: int, size: int, backend: str = "gloo", timeout: float = 60.0, throttle: Throttle | None = None, **where: Any
) -> Iterator[Peers]:
    """Join the process group that torchrun's environment names, or the one that ``where`` (store, init_method) does.

    Raises:
        UnknownNameError, DomainError: for another backend, or a throttle with nccl, whose sends cannot be held back one by one.
        NodeLostError: when not all nodes come within the timeout.
    """
    if backend not in BACKENDS:
        raise unknown_name("backend", backend, BACKENDS)
    if throttle is not None and backend != "gloo":
        raise DomainError(f"got a throttle with backend={backend!r}; it holds back the sends of backend='gloo' only")
    try:
        dist.init_process_group(backend, rank=rank, world_size=size, timeout=timedelta(seconds=timeout), **where)
    except RuntimeError as error:
        raise NodeLostError(f"not all {size} nodes have come ({_reason(error, timeout)})") from None
    try:
        yield Peers(rank, size, timeout, throttle)
    finally:
        dist.destroy_process_group()
