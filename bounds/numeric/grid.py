"""Values over grids: chunks that stay in the cache, then the log domain for the points where that fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.numeric.code import FUNCTION, ROUND, TOLERANCE
from bounds.numeric.program import LARGEST, smallest
from bounds.symbols import Domain, rank_of, symbol

if TYPE_CHECKING:
    from bounds.numeric.ways import Ways

#: Points that are evaluated at once; with some twenty intermediate arrays they fill a second-level cache.
CHUNK = 65536
_SMALLEST_RESULT = 1e-290
#: Beyond it a float has no full precision left, or none at all.
_MOST_LOGARITHM = 700.0
_Array = NDArray[Any]


def evaluate(ways: Ways, arguments: Sequence[Any]) -> tuple[_Array, NDArray[np.bool_] | None]:
    """Values over the broadcast shape of the arguments, and where they could not be had (None for nowhere).

    Every pass over large arrays costs as much as the arithmetic, so that a chunk is converted, checked and evaluated while
    it is in the cache. Array parameters do not broadcast.

    Raises:
        DomainError: naming the first value outside its domain.
    """
    given = list(zip(ways.parameters, arguments, strict=True))
    shape = np.broadcast_shapes(*(np.shape(a) for name, a in given if not rank_of(name)))
    work = _Work(ways, np.empty(shape))
    entries = max((np.shape(a)[-1] for name, a in given if rank_of(name)), default=1)
    step = max(CHUNK // entries, 1)
    with np.errstate(all="ignore"):
        columns = [work.column(name, a, step) for name, a in given]
        for place in _pieces(shape, step):
            work.chunk(columns, place)
    return work.values, work.failed


@dataclass(slots=True)
class _Column:
    """One argument: a number or an array, how to check its chunks (None: done), and which of its axes are cut."""

    value: Any
    check: Check | None
    cut: tuple[tuple[int, int], ...]

    def part(self, place: tuple[slice, ...]) -> Any:
        """The chunk at a place of the whole grid."""
        if not self.cut:
            return self.value
        index = [slice(None)] * self.value.ndim
        for own, whole in self.cut:
            index[own] = place[whole]
        return self.value[tuple(index)]


class _Work:
    """Values under construction, and the points that failed so far."""

    def __init__(self, ways: Ways, values: _Array) -> None:
        self.ways = ways
        self.values = values
        self.failed: NDArray[np.bool_] | None = None

    def fail(self, place: tuple[slice, ...], mask: Any) -> None:
        if self.failed is None:
            self.failed = np.zeros(self.values.shape, dtype=bool)
        self.failed[place or ...] |= mask

    def column(self, name: str, argument: Any, step: int) -> _Column:
        """Prepare an argument; one that fits into a chunk is checked here, once for all."""
        if rank_of(name):
            return _Column(argument, None, ())
        check: Check | None = Check(name)
        assert check is not None
        if np.size(argument) <= step:
            argument, odd = check(argument)
            if odd is not None:
                self.fail((), odd)
            check = None
        shift = self.values.ndim - np.ndim(argument)
        cut = tuple((axis, axis + shift) for axis, size in enumerate(np.shape(argument)) if size > 1)
        return _Column(argument, check, cut)

    def chunk(self, columns: list[_Column], place: tuple[slice, ...]) -> None:
        """Evaluate one chunk."""
        parts = []
        for column in columns:
            part = column.part(place)
            if column.check is not None:
                part, odd = column.check(part)
                if odd is not None:
                    self.fail(place, odd)
            parts.append(part)
        if self.ways.array is None:
            self.fail(place, True)
            return
        # A single value is no array to write into.
        out = self.values[place] if self.values.ndim else None
        program, sure = self.ways.array
        value, error, bad = program(*parts, out)
        if not error <= TOLERANCE:
            assert self.ways.pointwise is not None
            value, error, bad = self.ways.pointwise[0](*parts, out)
            self.fail(place, np.logical_not(error <= TOLERANCE))
        if value is not out:
            self.values[place] = value
        if bad is not None:
            self.fail(place, bad)
        if not sure and math.isnan(float(np.minimum.reduce(value, axis=None))):
            self.fail(place, np.isnan(value))


class Check:
    """The test of one parameter's chunks: in the domain, and neither too large nor too small for the fast way."""

    def __init__(self, name: str) -> None:
        domain = symbol(name).domain
        assert isinstance(domain, Domain)
        self.name = name
        self.domain = domain
        self.smallest, self.largest = smallest(domain), min(LARGEST, domain.high)

    def __call__(self, raw: Any) -> tuple[Any, Any]:
        """The chunk in float64, and the mask of the values that the fast way cannot take (None for none).

        Raises:
            DomainError: naming the first value outside its domain.
        """
        if isinstance(raw, float):
            part, low, high = raw, raw, raw
        else:
            part = raw if raw.dtype == np.float64 else raw.astype(np.float64)
            if not part.size:
                return part, None
            low, high = np.minimum.reduce(part, axis=None), np.maximum.reduce(part, axis=None)
        if self.smallest <= low and high <= self.largest and self.whole(raw, part):
            return part, None
        if not (_inside(self.domain, low) and _inside(self.domain, high) and self.whole(raw, part)):
            symbol(self.name).check(next(entry for entry in np.ravel(raw).tolist() if entry not in self.domain))
        odd = _outside(self.name, part)
        return part, odd if np.any(odd) else None

    def whole(self, raw: Any, part: Any) -> bool:
        """Whether every value of an integer parameter is one."""
        if not self.domain.integer or (not isinstance(raw, float) and raw.dtype.kind in "iu"):
            return True
        return bool((np.rint(part) == part).all())


def _inside(domain: Domain, value: float) -> bool:
    above = value > domain.low if domain.low_open else value >= domain.low
    return above and value <= domain.high and value < math.inf


def _outside(name: str, part: Any) -> Any:
    """Where an input is too large or too small for the fast way."""
    domain = symbol(name).domain
    assert isinstance(domain, Domain)
    inside = (smallest(domain) <= part) & (part <= min(LARGEST, domain.high))
    return np.logical_not(inside | (part == 0) if domain.low == 0 and not domain.low_open else inside)


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


def one_point(ways: Ways, arguments: Sequence[Any]) -> float | None:
    """The value at one point with array parameters, or None."""
    if ways.array is None:
        return None
    try:
        values, failed = evaluate(ways, [ready(name, a) for name, a in zip(ways.parameters, arguments, strict=True)])
    except ValueError:
        return None
    return float(values) if failed is None or not failed else None


def ready(name: str, argument: Any) -> Any:
    """A parameter as numpy wants it: numbers as they come, arrays (checked before) with the rank of their symbol.

    Raises:
        DomainError: for a type that is not numeric.
    """
    if rank_of(name):
        array = np.asarray(argument, dtype=np.float64)
        return array.reshape(array.shape + (1,) * (rank_of(name) - array.ndim))
    if isinstance(argument, int | float):
        return float(argument)
    array = np.asarray(argument)
    if array.dtype.kind not in "iuf":
        raise DomainError(f"{name} has entries of type {array.dtype}; give numbers")
    return array


def filled(ways: Ways, arguments: Sequence[Any], carefully: Callable[[tuple[Any, ...]], float]) -> _Array:
    """Values over a grid: the fast ones, and for the other points more digits, the log domain, and at last ``carefully``."""
    values, failed = evaluate(ways, arguments)
    if failed is None or not failed.any():
        return values
    if not values.ndim:
        return np.asarray(carefully(tuple(a if rank_of(name) else float(a) for name, a in zip(ways.parameters, arguments, strict=True))))
    # Over several axes, the flat search finds the few places much faster.
    places = np.unravel_index(np.flatnonzero(failed), values.shape)
    points = [
        a if rank_of(name) else np.broadcast_to(a, values.shape)[places].astype(np.float64)
        for name, a in zip(ways.parameters, arguments, strict=True)
    ]
    entries = max((np.shape(a)[-1] for name, a in zip(ways.parameters, points, strict=True) if rank_of(name)), default=1)
    step = max(CHUNK // entries, 1)
    slow = np.empty(len(places[0]))
    for start in range(0, len(slow), step):
        some = slice(start, start + step)
        slow[some] = _slower(ways, [a if rank_of(name) else a[some] for name, a in zip(ways.parameters, points, strict=True)], carefully)
    values[places] = slow
    return values


def _slower(ways: Ways, points: Sequence[Any], carefully: Callable[[tuple[Any, ...]], float]) -> _Array:
    count = next(len(a) for name, a in zip(ways.parameters, points, strict=True) if not rank_of(name))
    values, missing = np.empty(count), np.ones(count, dtype=bool)
    for tier in (_in_extended, _in_logarithms):
        if missing.any():
            found, failed = tier(ways, _taken(ways, points, missing))
            # More digits come with a wider range: what is above the largest float is inf.
            with np.errstate(over="ignore"):
                values[missing] = found
            missing[missing] = failed
    for place in np.nonzero(missing)[0]:
        values[place] = carefully(tuple(a if rank_of(name) else float(a[place]) for name, a in zip(ways.parameters, points, strict=True)))
    return values


def _taken(ways: Ways, points: Sequence[Any], mask: Any) -> list[Any]:
    return [a if rank_of(name) else a[mask] for name, a in zip(ways.parameters, points, strict=True)]


def _in_extended(ways: Ways, points: Sequence[Any]) -> tuple[Any, Any]:
    """Values and the mask of those that failed, with more digits."""
    if ways.extended is None:
        return np.nan, True
    with np.errstate(all="ignore"):
        value, error, bad = ways.extended[0](*(np.asarray(a, dtype=np.longdouble) for a in points), None)
        size = np.abs(value)
        # The digits of a double must hold what is handed back.
        held = ((size > _SMALLEST_RESULT) & (size < 1.0 / _SMALLEST_RESULT)) | (size == 0) | np.isinf(size)
        failed = np.logical_not(np.asarray(error <= TOLERANCE) & held)
    for name, a in zip(ways.parameters, points, strict=True):
        if not rank_of(name):
            failed = failed | _outside(name, a)
    return value, failed if bad is None else failed | bad


def _in_logarithms(ways: Ways, points: Sequence[Any]) -> tuple[Any, Any]:
    """Values and the mask of those that failed, through the log domain."""
    log, error = ways.logarithms(points)
    size = np.abs(log)
    relative = error + FUNCTION * (1.0 + size)
    with np.errstate(all="ignore"):
        value = np.exp(log) * (1.0 + 1.001 * relative + 4 * ROUND if ways.upward else 1.0)
    return value, ~((relative <= TOLERANCE) & (size < _MOST_LOGARITHM))
