"""The names of the generated code for chunks of numpy arrays; masks are None where no point is bad."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bounds.numeric.least_array import least_array
from bounds.numeric.runtime import stirling_difference

Mask = Any
_STIRLING_FROM = 10.0


def below(value: Any, most: float) -> tuple[float, Mask]:
    """For values >= 0: the largest, at most ``most``, and the points that are above it or no number."""
    largest = np.maximum.reduce(value, axis=None)
    return (float(largest), None) if largest <= most else (most, np.logical_not(value <= most))


def above(value: Any, most: float) -> tuple[float, Mask]:
    """The same for the sizes of values <= 0, among which -inf passes: it is the logarithm of an exact 0."""
    least = np.minimum.reduce(value, axis=None)
    return (-float(least), None) if least >= -most else (most, np.logical_not((value >= -most) | (value == -np.inf)))


def inside(value: Any, most: float) -> tuple[float, Mask]:
    """The same for the sizes of any values, among which -inf passes."""
    size, mask = below(np.abs(value), most)
    return (size, None) if mask is None else (size, mask & (value != -np.inf))


def either_way(test: Any, first: Any, second: Any) -> Any:
    """``first`` where ``test`` is true, ``second`` elsewhere; mostly it is true everywhere."""
    return first if np.logical_and.reduce(test, axis=None) and np.shape(first) == np.shape(test) else np.where(test, first, second)


def peak(value: Any, cap: float) -> float:
    """The largest positive value, at most ``cap``; 0 when there is none."""
    largest = float(np.fmax.reduce(value, axis=None)) if np.size(value) else 0.0
    return max(largest, 0.0) if largest <= cap else cap


def larger(*values: Any) -> Any:
    """The elementwise maximum."""
    return functools.reduce(np.maximum, values)


def failing(test: Any) -> Mask:
    """The points where ``test`` is not true."""
    return None if test is True or np.logical_and.reduce(test, axis=None) else np.logical_not(test)


def either(*masks: Mask) -> Mask:
    """The union of masks."""
    union: Mask = None
    for mask in masks:
        if mask is not None:
            union = mask if union is None else np.logical_or(union, mask)
    return union


def chosen(test: Any, first: Mask, second: Mask) -> Mask:
    """``first`` where ``test`` is true, ``second`` elsewhere."""
    mask = either(None if first is None else first & test, None if second is None else second & np.logical_not(test))
    return mask if mask is not None and mask.any() else None


def anywhere(mask: Mask) -> Mask:
    """Points with a bad entry along the last axis."""
    return None if mask is None or not mask.ndim else mask.any(axis=-1)


def into(operation: np.ufunc, first: Any, second: Any, out: Any) -> Any:
    """An operation with its result in ``out`` where the shape is right."""
    shape = np.shape(first) if np.shape(first) == np.shape(second) else np.broadcast_shapes(np.shape(first), np.shape(second))
    return operation(first, second) if out is None or shape != out.shape else operation(first, second, out=out)


def product(above: tuple[Any, ...], below: tuple[Any, ...], out: Any = None) -> Any:
    """A product over another; what has few points comes first, so that few operations are on many points."""
    if len(below) > 1:
        below = (_multiplied(below),)
    parts = sorted([(np.size(x), 0, x) for x in above] + [(np.size(x), 1, x) for x in below], key=lambda part: part[:2])
    result, waiting, last = None, None, len(parts) - 1
    for place, (_, under, x) in enumerate(parts):
        if result is None:
            if under:
                waiting = x
                continue
            result = x
        else:
            operation = np.divide if under else np.multiply
            result = into(operation, result, x, out if place == last and waiting is None else None)
        if waiting is not None:
            result, waiting = into(np.divide, result, waiting, out if place == last else None), None
    return result


def _multiplied(values: tuple[Any, ...]) -> Any:
    first, *others = sorted(values, key=np.size)
    for x in others:
        first = first * x
    return first


def worst(error: Any) -> Any:
    """Errors per point and entry as one for each point."""
    return np.max(error, axis=-1, initial=0.0) if np.ndim(error) else error


def expand(value: Any) -> Any:
    """A value per point as one per point and entry."""
    return value[..., None] if np.ndim(value) else value


def _along(value: Any, arrays: tuple[Any, ...]) -> Any:
    return np.broadcast_to(value, np.broadcast_shapes(np.shape(value), *(array.shape for array in arrays)))


def total(value: Any, *arrays: Any) -> Any:
    """The sum over the entries of the arrays, contiguous in memory, where numpy sums in pairs."""
    return np.ascontiguousarray(_along(value, arrays)).sum(axis=-1)


def roundings(*arrays: Any) -> float:
    """The roundings in a row of :func:`total`: sixteen and three in blocks of 128, and one per level of pairs."""
    return 24.0 + math.log2(max(entries(*arrays), 1.0))


def largest(value: Any, *arrays: Any) -> Any:
    """The largest over the entries."""
    return _along(value, arrays).max(axis=-1)


def smallest(value: Any, *arrays: Any) -> Any:
    """The smallest over the entries."""
    return _along(value, arrays).min(axis=-1)


def entries(*arrays: Any) -> float:
    """The number of entries, as a float."""
    return float(max(array.shape[-1] for array in arrays))


def growth_log(q: Any, start: Any, length: Any) -> Any:
    """:func:`bounds.numeric.runtime.growth_log` for arrays."""
    a, length = np.asarray(start, dtype=np.float64) + 1.0, np.asarray(length, dtype=np.float64)
    extra: Any = 0.0
    while (early := (a < _STIRLING_FROM) & (length > 0)).any():
        extra = extra + np.where(early, q / a * (1.0 + extra), 0.0)
        a, length = np.where(early, a + 1.0, a), np.where(early, length - 1.0, length)
    # Where all factors are multiplied out, Stirling's part is 0 for any A; the given one may be too small for it.
    rest = np.where(length == 0, 0.0, stirling_difference(q, np.maximum(a, _STIRLING_FROM), length, np))
    return np.where(length < 0, np.nan, np.log1p(extra) + rest)


def erf(value: Any) -> Any:
    """The error function, of which scipy has none with more digits than a double; its condition number is at most 1."""
    from scipy.special import erf as vectorised

    return vectorised(np.asarray(value, dtype=np.float64))


ARRAY: dict[str, Callable[..., Any] | float] = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "erf": erf,
    "ceil": np.ceil,
    "rint": np.rint,
    "power": np.power,
    "absolute": np.abs,
    "max": max,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "where": np.where,
    "growth_log": growth_log,
    "below": below,
    "above": above,
    "inside": inside,
    "either_way": either_way,
    "peak": peak,
    "failing": failing,
    "either": either,
    "chosen": chosen,
    "anywhere": anywhere,
    "worst": worst,
    "expand": expand,
    "into": into,
    "product": product,
    "multiply": np.multiply,
    "divide": np.divide,
    "add": np.add,
    "subtract": np.subtract,
    "total": total,
    "largest": largest,
    "smallest": smallest,
    "entries": entries,
    "roundings": roundings,
    "least": least_array,
    "inf": math.inf,
}


def _each(value: Any, most: float) -> tuple[Any, Mask]:
    """Sizes of every point instead of the largest."""
    return np.fmin(np.abs(value), most), inside(value, most)[1]


#: The same names with error bounds of their own for every point, where those of a chunk are too coarse.
POINTWISE = ARRAY | {
    "below": _each,
    "above": _each,
    "inside": _each,
    "peak": lambda value, cap: np.maximum(value, 0.0),
    "max": larger,
}
