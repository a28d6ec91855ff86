"""Evaluating bounds: a cold process, and one scalar once loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bounds
from benchmarks.record import Record, load_note, seconds

_VALUES = {"L": 1.0, "eta": 0.05, "T": 1000, "m": 16, "n": 64}
_ARGUMENTS = [f"{name}={value}" for name, value in _VALUES.items()]


def cold_evaluate() -> Record:
    """``gossip-bounds evaluate`` as a cold process against importing sympy."""
    command = [str(Path(sys.executable).with_name("gossip-bounds")), "evaluate", "dsgd_convex", *_ARGUMENTS]
    ours = seconds(lambda: subprocess.run(command, check=True, capture_output=True), 5)
    peer = seconds(lambda: subprocess.run([sys.executable, "-c", "import sympy"], check=True), 5)
    return Record("cold process, evaluate", "s, less is better", ours, peer, "python -c 'import sympy'", peer / ours, 1 / 0.6, load_note())


def warm_scalar() -> Record:
    """One certified scalar against sympy's evalf of the same expression at 30 digits."""
    bound = bounds.get("dsgd_worst_node_convex")
    values = _VALUES | {"gap": 0.05, "Q": 3}
    expression = bound.sympy()
    substitution = {symbol: values[symbol.name] for symbol in expression.free_symbols}
    calls = 200
    ours = seconds(lambda: [bound.evaluate(**values) for _ in range(calls)], 3) / calls
    peer = seconds(lambda: [expression.evalf(30, subs=substitution) for _ in range(calls)], 3) / calls
    return Record("certified scalar", "s, less is better", ours, peer, "sympy evalf, 30 digits", peer / ours, None, load_note())
