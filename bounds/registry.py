"""Finding bounds by id."""

from __future__ import annotations

import importlib
from functools import cache

from bounds.bound import Bound
from bounds.errors import unknown_name

_FAMILIES = (
    "hardt2016",
    "dsgd_convex",
    "dsgd_strongly_convex",
    "dsgd_nonconvex",
    "dsgd_worst_node",
    "consensus_distance",
    "excess_risk",
    "excess_gap",
    "step_limit",
    "exit_time",
    "disagreement",
    "sam",
)


@cache
def entries() -> dict[str, Bound]:
    """Every bound by id, in the order of the catalogue."""
    modules = (importlib.import_module(f"bounds.catalogue.{family}") for family in _FAMILIES)
    return {bound.id: bound for module in modules for bound in module.BOUNDS}


def get(bound_id: str) -> Bound:
    """The bound with this id.

    >>> get("dsgd_convex").evaluate(L=1, eta=0.05, T=1000, m=16, n=64)
    0.09765625000000001

    Raises:
        UnknownNameError: with the nearest id.
    """
    bounds = entries()
    if bound_id not in bounds:
        raise unknown_name("bound", bound_id, bounds)
    return bounds[bound_id]
