"""One row of ``benchmarks/results.json``, and the timing that fills it."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
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


def _busy() -> tuple[float, float]:
    """Processor seconds of the machine, idle ones left out, and those of this process and its ended children; Linux only."""
    fields = [float(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    whole = (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return whole, sum(one.ru_utime + one.ru_stime for one in used)


def with_foreign_load(function: Callable[[], float]) -> tuple[float, str]:
    """What ``function`` returns, and how many cores other work held meanwhile, in words; empty where it cannot be told."""
    if not Path("/proc/stat").exists():
        return function(), ""
    start, (whole, own) = time.perf_counter(), _busy()
    found = function()
    spent, (whole_after, own_after) = time.perf_counter() - start, _busy()
    return found, f"others held {max(0.0, whole_after - whole - own_after + own) / spent:.2f} cores"
