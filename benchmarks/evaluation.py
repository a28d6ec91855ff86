"""Evaluating bounds: a cold process, one point, and grids of a million points."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import bounds
from benchmarks.record import Record, load_note, seconds

_VALUES = {"L": 1.0, "eta": 0.05, "T": 1000, "m": 16, "n": 64}
_ARGUMENTS = [f"{name}={value}" for name, value in _VALUES.items()]
_LESS = "s, less is better"
_CALLS = 200


def cold_evaluate() -> Record:
    """``gossip-bounds evaluate`` as a cold process against importing sympy."""
    command = [str(Path(sys.executable).with_name("gossip-bounds")), "evaluate", "dsgd_convex", *_ARGUMENTS]
    ours = seconds(lambda: subprocess.run(command, check=True, capture_output=True), 5)
    peer = seconds(lambda: subprocess.run([sys.executable, "-c", "import sympy"], check=True), 5)
    return Record("cold process, evaluate", _LESS, ours, peer, "python -c 'import sympy'", peer / ours, 1 / 0.6, load_note())


def _one(name: str, bound_id: str, values: dict[str, Any], peer: Callable[[], object], peer_name: str, asked: str) -> Record:
    bound = bounds.get(bound_id)
    ours = seconds(lambda: [bound.evaluate(**values) for _ in range(_CALLS)], 20) / _CALLS
    other = seconds(lambda: [peer() for _ in range(_CALLS)], 5) / _CALLS
    return Record(name, _LESS, ours, other, peer_name, other / ours, None, f"{asked}; {load_note()}")


def closed_form() -> Record:
    """One point of a composite bound, rounded up, against the formula written by hand in numpy."""
    values = _VALUES | {"gap": 0.05, "Q": 3}
    numbers = {name: np.float64(value) for name, value in values.items()}
    return _one(
        "one point, closed form", "dsgd_worst_node_convex", values, lambda: worst_node(**numbers), "numpy by hand", "asked: below 3e-6"
    )


def minimised() -> Record:
    """One point of a bound minimised over its integer t0, against trying every t0 in numpy."""
    values = {"L": 1.0, "c": 0.5, "T": 10_000, "m": 16, "n": 64, "beta": 1.0, "M": 1.0}

    def brute() -> float:
        growth = np.cumprod((1 + 0.5 / np.arange(1, 10_001))[::-1])[::-1]
        return float(np.min(np.arange(10_001) / 64 + 2 / (16 * 64) * (np.append(growth, 1.0) - 1)))

    return _one("one point, minimised over t0", "dsgd_nonconvex", values, brute, "every t0 in numpy", "asked: below 5e-5")


def convex(L: Any, eta: Any, T: Any, m: Any, n: Any) -> Any:
    """The simplest bound by hand."""
    return 2 * L**2 * eta * T / (m * n)


def strongly_convex(L: Any, eta: Any, T: Any, m: Any, n: Any, mu: Any) -> Any:
    """Ten operations by hand."""
    return 2 * L**2 / (mu * m * n) * (1 - (1 - eta * mu) ** T)


def worst_node(L: Any, eta: Any, T: Any, m: Any, n: Any, gap: Any, Q: Any) -> Any:
    """A geometric sum by hand."""
    x = (1 - gap) ** Q
    return 2 * L**2 * eta / n * (T / m + (1 - 1 / m) * x * (1 - x**T) / (1 - x))


def consensus_distance(eta: Any, sigma2: Any, zeta2: Any, m: Any, gap: Any, Q: Any, beta: Any) -> Any:
    """A fixed point by hand."""
    x = (1 - gap) ** Q
    r, z, s2 = x * (1 + eta * beta), x * eta * np.sqrt(zeta2), x**2 * eta**2 * sigma2 * (1 - 1 / m)
    return ((r * z + np.sqrt(z**2 + (1 - r**2) * s2)) / (1 - r**2)) ** 2


_ETA, _GAP, _STEPS = (np.geomspace(1e-4, 1e-1, 1000), np.geomspace(1e-3, 1, 1000), np.geomspace(1, 1e6, 1000).round())
_GRIDS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "dsgd_convex": (convex, {"L": 1.0, "eta": _ETA[:, None], "T": _STEPS, "m": 16, "n": 64}),
    "dsgd_strongly_convex": (strongly_convex, {"L": 1.0, "eta": _ETA[:, None], "T": _STEPS, "m": 16, "n": 64, "mu": 0.1}),
    "dsgd_worst_node_convex": (worst_node, {"L": 1.0, "eta": 0.05, "T": _STEPS[:, None], "m": 16, "n": 64, "gap": _GAP, "Q": 3}),
    "consensus_distance_atc": (
        consensus_distance,
        {"eta": _ETA[:, None], "sigma2": 1.0, "zeta2": 0.5, "m": 16, "gap": _GAP, "Q": 3, "beta": 1.0},
    ),
}


def _columns(values: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """The same parameters, a million independent values each."""
    size = 1_000_000
    ranges = {
        "eta": (1e-4, 1e-1),
        "gap": (1e-3, 1.0),
        "L": (0.1, 10),
        "beta": (0.1, 5),
        "sigma2": (0.1, 10),
        "zeta2": (0.1, 10),
        "mu": (1e-3, 0.1),
    }
    counts = {"T": 10**6, "m": 1024, "n": 10**5, "Q": 20}
    whole = {name: rng.integers(1, high, size).astype(float) for name, high in counts.items() if name in values}
    return {name: np.exp(rng.uniform(*map(math.log, ranges[name]), size)) if name in ranges else whole[name] for name in values}


def _grid(bound_id: str, columns: bool) -> Record:
    by_hand, values = _GRIDS[bound_id]
    values = _columns(values, np.random.default_rng(1)) if columns else values
    bound = bounds.get(bound_id)
    with np.errstate(all="ignore"):
        peer = seconds(lambda: by_hand(**values), 9)
    ours = seconds(lambda: bound.evaluate(**values), 9)
    simplest = bound_id == "dsgd_convex"
    name = f"{'1e6 columns' if columns else '1000 x 1000 grid'}, {bound_id}"
    return Record(name, _LESS, ours, peer, "numpy by hand", peer / ours, 1 / 1.2 if simplest else 1 / 0.7, load_note())


GRIDS = [partial(_grid, bound_id, columns) for columns in (False, True) for bound_id in _GRIDS]
