"""Where two bounds cross along one parameter, the others held fixed: enclosures whose ends Arb has opposite signs at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

from bounds.box import Point, between, is_integer
from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.branch import Budget
from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.summands import difference
from bounds.comparison.comparison import Crossing
from bounds.comparison.order import Order
from bounds.comparison.pair import Case, Pair
from bounds.comparison.points import Points
from bounds.errors import DomainError, UnknownParameterError
from bounds.expression.tree import Least, Quotient, Reduce
from bounds.formula import FLAGS
from bounds.symbols import rank_of

_OF = ArbIntervals
_WIDTH = 2.0**-31
_FIRST_PIECES = 16
_MOST_PIECES = 300
_NARROW = 1e-10
_NUDGES = (1e-14, 1e-12, 2e-11, 2e-10)
#: "out": no admissible point; "still": one strict order; "one way": log(a/b) or a - b strictly monotone; "open": none is proved.
Status = Literal["out", "still", "one way", "open"]
Signs = Callable[[float], int]
Piece = tuple[float, float, Status]


class Line:
    """The parameter along which crossings are sought, with the values of all the others.

    Raises:
        UnknownParameterError, DomainError: each one line.
    """

    def __init__(self, pair: Pair, parameter: str) -> None:
        if parameter not in pair.names or rank_of(parameter) or parameter in FLAGS:
            allowed = ", ".join(name for name in pair.names if not rank_of(name) and name not in FLAGS)
            raise UnknownParameterError(f"no crossings are sought along {parameter!r}; allowed: {allowed}")
        free = [name for name, (low, high) in pair.box.items() if name != parameter and (low < high or rank_of(name))]
        if free:
            raise DomainError(
                f"crossings along {parameter} need all other parameters fixed; give {' '.join(f'{name}=VALUE' for name in free)}"
            )
        self.parameter, (self.low, self.high), self.pair = parameter, pair.box[parameter], pair
        self.at: Point = {name: low for name, (low, _) in pair.box.items() if name != parameter}


class Segment:
    """Both trees along one parameter, and what is proved of their order on a piece of its range."""

    def __init__(self, case: Case, parameter: str, at: Point, low: float, high: float) -> None:
        self.graph, self.parameter = case.graph, parameter
        self.fixed = {name: _OF.number(value) for name, value in at.items() if name != parameter and name not in case.flags}
        self.facts = [(left, right) for left, _, right in case.conditions]
        # Numbers in place of the names would turn powers into fractions of a million digits.
        self.a, self.b = Order(self.graph, Budget(math.inf)).reduced(case.a, case.b, self._scope(low, high))
        self.gap, self.ratio = difference(self.graph, self.a, self.b), self.graph.make(Quotient, self.a, self.b)

    def _scope(self, low: float, high: float, moving: Iterable[str] = ()) -> Scope:
        ends = (_OF.number(low)[0], _OF.number(high)[1])
        return Scope(self.graph, {**self.fixed, self.parameter: ends}, moving=frozenset(moving))

    @property
    def equal(self) -> bool:
        """Whether both are the same."""
        return self.a is self.b

    @property
    def opaque(self) -> bool:
        """Whether pieces tell little: least values over places, and sums over arrays."""
        return any(isinstance(part, Least | Reduce) for part in self.graph.walk(self.ratio))

    def status(self, low: float, high: float) -> Status:
        """What is proved on a piece; the whole of it is taken, admissible or not, except for "out"."""
        plain = Calculus(self._scope(low, high), _OF)
        if any(plain.state(left).value[0] > plain.state(right).value[1] for left, right in self.facts):
            return "out"
        moving = Calculus(self._scope(low, high, (self.parameter,)), _OF)
        gap, ratio, over, under = (moving.state(node) for node in (self.gap, self.ratio, self.a, self.b))
        positive = over.value[0] > 0 and under.value[0] > 0
        if gap.value[0] > 0 or gap.value[1] < 0 or (positive and (ratio.value[0] > 1 or ratio.value[1] < 1)):
            return "still"
        rates = [gap.rate, *([ratio.elasticity] if positive else [])]
        # The rate is the parameter times the derivative.
        return "one way" if low > 0 and any(rate[0] > 0 or rate[1] < 0 for rate in rates) else "open"


def roots(cases: Sequence[Case], line: Line, budget: Budget) -> tuple[list[Crossing], bool]:
    """All crossings along a line, and whether these are proved to be all of them."""
    (case,) = cases
    segment = Segment(case, line.parameter, line.at, line.low, line.high)
    if segment.equal:
        return [], True
    points = Points(case, line.pair.names)
    at = {name: value for name, value in line.at.items() if name not in case.flags}
    sign = _signs(points, line.parameter, at)
    pieces = _pieces(segment, line, budget)
    found = []
    for low, high in _brackets(pieces, sign):
        crossing = _crossing(segment, points, line.parameter, line.at, _narrowed(low, high, sign, is_integer(line.parameter)), sign)
        if crossing is not None:
            found.append(crossing)
    sure = all(piece[2] != "open" or _neighbours(line.parameter, piece) for piece in pieces)
    return found, sure and all(one.unique for one in found)


def _neighbours(parameter: str, piece: Piece) -> bool:
    """Whether no whole number lies between the ends, both of which are looked at."""
    return is_integer(parameter) and piece[1] - piece[0] <= 1


def _signs(points: Points, parameter: str, at: Point) -> Signs:
    known: dict[float, int] = {}

    def sign(value: float) -> int:
        if value not in known:
            known[value] = points.sign({**at, parameter: value})
        return known[value]

    return sign


def _pieces(segment: Segment, line: Line, budget: Budget) -> list[Piece]:
    """The range in pieces from left to right; open ones are halved, the widest first, until the pieces or the time run out."""
    whole = is_integer(line.parameter)
    ends = sorted({line.low, line.high, *(_at(line.low, line.high, k / _FIRST_PIECES, whole) for k in range(1, _FIRST_PIECES))})
    waiting = list(pairwise(ends)) or [(line.low, line.high)]
    done: list[Piece] = []
    most = 4 * _FIRST_PIECES if segment.opaque else _MOST_PIECES
    while waiting:
        low, high = waiting.pop(0)
        budget.boxes += 1
        status = segment.status(low, high)
        middle = _at(low, high, 0.5, whole)
        if (
            status == "open"
            and low < middle < high
            and high - low > _NARROW * abs(high)
            and len(done) + len(waiting) < most
            and not budget.spent
        ):
            waiting += [(low, middle), (middle, high)]
        else:
            done.append((low, high, status))
    return sorted(done)


def _at(low: float, high: float, share: float, whole: bool) -> float:
    value = low * (high / low) ** share if low > 0 else low + (high - low) * share
    return round(value) if whole else value


def _brackets(pieces: Sequence[Piece], sign: Signs) -> Iterator[tuple[float, float]]:
    """Pairs of points with opposite signs, none between them that was looked at."""
    last: tuple[float, int] | None = None
    for low, high, status in pieces:
        if status == "out":
            last = None
            continue
        for point in (low, high):
            here = sign(point)
            if here and last and here != last[1]:
                yield last[0], point
            last = (point, here) if here else last


def _narrowed(low: float, high: float, sign: Signs, whole: bool) -> tuple[float, float]:
    """A bracket halved until it is 2^-31 wide relatively, or holds no whole number inside."""
    before = sign(low)
    while (high - low > 1) if whole else (high - low > _WIDTH * max(abs(low), abs(high))):
        middle: float = (int(low) + int(high)) // 2 if whole else math.sqrt(low * high) if low > 0 else (low + high) / 2
        if not low < middle < high:
            break
        here = sign(middle)
        if here == 0:
            return _around(low, middle, high, sign, whole)
        low, high = (middle, high) if here == before else (low, middle)
    return low, high


def _around(low: float, root: float, high: float, sign: Signs, whole: bool) -> tuple[float, float]:
    """The closest neighbours of a point where both are equal that tell the orders on both sides."""
    steps: Sequence[float] = (1, 2, 3) if whole else [share * abs(root) for share in _NUDGES]
    before = next((root - step for step in steps if root - step >= low and sign(root - step) == sign(low)), low)
    after = next((root + step for step in steps if root + step <= high and sign(root + step) == sign(high)), high)
    return before, after


def _crossing(
    segment: Segment | None, points: Points, parameter: str, at: Point, ends: tuple[float, float], sign: Signs
) -> Crossing | None:
    """The crossing, where its ends are admissible."""
    low, high = (int(end) if is_integer(parameter) else end for end in ends)
    free = {name: value for name, value in at.items() if name not in points.case.flags}
    if not all(points.holds({**free, parameter: end}) for end in (low, high)):
        return None
    unique = (is_integer(parameter) and high - low == 1) or (segment is not None and segment.status(low, high) == "one way")
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in at.items()}
    return Crossing(parameter, low, high, "-" if sign(low) < 0 else "+", unique, told)


def between_witnesses(fields: Sequence[Points], found: dict[int, tuple[int, Point]], pair: Pair) -> tuple[list[Crossing], None]:
    """One crossing on a way from a point where a is smaller to one where b is, one parameter at a time through admissible points."""
    if len(found) < 2 or found[-1][0] != found[1][0]:
        return [], None
    points, start, goal = fields[found[-1][0]], found[-1][1], found[1][1]
    for leg in _way(points, dict(start), goal):
        at, parameter, ends = leg
        sign = _signs(points, parameter, at)
        low, high = sorted(ends)
        if {sign(low), sign(high)} != {-1, 1}:
            continue
        narrow = _narrowed(low, high, sign, is_integer(parameter))
        others = {**{name: value for name, value in at.items() if name != parameter}, **dict.fromkeys(points.case.flags, 1)}
        segment = None if any(map(rank_of, at)) else Segment(points.case, parameter, at, low, high)
        crossing = _crossing(segment, points, parameter, others, narrow, sign)
        return ([] if crossing is None else [crossing]), None
    return [], None


def _way(points: Points, at: Point, goal: Point) -> Iterator[tuple[Point, str, tuple[float, float]]]:
    """(point, parameter, its two values) for steps from ``at`` to ``goal`` whose ends are admissible; it ends where none is left.

    Steps that end where both are equal would hide the crossing: then one goes half of the way.
    """
    left = [name for name in at if at[name] != goal[name] and not rank_of(name)]
    while left:
        ends = [
            (name, {**at, name: value}) for share in (1.0, 0.5) for name in left for value in [between(name, at[name], goal[name], share)]
        ]
        allowed = [(name, end) for name, end in ends if end != at and points.holds(end)]
        step = next((one for one in allowed if points.sign(one[1])), None)
        if step is None:
            return
        name, end = step
        yield dict(at), name, (at[name], end[name])
        at = end
        left = [one for one in left if at[one] != goal[one]]


__all__ = ["Line", "between_witnesses", "roots"]
