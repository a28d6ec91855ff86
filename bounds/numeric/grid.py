"""Values over grids: chunks that stay in the cache, then the log domain for the points where that fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bounds.numeric.code import FUNCTION, ROUND, TOLERANCE
from bounds.numeric.program import LARGEST, smallest
from bounds.symbols import Domain, rank_of, symbol

if TYPE_CHECKING:
    from bounds.numeric.ways import Ways

#: Points that are evaluated at once; with some twenty intermediate arrays they fill a second-level cache.
CHUNK = 16384
_Array = NDArray[Any]


def evaluate(ways: Ways, arguments: Sequence[Any]) -> tuple[_Array, NDArray[np.bool_]]:
    """Values over the broadcast shape of the arguments, and where they could not be had (array parameters do not broadcast).

    Arguments are float64 arrays (or floats) inside their domains.
    """
    shape = np.broadcast_shapes(*(np.shape(a) for name, a in zip(ways.parameters, arguments, strict=True) if not rank_of(name)))
    values, failed = np.empty(shape), np.zeros(shape, dtype=bool)
    if ways.array is None:
        failed[...] = True
        return values, failed
    entries = max((np.shape(a)[-1] for name, a in zip(ways.parameters, arguments, strict=True) if rank_of(name)), default=1)
    given = list(zip(ways.parameters, arguments, strict=True))
    odd = {name for name, a in given if np.any(_outside(name, np.asarray((np.min(a), np.max(a)))))}
    with np.errstate(all="ignore"):
        for place in _pieces(shape, max(CHUNK // entries, 1)):
            _chunk(ways, [_slice(name, a, place, len(shape)) for name, a in given], values, failed, place, odd)
    return values, failed


def _chunk(ways: Ways, parts: list[Any], values: _Array, failed: NDArray[np.bool_], place: tuple[slice, ...], odd: set[str]) -> None:
    assert ways.array is not None
    value, error, bad = ways.array(*parts)
    if not error <= TOLERANCE:
        assert ways.pointwise is not None
        value, error, bad = ways.pointwise(*parts)
        failed[place] |= ~(error <= TOLERANCE)
    values[place] = value
    for name, part in zip(ways.parameters, parts, strict=True):
        if name in odd:
            failed[place] |= _outside(name, part)
    if bad is not None:
        failed[place] |= bad
    unknown = np.isnan(values[place])
    if unknown.any():
        failed[place] |= unknown


def _outside(name: str, part: Any) -> Any:
    """Where an input is too large or too small for the fast way."""
    domain = symbol(name).domain
    if not isinstance(domain, Domain):
        return False
    inside = (smallest(domain) <= part) & (part <= min(LARGEST, domain.high))
    return ~(inside | (part == 0)) if domain.low == 0 and not domain.low_open else ~inside


def _pieces(shape: tuple[int, ...], points: int) -> Iterator[tuple[slice, ...]]:
    """Slices that cover ``shape``, each of at most ``points`` points (or of one row of the last axis that is split)."""
    if math.prod(shape) <= points or not shape:
        yield (slice(None),) * len(shape)
        return
    first, *others = shape
    inner = math.prod(others)
    step = max(points // max(inner, 1), 1)
    for start in range(0, first, step):
        head = slice(start, min(start + step, first))
        yield from ((head, *tail) for tail in _pieces(tuple(others), points // min(step, first)))


def _slice(name: str, argument: Any, place: tuple[slice, ...], axes: int) -> Any:
    if rank_of(name) or not np.ndim(argument):
        return argument
    own = place[axes - argument.ndim :]
    return argument[tuple(part if size > 1 else slice(None) for part, size in zip(own, argument.shape, strict=True))]


def one_point(ways: Ways, arguments: Sequence[Any]) -> float | None:
    """The value at one point with array parameters, or None."""
    if ways.array is None:
        return None
    try:
        ready = [_ready(name, a) for name, a in zip(ways.parameters, arguments, strict=True)]
        values, failed = evaluate(ways, ready)
    except ValueError:
        return None
    return None if failed else float(values)


def _ready(name: str, argument: Any) -> Any:
    if not rank_of(name):
        return float(argument)
    array = np.asarray(argument, dtype=np.float64)
    return array.reshape(array.shape + (1,) * (rank_of(name) - array.ndim))


def filled(
    ways: Ways,
    arguments: Sequence[Any],
    carefully: Callable[[tuple[Any, ...]], float],
) -> _Array:
    """Values over a grid: the fast ones, and for the other points the log domain and at last ``carefully``."""
    values, failed = evaluate(ways, arguments)
    if not failed.any():
        return values
    where = np.nonzero(failed)
    points = [a if rank_of(name) else np.broadcast_to(a, values.shape)[where] for name, a in zip(ways.parameters, arguments, strict=True)]
    values[where] = _slower(ways, points, carefully)
    return values


def _slower(ways: Ways, points: Sequence[Any], carefully: Any) -> _Array:
    log, error = ways.logarithms(points)
    size = np.abs(log)
    relative = error + FUNCTION * (1.0 + size)
    known = (relative <= TOLERANCE) & (size < 700.0)
    with np.errstate(all="ignore"):
        result = np.exp(log) * (1.0 + 1.001 * relative + 4 * ROUND if ways.upward else 1.0)
    for place in np.nonzero(~known)[0]:
        result[place] = carefully(tuple(a if rank_of(name) else float(a[place]) for name, a in zip(ways.parameters, points, strict=True)))
    return np.asarray(result)
