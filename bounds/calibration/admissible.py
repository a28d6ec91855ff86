"""Where along a parameter the assumptions of a bound hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from bounds.assumptions import Condition
from bounds.calibration.problem import Problem
from bounds.errors import PrecisionError
from bounds.expression import names
from bounds.formula import without_false_flags

#: Nearly every assumption holds on one side of a number, which one point in so many of the grid finds too.
_COARSE = 8


@dataclass(frozen=True, slots=True)
class Range:
    """Admissible places; ``below`` and ``above`` name the assumption that ends them, empty where the domain does.

    ``granted`` are the assumptions that cannot be decided because a parameter they need was not given.
    """

    first: int
    last: int
    below: str = ""
    above: str = ""
    granted: tuple[str, ...] = ()


class UnmetError(Exception):
    """An assumption that fails whatever the parameter is."""


class TornError(Exception):
    """An assumption that holds on several intervals of the parameter."""


def admissible(problem: Problem, facts: Mapping[str, Any]) -> Range:
    """The interval of places where every assumption holds.

    Raises:
        UnmetError: where there is none; the message says which assumption fails.
        TornError: where it is no interval.
    """
    bound, line = problem.bound, problem.line
    for prop in bound.properties:
        if prop.name in facts and prop.check(facts).holds is False:
            raise UnmetError(prop.check(facts).text)
    found = Range(line.first, line.last)
    given = without_false_flags(problem.point(line.value(line.last)))
    for condition in bound.conditions:
        if condition.relevant(problem.form, given):
            found = _narrowed(problem, condition, found)
    if found.first > found.last:
        raise UnmetError(f"{found.below} and {found.above} exclude each other, whatever {line.name} is")
    return found


def mentions(problem: Problem, name: str) -> bool:
    """Whether a relevant assumption depends on the parameter ``name``."""
    formula, words = problem.bound.formula, (problem.form, problem.readout)
    point = without_false_flags(problem.point(problem.line.value(problem.line.last)))
    sides = [c.sides(formula, formula.given(point, words)) for c in problem.bound.conditions if c.relevant(problem.form, point)]
    return any(name in names(left) | names(right) for left, _, right in sides)


def _narrowed(problem: Problem, condition: Condition, known: Range) -> Range:
    formula, name = problem.bound.formula, problem.line.name
    words = (problem.form, problem.readout)

    def outcome(place: int) -> Any:
        complete = dict(formula.defaults) | without_false_flags(problem.point(problem.line.value(place)))
        return condition.check(formula, complete, words)

    def holds(place: int) -> bool:
        try:
            return outcome(place).holds is not False
        except PrecisionError:
            return False

    last = problem.line.last
    sides = condition.sides(formula, formula.given(problem.point(problem.line.value(last)), words))
    depends = name in names(sides[0]) | names(sides[2])
    if holds(last) and outcome(last).holds is None:
        return replace(known, granted=(*known.granted, outcome(last).text))
    if not depends:
        if holds(last):
            return known
        raise UnmetError(f"the assumption {outcome(last).text}, whatever {name} is")
    return _cut(problem, condition.text, holds, known)


def _cut(problem: Problem, text: str, holds: Callable[[int], bool], known: Range) -> Range:
    line = problem.line
    whole = line.grid(line.first, line.last)
    grid = [*whole[:-1:_COARSE], whole[-1]]
    kept = [holds(place) for place in grid]
    if not any(kept):
        grid, kept = whole, [holds(place) for place in whole]
    if not any(kept):
        raise UnmetError(
            f"the assumption {text} fails for every {line.name} tried, from {_shown(line, grid[0])} to {_shown(line, grid[-1])}"
        )
    if sum(before != after for before, after in pairwise([False, *kept, False])) > 2:
        raise TornError(f"the assumption {text} holds on several intervals of {line.name}")
    start, stop = kept.index(True), len(kept) - 1 - kept[::-1].index(True)
    first = grid[0] if start == 0 else edge(holds, grid[start], grid[start - 1])
    last = grid[-1] if stop == len(grid) - 1 else edge(holds, grid[stop], grid[stop + 1])
    if first > known.first:
        known = replace(known, first=first, below=text)
    return replace(known, last=last, above=text) if last < known.last else known


def _shown(line: Any, place: int) -> str:
    return f"{line.value(place):g}"


def edge(holds: Callable[[int], bool], good: int, bad: int) -> int:
    """The place next to where ``holds`` changes from true at ``good`` to false at ``bad``, on the side where it is true."""
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
