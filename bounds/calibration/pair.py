"""Two parameters at once: the smallest count for which some value of the other parameter meets the target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from bounds.bound import Bound
from bounds.calibration.admissible import Range, TornError, UnmetError, admissible, edge, mentions
from bounds.calibration.answer import Calibration, Status
from bounds.calibration.bowl import NotUnimodalError, coarse, valley
from bounds.calibration.line import Line, line_of
from bounds.calibration.problem import SURE, Problem
from bounds.calibration.solve import solve_one
from bounds.errors import DomainError
from bounds.vocabulary import Direction

#: A problem, a place, and the ends of its admissible range.
Least = tuple[Problem, int, tuple[int, int]]
_FAR = 10**40
_ENDS = {Direction.INCREASING: 0, Direction.CONSTANT: 0, Direction.DECREASING: 1}


@dataclass(frozen=True)
class Pair:
    """A bound along a count, at the best value of another parameter."""

    bound: Bound
    inner: Line
    outer: Line
    fixed: Mapping[str, Any]
    words: tuple[str, str]
    facts: Mapping[str, Any]
    target: float

    def problem(self, count: int) -> Problem:
        """The inner parameter's problem at a count."""
        return Problem(self.bound, self.inner, {**self.fixed, self.outer.name: count}, *self.words)

    @cached_property
    def _known(self) -> dict[int, Least | None]:
        return {}

    @cached_property
    def _fixed_ends(self) -> Range | None:
        """The admissible values of the inner parameter where they are the same at every count."""
        problem = self.problem(self.outer.last)
        return None if mentions(problem, self.outer.name) else admissible(problem, self.facts)

    def least(self, count: int) -> Least | None:
        """The inner problem, the best place that floats find, and the admissible ends; None where no value is admissible."""
        if count not in self._known:
            self._known[count] = self._least(count)
        return self._known[count]

    def _least(self, count: int) -> Least | None:
        problem = self.problem(count)
        try:
            ends = self._fixed_ends or admissible(problem, self.facts)
        except UnmetError:
            return None
        end = _ENDS.get(self.bound.directions.get(self.inner.name, Direction.UNKNOWN))
        place = coarse(problem, ends.first, ends.last)[1] if end is None else (ends.first, ends.last)[end]
        return problem, place, (ends.first, ends.last)

    def value(self, count: int) -> float:
        """The bound at a count and the best value of the other parameter, to 1e-8."""
        found = self.least(count)
        return math.inf if found is None else found[0].value(found[1])

    def meets(self, count: int) -> bool:
        """Whether some value of the inner parameter meets the target at this count."""
        found = self.least(count)
        if found is None:
            return False
        problem, place, ends = found
        if problem.certified(place, self.target):
            return True
        value = problem.value(place)
        monotone = self.bound.directions.get(self.inner.name, Direction.UNKNOWN) in _ENDS
        if monotone or value - self.target > 2 * SURE * max(abs(value), abs(self.target)):
            return False
        return problem.certified(valley(problem, *ends).place, self.target)


def solve_pair(
    bound: Bound, names: tuple[str, ...], target: float | None, values: Mapping[str, Any], words: tuple[str, str], facts: Mapping[str, Any]
) -> Calibration:
    """The smallest count with a value of the other parameter that meets the target.

    Raises:
        DomainError: without a target, or when the second parameter is no count.
    """
    inner, outer = (line_of(name) for name in names)
    if target is None:
        raise DomainError("two parameters at once need a target; give target=VALUE, or one parameter")
    if not outer.integer:
        raise DomainError(f"got {','.join(names)}; the second of two parameters must be a count such as T, which is made smallest")
    bound.check_parameters({**values, inner.name: inner.value(inner.last), outer.name: outer.last})
    pair = Pair(bound, inner, outer, dict(values), words, facts, target)
    try:
        return _found(pair, _smallest(pair))
    except (NotUnimodalError, TornError) as error:
        return _without(pair, "undecided", str(error), None)
    except _NoneFoundError as error:
        return error.answer


class _NoneFoundError(Exception):
    def __init__(self, answer: Calibration) -> None:
        super().__init__(answer.reason)
        self.answer = answer


def _smallest(pair: Pair) -> int:
    before, lowest = None, math.inf
    for count in [*pair.outer.grid(pair.outer.first, pair.outer.last)[::2], pair.outer.last]:
        if pair.meets(count):
            return count if before is None else edge(pair.meets, count, before)
        value = pair.value(count)
        if value > lowest * (1 + SURE):
            raise NotUnimodalError(f"the least value over {pair.inner.name} rises with {pair.outer.name} near {count}, above the target")
        before, lowest = count, value
    raise _NoneFoundError(_floor(pair, lowest))


def _floor(pair: Pair, lowest: float) -> Calibration:
    if pair.facts or math.isinf(lowest):
        try:
            admissible(pair.problem(pair.outer.last), pair.facts)
        except UnmetError as error:
            return _without(pair, "impossible", str(error), None)
    if not pair.outer.open_last:
        return _without(pair, "impossible", f"the bound is still {lowest:.9g} at {pair.outer.name}={pair.outer.last}", lowest)
    limit = pair.value(_FAR)
    if limit - pair.target > 2 * SURE * max(abs(limit), abs(pair.target)):
        reason = f"as {pair.outer.name} grows, the least value over {pair.inner.name} falls to its floor {limit:.9g}, above the target"
        return _without(pair, "impossible", reason, limit)
    return _without(pair, "undecided", f"the target is met beyond {pair.outer.name}={pair.outer.last} only, where the search ends", lowest)


def _without(pair: Pair, status: Status, reason: str, achieved: float | None) -> Calibration:
    return Calibration(pair.bound.id, _named(pair), status, None, None, None, achieved, pair.target, reason)


def _named(pair: Pair) -> str:
    return f"{pair.inner.name},{pair.outer.name}"


def _found(pair: Pair, count: int) -> Calibration:
    answer = solve_one(pair.problem(count), pair.target, pair.facts)
    if answer.status != "found":
        return replace(answer, parameter=_named(pair), status="undecided", value=None, low=None, high=None)
    inner, outer = pair.inner.name, pair.outer.name
    value, low, high = ({inner: one, outer: count} for one in (answer.value, answer.low, answer.high))
    reason = f"the smallest {outer} for which some {inner} meets the target; {inner}: {answer.reason}"
    return replace(answer, parameter=_named(pair), value=value, low=low, high=high, reason=reason)  # type: ignore[arg-type]
