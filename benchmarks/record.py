"""One row of ``benchmarks/results.json``, and the timing that fills it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """``ratio`` above 1 means that ours is better; ``unit`` says whether more or less is better."""

    name: str
    unit: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    target: float | None
    note: str

    def row(self) -> dict[str, Any]:
        """The JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def seconds(function: Callable[[], object], repeats: int) -> float:
    """The fastest of ``repeats`` calls, after one that warms caches."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def load_note() -> str:
    """The machine's foreign load, as the one-minute load average over its cores."""
    return f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores"
