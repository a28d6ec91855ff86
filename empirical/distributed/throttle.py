"""A slow link, pretended inside the sending process: each message leaves when it would have arrived over the stated link."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bounds.cost import Link, arrivals


@dataclass(frozen=True)
class Throttle:
    """Holds messages back for as long as ``link`` would take to deliver them; the real sends come on top.

    ``clock`` and ``sleep`` count in seconds.
    """

    link: Link
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def send(self, sizes: Sequence[int], messages: Sequence[Callable[[], None]]) -> None:
        """Send each of ``messages``, of ``sizes`` bytes, when it would have arrived, in seconds since this call."""
        begun = self.clock()
        for moment, message in zip(arrivals(self.link, sizes), messages, strict=True):
            left = begun + moment - self.clock()
            if left > 0:
                self.sleep(left)
            message()
