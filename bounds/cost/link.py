r"""Seconds and bytes of one gossip step, from the latency and the bandwidth of a node's links.

In a gossip step every node sends its model, s bytes, to its d neighbours, and goes on when theirs have come. With latency a
(seconds a message) and bandwidth B (bytes a second) the last of its messages arrives after

* ``serial``: d (a + s/B), each message waits for the one before to arrive;
* ``overlapping``: a + d s/B, one link that all messages share, their latencies overlap;
* ``parallel``: a + s/B, a link of its own for every neighbour.

The first two are the alpha-beta model of one port (Hockney 1994), the last that of d ports. Nodes wait for their neighbours, so
the busiest node sets the pace: d is the largest degree. Derived here: nothing but these sums.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from bounds.errors import DomainError, unknown_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Sends = Literal["serial", "overlapping", "parallel"]
#: How a node sends to its neighbours, see :class:`Link`.
SENDS: tuple[Sends, ...] = ("serial", "overlapping", "parallel")
_ITEMS = {"float32": 4, "float64": 8}


@dataclass(frozen=True, slots=True)
class Link:
    """How fast a node sends.

    Args:
        latency: seconds a message, >= 0. bandwidth: bytes a second, > 0, may be infinite.
        sends: serial, overlapping or parallel, see the module.

    Raises:
        DomainError, UnknownNameError: for anything else.
    """

    latency: float
    bandwidth: float
    sends: Sends = "overlapping"

    def __post_init__(self) -> None:
        if not 0 <= self.latency < math.inf:
            raise DomainError(f"got latency={self.latency!r}; a link's latency is a finite number of seconds >= 0")
        if not self.bandwidth > 0:
            raise DomainError(f"got bandwidth={self.bandwidth!r}; a link's bandwidth is a number of bytes a second > 0")
        if self.sends not in SENDS:
            raise unknown_name("way of sending", self.sends, SENDS)

    def seconds(self, degree: int, size: int) -> float:
        """Seconds of one gossip step in which the busiest node sends ``degree`` messages of ``size`` bytes.

        >>> Link(0.001, 1e6, "serial").seconds(2, 500)
        0.003
        """
        return max(arrivals(self, [size] * degree), default=0.0)


def arrivals(link: Link, sizes: Sequence[int]) -> list[float]:
    """When each of a node's messages of ``sizes`` bytes arrives, in seconds after the first may leave; they leave in this order."""
    transfers = [size / link.bandwidth for size in sizes]
    if link.sends == "parallel":
        return [link.latency + transfer for transfer in transfers]
    if link.sends == "overlapping":
        return [link.latency + moment for moment in accumulate(transfers)]
    return list(accumulate(link.latency + transfer for transfer in transfers))


def message_bytes(weights: int, precision: str = "float32") -> int:
    """Bytes of one message: a model of ``weights`` numbers.

    Raises:
        DomainError, UnknownNameError: for no weights, or another precision.
    """
    if precision not in _ITEMS:
        raise unknown_name("precision", precision, _ITEMS)
    if isinstance(weights, bool) or weights != int(weights) or weights < 1:
        raise DomainError(f"got weights={weights!r}; a model has an integer number >= 1 of weights")
    return int(weights) * _ITEMS[precision]


def busiest_degree(matrix: NDArray[np.float64]) -> int:
    """The most messages that a node sends or receives in one gossip step of the (m, m) mixing matrix; 0 for one node."""
    edges = matrix > 0
    own = edges.diagonal()
    return int(max((edges.sum(0) - own).max(), (edges.sum(1) - own).max()))
