"""The box of parameters in which bounds are tested, certified and compared, and its admissible part."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from bounds.arrays import drawn, fitted
from bounds.assumptions import Condition
from bounds.bound import Bound
from bounds.errors import DomainError, UnknownParameterError
from bounds.expression import PrecisionError, names
from bounds.formula import without_false_flags
from bounds.symbols import rank_of, symbol

Box = dict[str, tuple[float, float]]
Point = dict[str, Any]

_RANGES: Box = {
    "T": (1, 10**6),
    "m": (2, 1024),
    "n": (2, 10**6),
    "N": (2, 10**6),
    "b": (1, 1024),
    "Q": (1, 100),
    "gap": (1e-4, 1),
    "w_min": (1e-4, 1),
    "convex": (0, 1),
    "eta": (1e-8, 1e2),
}
_CONSTANT = (1e-2, 1e2)
_DECADES = 1e4
_ROUNDS = 8
_MOST_SWITCHES = 4


def default_box(bound: Bound) -> Box:
    """Ranges of every parameter of ``bound``: T 1..1e6, m 2..1024, n 2..1e6, gap 1e-4..1, Q 1..100, constants 1e-2..1e2.

    The learning rate eta starts at 1e-8, below what any assumption asks of it in the rest of the box. The range of an
    array is that of its entries; a spectrum is one of :data:`bounds.arrays.SPECTRA`.
    """
    return {name: _RANGES.get(name) or _within_domain(name) for name in bound.formula.parameters}


def _within_domain(name: str) -> tuple[float, float]:
    """The range of constants as far as the domain allows it, and where it allows none of it the nearest part of the domain."""
    domain = symbol(name).domain
    low, high = max(_CONSTANT[0], domain.low), min(_CONSTANT[1], domain.high)
    if domain.integer:
        low = max(domain.low, -_CONSTANT[1])
        low = math.ceil(low) if math.ceil(low) in domain else math.ceil(low) + 1
        high = math.floor(high)
    if low < high:
        return low, high
    if domain.low >= _CONSTANT[1]:
        first = domain.low if domain.low in domain else domain.low + min(1.0, (domain.high - domain.low) * _CONSTANT[0])
        return first, min(domain.high, first * _DECADES)
    return max(domain.low, domain.high - _CONSTANT[1]) if domain.high <= 0 else domain.high / _DECADES, domain.high


def check_box(bound: Bound, box: Mapping[str, tuple[float, float]] | None) -> Box:
    """The default box with the given ranges in place of its own.

    Raises:
        UnknownParameterError: for a name that the bound does not have.
        DomainError: for an end outside the symbol's domain, or a range without low < high.
    """
    chosen = default_box(bound)
    for name, (low, high) in (box or {}).items():
        if name not in chosen:
            raise UnknownParameterError(f"{bound.id} has no parameter {name!r}; it takes {', '.join(chosen)}")
        for end in (low, high):
            symbol(name).check([end, end] if rank_of(name) else end)
        if not low < high:
            raise DomainError(f"the range {name}={low:g}:{high:g} is empty; its low end must be below its high end")
        chosen[name] = (int(low), int(high)) if is_integer(name) else (low, high)
    return chosen


def is_integer(name: str) -> bool:
    """Whether the symbol takes integers only."""
    return symbol(name).domain.integer


def between(name: str, low: float, high: float, share: float) -> Any:
    """The value a ``share`` of the way from ``low`` to ``high``, on a logarithmic scale where both are positive.

    For an array, one array for each share.
    """
    if rank_of(name):
        return drawn(name, low, high, share)
    logarithmic = low > 0 and high > 0
    first, last = (math.log(low), math.log(high)) if logarithmic else (low, high)
    value = (1 - share) * first + share * last
    value = math.exp(value) if logarithmic else value
    value = min(max(value, min(low, high)), max(low, high))
    return round(value) if is_integer(name) else value


def readings(bound: Bound, update_form: str | None = None, extra: Iterable[str] = ()) -> list[tuple[str, ...]]:
    """Sets of optional parameters to give: one per reading of the formula, each with all that its assumptions need.

    ``extra`` names optional parameters that belong to every set.
    """
    switches = sorted({name for let in bound.formula.lets for name in let.given} & set(bound.formula.optional))
    always = {name for name in bound.formula.optional if name not in switches} | set(extra) & set(bound.formula.optional)
    sizes = range(len(switches) + 1) if len(switches) <= _MOST_SWITCHES else (0, 1, 2)
    subsets = itertools.chain.from_iterable(itertools.combinations(switches, size) for size in sizes)
    sets = [_with_needs(bound, always | set(subset), bound.form(update_form).value) for subset in subsets]
    return list(dict.fromkeys(tuple(name for name in bound.formula.optional if name in chosen) for chosen in sets))


def _with_needs(bound: Bound, chosen: set[str], form: str) -> set[str]:
    """``chosen`` with the optional parameters that the assumptions then relevant mention."""
    while True:
        present = dict.fromkeys((*bound.formula.required, *chosen), 1.0)
        relevant = (condition for condition in bound.conditions if condition.relevant(form, present))
        needs = {name for condition in relevant for name in _involved(bound, condition, present, form)}
        missing = needs - present.keys()
        if not missing:
            return chosen
        chosen = chosen | missing


def _involved(bound: Bound, condition: Condition, values: Mapping[str, Any], form: str | None) -> frozenset[str]:
    left, _, right = condition.sides(bound.formula, bound.given(values, form))
    return names(left) | names(right)


def is_admissible(bound: Bound, values: Mapping[str, Any], update_form: str | None = None) -> bool:
    """Whether no assumption is known to fail at ``values``."""
    return _failing(bound, values, update_form) is None


def _failing(bound: Bound, values: Mapping[str, Any], update_form: str | None) -> Condition | None:
    given = without_false_flags(values)
    form, complete = bound.form(update_form).value, dict(bound.formula.defaults) | given
    relevant = (condition for condition in bound.conditions if condition.relevant(form, given))
    return next((c for c in relevant if _fails(bound, c, complete, form)), None)


def _fails(bound: Bound, condition: Condition, facts: Mapping[str, Any], form: str | None) -> bool:
    """A side without a value (a logarithm of a negative number) fails the condition too."""
    try:
        return condition.check(bound.formula, facts, bound.words(form)).holds is False
    except PrecisionError:
        return True


def admissible(
    bound: Bound,
    values: Mapping[str, float],
    box: Box | None = None,
    update_form: str | None = None,
    keep: Collection[str] = (),
    refine: int = 4,
) -> Point | None:
    """``values`` moved within the box until every assumption holds; None when that fails.

    For each assumption that fails, one parameter is moved towards an end of its range where the assumption holds, the
    learning rate rather than another one, and no further than needed up to ``refine`` halvings.
    """
    ranges, trial = box or default_box(bound), fitted(values)
    for _ in range(_ROUNDS):
        condition = _failing(bound, trial, update_form)
        if condition is None:
            return trial
        mended = _mend(bound, condition, trial, ranges, keep, refine, update_form)
        if mended is None:
            return None
        trial = mended
    return None


def _mend(
    bound: Bound, condition: Condition, values: Point, box: Box, keep: Collection[str], refine: int, form: str | None
) -> Point | None:
    involved = {name for name in _involved(bound, condition, values, form) & values.keys() - set(keep) if not rank_of(name)}
    for name in sorted(involved, key=lambda name: (name != "eta", bound.formula.parameters.index(name))):

        def holds(value: float, name: str = name) -> bool:
            return not _fails(bound, condition, dict(bound.formula.defaults) | values | {name: value}, form)

        for end in box[name]:
            if end != values[name] and holds(end):
                return values | {name: nearest(name, values[name], end, holds, refine)}
    return None


def nearest(name: str, bad: float, good: float, holds: Callable[[float], bool], refine: int) -> float | int:
    """A value between ``bad`` and ``good`` where ``holds`` is true, found by halving; ``good`` when there is none."""
    lower, upper = bad, good
    for _ in range(refine):
        middle = between(name, lower, upper, 0.5)
        if middle in (lower, upper):
            break
        lower, upper = (lower, middle) if holds(middle) else (middle, upper)
    return upper
