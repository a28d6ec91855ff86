"""Questions asked backwards: which value meets a target, against scipy's root finder, and how a bound grows, against sympy."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import sympy
from scipy.optimize import brentq
from sympy.core.cache import clear_cache

import bounds
from benchmarks.record import Record, load_note, seconds
from bounds.bound import Bound
from bounds.expression import to_sympy

_UNIT = "s a call, less is better"
_NETWORK = {"sigma2": 1.0, "zeta2": 0.5, "beta": 1.0, "m": 16, "gap": 0.1}
_NONCONVEX = {"L": 1.0, "T": 1000, "m": 16, "n": 64, "beta": 1.0, "M": 1.0}
#: By family: bound, parameter, the others, target, and an interval with the answer inside for the peer.
_TARGETS: dict[str, tuple[str, str, dict[str, Any], float, tuple[float, float]]] = {
    "closed form": ("dsgd_convex", "eta", {"L": 1.0, "T": 1000, "m": 16, "n": 64, "beta": 1.0}, 0.1, (1e-6, 2.0)),
    "consensus distance": ("consensus_distance_atc", "eta", _NETWORK | {"Q": 4}, 1e-3, (1e-6, 0.3)),
    "valley": (
        "mgs_excess_convex",
        "eta",
        _NETWORK | {"L": 1.0, "r0": 1.0, "n": 100, "Q": 4, "T": 1000},
        0.2,
        (0.02, 0.25),
    ),
    "minimised over t0": ("dsgd_nonconvex", "c", _NONCONVEX, 0.1, (1e-3, 10.0)),
    "t0": ("l1_stability_nonconvex", "t0", {"L": 1.0, "c": 0.5, "beta": 1.0, "T": 1000, "m": 16, "n": 64}, 0.01, (0, 999)),
}


def calibration(family: str) -> Record:
    """``calibrate``, certified, against ``scipy.optimize.brentq`` on the same bound in floats."""
    name, parameter, others, target, interval = _TARGETS[family]
    bound = bounds.get(name)

    def missing(value: float) -> float:
        asked = round(value) if parameter == "t0" else value
        return math.log(bound.evaluate(**others, **{parameter: asked}) / target)

    ours = seconds(lambda: bounds.calibrate(bound, parameter, target=target, **others), 10)
    peer = seconds(lambda: brentq(missing, *interval, rtol=1e-12), 10)
    note = f"ours is certified and needs no interval; {load_note()}"
    return Record(f"calibrate, {family}: {name} in {parameter}", _UNIT, ours, peer, "scipy.optimize.brentq", peer / ours, None, note)


def _with_sympy(bound: Bound, parameter: str, order: Callable[[Any], Any]) -> object:
    """The limit of value over order, for an order that was told beforehand; sympy's memory of earlier calls is cleared."""
    clear_cache()
    size = to_sympy(bounds.expression.Name(parameter))
    return sympy.limit(bound.sympy() / order(size), size, sympy.oo)


_ORDERS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "closed form": ("dsgd_convex", "m", lambda m: 1 / m),
    "exponents in the parameters": (
        "dsgd_nonconvex_relaxed",
        "T",
        lambda T: T ** (to_sympy(bounds.expression.parse("beta*c/(beta*c+1)", {"beta": None, "c": None}))),
    ),
    "geometric sum": ("dsgd_strongly_convex", "n", lambda n: 1 / n),
    "fixed point": ("consensus_distance_cta", "b", lambda b: b**0),
}


def order(family: str) -> Record:
    """``rate``, which finds the order and checks it, against ``sympy.limit`` of value over an order that is given to it."""
    name, parameter, known = _ORDERS[family]
    bound = bounds.get(name)
    ours = seconds(lambda: bounds.rate(bound, parameter), 5)
    peer = seconds(lambda: _with_sympy(bound, parameter, known), 1)
    note = f"sympy is told the order; {load_note()}"
    return Record(f"rate, {family}: {name} in {parameter}", _UNIT, ours, peer, "sympy.limit", peer / ours, None, note)


BACKWARD = [*(partial(calibration, family) for family in _TARGETS), *(partial(order, family) for family in _ORDERS)]
