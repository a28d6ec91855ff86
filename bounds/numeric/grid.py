"""Values over grids: chunks that stay in the cache, then the log domain for the points where that fails."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError, LengthError
from bounds.numeric.code import FUNCTION, ROUND, TOLERANCE
from bounds.numeric.program import LARGEST, entry_limits, smallest
from bounds.symbols import Domain, rank_of, symbol

if TYPE_CHECKING:
    from bounds.numeric.ways import Ways

#: Points that are evaluated at once; with some twenty intermediate arrays they fill a second-level cache.
CHUNK = 65536
_BYTES = 8
_LARGEST_FLOAT = sys.float_info.max
_SMALLEST_RESULT = 1e-290
#: Beyond it a float has no full precision left, or none at all.
_MOST_LOGARITHM = 700.0
#: A little more than the logarithm of the largest float.
_LARGEST_LOGARITHM = 709.79
_Array = NDArray[Any]


def evaluate(ways: Ways, arguments: Sequence[Any]) -> tuple[_Array, NDArray[np.bool_] | None]:
    """Values over the broadcast shape of the arguments, and where they could not be had (None for nowhere).

    Every pass over large arrays costs as much as the arithmetic, so that a chunk is converted, checked and evaluated while
    it is in the cache. Array parameters do not broadcast.

    Raises:
        DomainError: naming the first value outside its domain.
    """
    given = list(zip(ways.parameters, arguments, strict=True))
    shape = broadcast(ways.parameters, arguments)
    work = _Work(ways, np.empty(shape))
    entries = max((np.shape(a)[-1] for name, a in given if rank_of(name)), default=1)
    step = max(CHUNK // entries, 1)
    with np.errstate(all="ignore"):
        columns = [work.column(name, a, step) for name, a in given]
        for place in _pieces(shape, step) if work.values.size else ():
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
            if _has_odd_entries(name, argument):
                self.fail((), True)
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


def _has_odd_entries(name: str, array: Any) -> bool:
    """Whether an array has entries too large or too small for the fast way: all points then are left to the slower ways."""
    low, high = entry_limits(name)
    size = np.abs(array)
    # Rounding may lift the first eigenvalue above 1, and what is said of the others holds up to 1 only.
    lifted = not hasattr(symbol(name).domain, "entry") and np.any(array[1:] > 1)
    return bool(lifted or np.any((size != 0) & ((size < low) | (size > high))))


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
    except (ValueError, IndexError):
        return None
    return float(values) if failed is None or not failed else None


def ready(name: str, argument: Any) -> Any:
    """A parameter as numpy wants it: numbers as they come, arrays (checked before) with the rank of their symbol.

    Raises:
        DomainError: for a type that is not numeric.
    """
    if rank_of(name):
        try:
            array = np.asarray(argument, dtype=np.float64)
        except OverflowError:
            raise DomainError(f"{name} has entries above the largest float; give smaller ones over a grid") from None
        return array.reshape(array.shape + (1,) * (rank_of(name) - array.ndim))
    if isinstance(argument, int | float):
        symbol(name).check(argument)
        return float(argument) if abs(argument) <= _LARGEST_FLOAT else as_array(name, argument)
    array = as_array(name, argument)
    if array.dtype.kind not in "iuf":
        raise DomainError(f"{name} has entries of type {array.dtype}; give numbers")
    if array.dtype.itemsize > _BYTES:
        with np.errstate(over="ignore"):
            return array.astype(np.float64)
    return array


def as_array(name: str, argument: Any) -> _Array:
    """An argument as numpy sees it.

    Raises:
        DomainError: where it would not see what was meant.
    """
    if np.ma.is_masked(argument):
        raise DomainError(f"{name} has masked entries, whose values would be wrong ones; give its compressed() values")
    try:
        return np.asarray(argument)
    except ValueError:
        raise DomainError(f"{name} has rows of different lengths; give an array or one number") from None


def broadcast(names: Sequence[str], arguments: Sequence[Any]) -> tuple[int, ...]:
    """The common shape of the numbers among the arguments.

    Raises:
        LengthError: where they have none.
    """
    shapes = {name: np.shape(a) for name, a in zip(names, arguments, strict=True) if not rank_of(name)}
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise LengthError(f"arrays of shapes {told} do not broadcast; give equal shapes, or axes of length 1") from None


def plain(number: Any) -> Any:
    """A number of Python: integers keep all their digits."""
    return int(number) if np.asarray(number).dtype.kind in "iu" else float(number)


def first_point(names: Sequence[str], arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The first point of a grid."""
    return tuple(a if rank_of(name) else plain(np.ravel(a)[0]) for name, a in zip(names, arguments, strict=True))


def filled(ways: Ways, arguments: Sequence[Any], carefully: Callable[[tuple[Any, ...]], float]) -> _Array:
    """Values over a grid: the fast ones, and for the other points more digits, the log domain, and at last ``carefully``."""
    values, failed = evaluate(ways, arguments)
    if failed is None or not failed.any():
        return values
    if not values.ndim:
        return np.asarray(carefully(tuple(a if rank_of(name) else plain(a) for name, a in zip(ways.parameters, arguments, strict=True))))
    # Over several axes, the flat search finds the few places much faster.
    places = np.unravel_index(np.flatnonzero(failed), values.shape)
    points = [a if rank_of(name) else np.broadcast_to(a, values.shape)[places] for name, a in zip(ways.parameters, arguments, strict=True)]
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
        values[place] = carefully(tuple(a if rank_of(name) else plain(a[place]) for name, a in zip(ways.parameters, points, strict=True)))
    return values


def _taken(ways: Ways, points: Sequence[Any], mask: Any) -> list[Any]:
    return [a if rank_of(name) else a[mask] for name, a in zip(ways.parameters, points, strict=True)]


def _in_extended(ways: Ways, points: Sequence[Any]) -> tuple[Any, Any]:
    """Values and the mask of those that failed, with more digits."""
    arrays = [(name, a) for name, a in zip(ways.parameters, points, strict=True) if rank_of(name)]
    if ways.extended is None or any(_has_odd_entries(name, a) for name, a in arrays):
        return np.nan, True
    with np.errstate(all="ignore"):
        value, error, bad = ways.extended[0](*(np.asarray(a, dtype=np.longdouble) for a in points), None)
        size = np.abs(value)
        # The digits of a double must hold what is handed back.
        held = ((size > _SMALLEST_RESULT) & (size < 1.0 / _SMALLEST_RESULT)) | (size == 0) | np.isinf(size)
        failed = np.logical_not(np.asarray(error <= TOLERANCE) & held)
        value = np.asarray(value, dtype=np.float64)
    for name, a in zip(ways.parameters, points, strict=True):
        if not rank_of(name):
            failed = failed | _outside(name, a)
    return value, failed if bad is None else failed | bad


def _in_logarithms(ways: Ways, points: Sequence[Any]) -> tuple[Any, Any]:
    """Values and the mask of those that failed, through the log domain."""
    log, error = ways.logarithms([np.asarray(a, dtype=np.float64) for a in points])
    size = np.abs(log)
    with np.errstate(all="ignore"):
        relative = error + FUNCTION * (1.0 + size)
        value = np.exp(log) * (1.0 + 1.001 * relative + 4 * ROUND if ways.upward else 1.0)
        # A value beyond the largest float is inf, and one of which nothing is left is an exact 0.
        infinite, nothing = log - error > _LARGEST_LOGARITHM, np.isneginf(log) & (error < math.inf)
    held = (relative <= TOLERANCE) & (size < _MOST_LOGARITHM)
    return np.where(nothing, 0.0, np.where(infinite, math.inf, value)), ~(held | infinite | nothing)
