"""Finding bounds by id: those of the catalogue, and one's own once they are loaded."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from bounds.bound import Bound
from bounds.errors import UnknownNameError, unknown_name
from bounds.symbols import REGISTRY, Symbol

_FAMILIES = (
    "hardt2016",
    "lei2020",
    "dsgd_convex",
    "dsgd_strongly_convex",
    "dsgd_nonconvex",
    "dsgd_on_average",
    "dsgd_worst_node",
    "consensus_distance",
    "l2_stability",
    "mgs_generalization",
    "mgs_optimization",
    "mgs_excess",
    "mgs_gossip",
    "excess_risk",
    "excess_gap",
    "step_limit",
    "exit_time",
    "disagreement",
    "sam",
)

_own: dict[str, tuple[Bound, str]] = {}


@cache
def catalogue() -> Mapping[str, Bound]:
    """Every bound of the catalogue by id, in its order."""
    modules = (importlib.import_module(f"bounds.catalogue.{family}") for family in _FAMILIES)
    return {bound.id: bound for module in modules for bound in module.BOUNDS}


def entries() -> dict[str, Bound]:
    """Every bound by id, in the order of the catalogue, one's own behind."""
    return {**catalogue(), **{bound_id: bound for bound_id, (bound, _) in _own.items()}}


def loaded() -> tuple[Bound, ...]:
    """The bounds of one's own."""
    return tuple(bound for bound, _ in _own.values())


def add(bound: Bound, origin: str) -> None:
    """Make :func:`get` find a bound of one's own; the file ``origin`` may replace what it added before.

    Raises:
        UnknownNameError: when another bound has this id.
    """
    taken_by = "the catalogue" if bound.id in catalogue() else _own[bound.id][1] if bound.id in _own else origin
    if taken_by != origin:
        raise UnknownNameError(f"id: the bound {bound.id!r} exists already in {taken_by}; choose another id")
    _own[bound.id] = (bound, origin)


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Forget the bounds and symbols of one's own that were added inside."""
    before = dict(_own), dict(REGISTRY)
    try:
        yield
    finally:
        _go_back(*before)


@contextmanager
def nothing_kept_on_error() -> Iterator[None]:
    """:func:`nothing_kept`, but only when the block ends in an error."""
    before = dict(_own), dict(REGISTRY)
    try:
        yield
    except BaseException:
        _go_back(*before)
        raise


def _go_back(own: dict[str, tuple[Bound, str]], symbols: dict[str, Symbol]) -> None:
    _own.clear()
    _own.update(own)
    REGISTRY.clear()
    REGISTRY.update(symbols)


def get(bound_id: str) -> Bound:
    """The bound with this id.

    >>> f'{get("dsgd_convex").evaluate(L=1, eta=0.05, T=1000, m=16, n=64):.6e}'
    '9.765625e-02'

    Raises:
        UnknownNameError: with the nearest id.
    """
    known = catalogue()
    if bound_id in known:
        return known[bound_id]
    if bound_id in _own:
        return _own[bound_id][0]
    raise unknown_name("bound", bound_id, entries(), "'gossip-bounds list' shows all of them")
