"""Spectra of a million nodes: seconds, and the memory that finding them adds, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.record import Record, load_note
from bounds.topology import closed_form, extremes, gossip_steps, sparse_metropolis

_CLOSED = {"ring": 10**6, "torus": 10**6, "hypercube": 2**20, "exponential": 10**6}
_NODES, _CYCLES = 10**6, 3
_MATRIX_BYTES = 8 * _NODES**2


def _random_cycles() -> str:
    """The union of random Hamiltonian cycles: a sparse graph without closed form, and connected."""
    from scipy import sparse

    rng, pattern = np.random.default_rng(0), None
    for _ in range(_CYCLES):
        order = rng.permutation(_NODES)
        one = sparse.csr_array((np.ones(_NODES), (order, np.roll(order, 1))), shape=(_NODES, _NODES))
        pattern = one + one.T if pattern is None else pattern + one + one.T
    found = extremes(sparse_metropolis(pattern))
    return f"gap {found.gap:.4g}, residual {found.residual:.1g}, {found.products} products"


def _closed(name: str) -> str:
    found = closed_form(name, _CLOSED[name])
    assert found is not None
    return f"gap {found.gap:.4g}, {gossip_steps(found.gap, 1e-3)} gossip steps to 1e-3"


def _peak() -> int:
    """The most bytes that this program has held; getrusage would count what the process held before it became this program."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def _spent(name: str) -> str:
    before, start = _peak(), time.process_time()
    words = _random_cycles() if name == "random_cycles" else _closed(name)
    seconds = time.process_time() - start
    return f"{seconds}|{_peak() - before}|{words}"


def _record(name: str) -> Record:
    done = subprocess.run([sys.executable, "-m", "benchmarks.topologies", name], capture_output=True, text=True, check=True)
    seconds, added, words = done.stdout.strip().split("|")
    note = f"{words}; {float(seconds):.3g} s of processor time; {load_note()}"
    return Record(
        f"spectrum of {_CLOSED.get(name, _NODES)} nodes, {name.replace('_', ' ')}",
        "bytes of memory, less is better",
        float(added),
        _MATRIX_BYTES,
        "the dense matrix alone",
        _MATRIX_BYTES / max(float(added), 1.0),
        None,
        note,
    )


def _benchmark(name: str) -> Callable[[], Record]:
    return lambda: _record(name)


LARGE = tuple(_benchmark(name) for name in (*_CLOSED, "random_cycles"))

if __name__ == "__main__":
    print(_spent(sys.argv[1]))
