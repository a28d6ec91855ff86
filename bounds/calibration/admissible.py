"""Where along a parameter the assumptions of a bound hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from bounds.assumptions import Condition
from bounds.calibration.problem import BITS, Problem
from bounds.errors import PrecisionError
from bounds.expression import Node, names
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
    """Assumptions that hold on several intervals of the parameter, where one is needed."""


def admissible(problem: Problem, facts: Mapping[str, Any]) -> Range:
    """The interval of places where every assumption holds.

    Raises:
        UnmetError: where there is none; the message says which assumption fails.
        TornError: where it is no interval.
    """
    first, *others = ranges(problem, facts)
    if others:
        raise TornError(f"the assumption {first.above} holds on several intervals of {problem.line.name}")
    return first


def ranges(problem: Problem, facts: Mapping[str, Any]) -> list[Range]:
    """The intervals of places where every assumption holds, in order.

    Raises:
        UnmetError: where there is none; the message says which assumption fails.
    """
    bound, line = problem.bound, problem.line
    for prop in bound.properties:
        if prop.name in facts and prop.check(facts).holds is False:
            raise UnmetError(prop.check(facts).text)
    found = [Range(line.first, line.last)]
    given = without_false_flags(problem.point(line.value(line.last)))
    for condition in bound.conditions:
        if condition.relevant(problem.form, given):
            found = [part for known in found for part in _narrowed(problem, condition, known)]
    left = [part for part in found if part.first <= part.last]
    if not left:
        raise UnmetError(f"{found[0].below} and {found[0].above} exclude each other, whatever {line.name} is")
    return left


def mentions(problem: Problem, name: str) -> bool:
    """Whether a relevant assumption depends on the parameter ``name``."""
    formula, words = problem.bound.formula, (problem.form, problem.readout)
    point = without_false_flags(problem.point(problem.line.value(problem.line.last)))
    sides = [c.sides(formula, formula.given(point, words)) for c in problem.bound.conditions if c.relevant(problem.form, point)]
    return any(name in names(left) | names(right) for left, _, right in sides)


def _narrowed(problem: Problem, condition: Condition, known: Range) -> list[Range]:
    formula, name = problem.bound.formula, problem.line.name
    words = (problem.form, problem.readout)

    def outcome(place: int) -> Any:
        complete = dict(formula.defaults) | without_false_flags(problem.point(problem.line.value(place)))
        return condition.check(formula, complete, words)

    def holds(place: int) -> bool:
        try:
            return outcome(place).holds is not False and not _broken(problem, sides, place)
        except PrecisionError:
            return False

    last = problem.line.last
    sides = condition.sides(formula, formula.given(problem.point(problem.line.value(last)), words))
    depends = name in names(sides[0]) | names(sides[2])
    if holds(last) and outcome(last).holds is None:
        return [replace(known, granted=(*known.granted, outcome(last).text))]
    if not depends:
        if holds(last):
            return [known]
        raise UnmetError(f"the assumption {outcome(last).text}, whatever {name} is")
    return _cut(problem, condition.text, holds, known)


def _broken(problem: Problem, sides: tuple[Node, str, Node], place: int) -> bool:
    """Whether the left side is above the right one by less than a sharp ball shows."""
    from bounds.expression.balls import ball_at, exact_values

    point = dict(problem.bound.formula.defaults) | without_false_flags(problem.point(problem.line.value(place)))
    if not names(sides[0]) | names(sides[2]) <= point.keys():
        return False
    exact = exact_values(point)
    for bits in BITS:
        left, right = (ball_at(side, exact, bits) for side in (sides[0], sides[2]))
        if left < right or left == right:
            return False
        if left > right:
            return True
    return False


def _cut(problem: Problem, text: str, holds: Callable[[int], bool], known: Range) -> list[Range]:
    line = problem.line
    whole = line.grid(line.first, line.last)
    grid = [*whole[:-1:_COARSE], whole[-1]]
    kept = [holds(place) for place in grid]
    if sum(before != after for before, after in pairwise([False, *kept, False])) != 2:
        grid, kept = whole, [holds(place) for place in whole]
    if not any(kept):
        raise UnmetError(
            f"the assumption {text} fails for every {line.name} tried, from {_shown(line, grid[0])} to {_shown(line, grid[-1])}"
        )
    parts = []
    for start in (k for k in range(len(kept)) if kept[k] and not (k and kept[k - 1])):
        stop = next((k for k in range(start, len(kept)) if not kept[k]), len(kept)) - 1
        first = grid[0] if start == 0 else edge(holds, grid[start], grid[start - 1])
        last = grid[-1] if stop == len(grid) - 1 else edge(holds, grid[stop], grid[stop + 1])
        part = replace(known, first=first, below=text) if first > known.first else known
        parts.append(replace(part, last=last, above=text) if last < known.last else part)
    # Where all parts lie beyond what is known already, one of them tells which assumptions exclude each other.
    return [part for part in parts if part.first <= part.last] or parts[:1]


def _shown(line: Any, place: int) -> str:
    return f"{line.value(place):g}"


def edge(holds: Callable[[int], bool], good: int, bad: int) -> int:
    """The place next to where ``holds`` changes from true at ``good`` to false at ``bad``, on the side where it is true."""
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
