"""How a bound finds its value: a program for the parameters as they were given, and what to do where that has no answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from bounds.errors import DomainError, GossipBoundsError, MissingParameterError
from bounds.formula import FLAGS, without_false_flags
from bounds.numeric.code import TOLERANCE
from bounds.numeric.ways import Ways
from bounds.symbols import rank_of, symbol
from bounds.vocabulary import Kind

if TYPE_CHECKING:
    from bounds.bound import Bound

_T = TypeVar("_T")
Choice = tuple[str | None, str | None]


def ways(bound: Bound, choice: Choice, names: Sequence[str]) -> Ways:
    """The programs of a bound for parameters given in this order (flags among them are taken as 1).

    Raises:
        MissingParameterError, UnknownParameterError, UnknownNameError, DomainError: each one line.
    """
    bound.check_names(names)
    missing = [name for name in bound.formula.required if name not in names]
    if missing:
        raise MissingParameterError(f"{bound.id} needs {', '.join(missing)}; give {' '.join(f'{name}=VALUE' for name in missing)}")
    return Ways(bound.expression(names, *choice), names, dict(bound.formula.defaults), bound.kind is Kind.UPPER)


def carefully(bound: Bound, choice: Choice, values: Mapping[str, Any]) -> Any:
    """The value where the fast program for one point had none: arrays, extreme numbers, mistakes.

    Raises:
        DomainError: for values outside their domains, or where the expression has no value.
    """
    if any(name in values and not _is_one(values[name]) for name in FLAGS):
        return _by_flags(bound, choice, values)
    numbers = {name: value for name, value in values.items() if not rank_of(name)}
    if all(isinstance(value, int | float) for value in numbers.values()):
        # A float of numpy is one of Python too, but the fast program takes only the plain type.
        plain = {name: float(value) for name, value in numbers.items() if isinstance(value, float) and type(value) is not float}
        if plain:
            return bound.evaluate(update_form=choice[0], readout=choice[1], **{**values, **plain})
        bound.check_parameters(values)
        fast = None if len(numbers) == len(values) else bound.ways(choice, tuple(values)).at(tuple(values.values()))
        return bound.rounded(bound.enclosure(values, *choice)) if fast is None else fast
    return grid(bound, choice, values)


def _is_one(value: Any) -> bool:
    return isinstance(value, int | float) and value == 1


def _by_flags(bound: Bound, choice: Choice, values: Mapping[str, Any]) -> Any:
    """Points with and without a flag have different formulas."""
    if all(isinstance(values[name], int | float) for name in FLAGS if name in values):
        bound.check_parameters(values)
        return bound.evaluate(update_form=choice[0], readout=choice[1], **without_false_flags(values))
    import numpy as np

    from bounds.numeric.grid import as_array, broadcast

    flags = [name for name in FLAGS if name in values]
    names = [name for name in values if not rank_of(name)]
    arrays = [as_array(name, values[name]) for name in names]
    result = np.empty(broadcast(names, arrays))
    rows = [np.broadcast_to(array, result.shape) for array in arrays]
    for place in np.ndindex(result.shape):
        found = ((name, row[place]) for name, row in zip(names, rows, strict=True))
        point = {name: value.item() if hasattr(value, "item") else value for name, value in found}
        for name in flags:
            symbol(name).check(point[name])
        point |= {name: int(point[name]) for name in flags}
        whole = {name: point.get(name, value) for name, value in values.items()}
        result[place] = bound.evaluate(update_form=choice[0], readout=choice[1], **whole)
    return result


def grid(bound: Bound, choice: Choice, values: Mapping[str, Any]) -> Any:
    """Values over arrays that broadcast.

    Raises:
        DomainError: naming the first value outside its domain.
    """
    from bounds.numeric.grid import filled, first_point, ready

    programs = bound.ways(choice, tuple(values))
    _check_arrays(values)
    arguments = [ready(name, value) for name, value in values.items()]

    def one(point: tuple[Any, ...]) -> float:
        named = dict(zip(values, (_whole(name, value) for name, value in zip(values, point, strict=True)), strict=True))
        return bound.rounded(bound.enclosure(named, *choice))

    result = _fitting(lambda: filled(programs, arguments, one), lambda: one(first_point(programs.parameters, arguments)))
    return result if result.ndim else float(result)


def _check_arrays(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if rank_of(name):
            symbol(name).check(value)


def _fitting(work: Callable[[], _T], first: Callable[[], Any]) -> _T:
    """``work()``; where arrays of the wrong lengths meet in it, the careful way at the ``first`` point says so in our words."""
    try:
        return work()
    except (ValueError, IndexError) as problem:
        if not isinstance(problem, GossipBoundsError):
            first()
        raise


def _whole(name: str, value: Any) -> Any:
    return int(value) if symbol(name).domain.integer else value


def log_value(bound: Bound, choice: Choice, values: Mapping[str, Any]) -> float:
    """Natural logarithm of the value at one point, as :meth:`bounds.bound.Bound.log_value` says."""
    bound.check_parameters(values)
    given = without_false_flags(values)
    fast = bound.ways(choice, tuple(given)).logarithm(tuple(given.values()))
    return bound.rounded_log(bound.enclosure(values, *choice)) if fast is None else fast


def log_grid(bound: Bound, choice: Choice, values: Mapping[str, Any]) -> Any:
    """Natural logarithms over arrays that broadcast."""
    import numpy as np

    from bounds.numeric.grid import Check, broadcast, first_point, plain, ready

    if any(name in values for name in FLAGS):
        raise DomainError(f"logarithms over a grid take no flags; leave {' and '.join(sorted(FLAGS))} out or give one point")
    programs = bound.ways(choice, tuple(values))
    _check_arrays(values)
    raw = [(name, ready(name, value)) for name, value in values.items()]
    for name, array in raw:
        if not rank_of(name):
            Check(name)(array)
    shape = broadcast(programs.parameters, [array for _, array in raw])
    if 0 in shape:
        return np.empty(shape)
    points = [a if rank_of(name) else np.broadcast_to(a, shape).ravel() for name, a in raw]

    def one(point: tuple[Any, ...]) -> float:
        return bound.rounded_log(bound.enclosure(dict(zip(values, point, strict=True)), *choice))

    floats = [np.asarray(a, dtype=np.float64) for a in points]
    logs, errors = _fitting(lambda: programs.logarithms(floats), lambda: one(first_point(programs.parameters, points)))
    result = np.array(logs, dtype=np.float64)
    sure = errors <= TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(result), result, 0.0)))
    sure &= result < math.inf
    if programs.upward:
        with np.errstate(invalid="ignore"):
            above = np.nextafter(result[sure] + errors[sure], math.inf)
            # The logarithm of an exact 0 stays what it is.
            result[sure] = np.where(np.isneginf(result[sure]), -math.inf, above)
    for place in np.nonzero(~sure)[0]:
        result[place] = one(tuple(a if rank_of(n) else plain(a[place]) for n, a in zip(values, points, strict=True)))
    return result.reshape(shape) if shape else float(result[0])
