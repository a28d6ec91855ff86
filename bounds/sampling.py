"""Chains of admissible points along one parameter: corners of the box first, then random points, far apart and close by."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Any

from bounds.arrays import raised
from bounds.bound import Bound
from bounds.box import Box, Point, admissible, between, is_admissible, is_integer, nearest, readings
from bounds.expression import PrecisionError
from bounds.symbols import rank_of

_CORNERS = 256
_LOCAL = 1e-3
_EXACT = 20
_AT_AN_END = 0.25


class Sampler:
    """Deterministic chains for one bound, parameter, box and update form; equal seeds give equal chains."""

    def __init__(self, bound: Bound, parameter: str, box: Box, update_form: str | None, seed: int, given: Iterable[str] = ()) -> None:
        self.bound, self.parameter, self.box, self.form = bound, parameter, box, bound.form(update_form).value
        self.readings = readings(bound, self.form, (*given, parameter))
        self.random = random.Random(f"{bound.id}/{parameter}/{self.form}/{seed}")

    def chains(self, samples: int) -> Iterator[list[Point]]:
        """Admissible points that differ in the parameter alone, in ascending order of it: corners, then ``samples`` random chains."""
        yield from filter(None, map(self.corner_chain, self.corners()))
        yield from filter(None, (self.random_chain() for _ in range(samples)))

    def free(self, reading: tuple[str, ...]) -> list[str]:
        """The parameters given in this reading, other than the one that moves."""
        return [name for name in (*self.bound.formula.required, *reading) if name != self.parameter]

    def corners(self) -> list[Point]:
        """Corners of the box in every reading; a random choice of them where there are too many."""
        quota = max(_CORNERS // len(self.readings), 8)
        return [corner for reading in self.readings for corner in self._some_corners(reading, quota)]

    def _some_corners(self, reading: tuple[str, ...], quota: int) -> Iterator[Point]:
        free = [*self.free(reading), self.parameter]
        if 2 ** len(free) <= quota and not any(map(rank_of, free)):
            choices: Iterable[tuple[Any, ...]] = itertools.product(*(self.box[name] for name in free))
        else:
            choices = [tuple(self._end(name) for name in free) for _ in range(quota)]
        return (dict(zip(free, choice, strict=True)) for choice in choices)

    def corner_chain(self, corner: Point) -> list[Point]:
        """From an admissible point near a corner to both ends of what is admissible, with small steps at the ends."""
        base = self._base(corner, _EXACT)
        if base is None or rank_of(self.parameter):
            return []
        start = base[self.parameter]
        ends = [self._pulled(base, end, _EXACT) for end in self.box[self.parameter] if end != start]
        steps = [(self._step(start, far, _LOCAL), between(self.parameter, start, far, 0.5), self._step(far, start, _LOCAL)) for far in ends]
        return self._chain(base, [start, *ends, *itertools.chain.from_iterable(steps)])

    def random_chain(self) -> list[Point]:
        """A random admissible point, another value of the parameter, and one close to the first."""
        reading = self.random.choice(self.readings)
        base = self._base({name: self._draw(name) for name in (*self.free(reading), self.parameter)}, 4)
        if base is None:
            return []
        if rank_of(self.parameter):
            return self._raised_chain(base)
        start, far = base[self.parameter], self._pulled(base, self._draw(self.parameter), 4)
        return self._chain(base, [start, far, self._step(start, far, 10 ** self.random.uniform(-4, -1))])

    def _raised_chain(self, base: Point) -> list[Point]:
        """An array, and the same with every entry a little and far higher."""
        high, array = self.box[self.parameter][1], base[self.parameter]
        shares = sorted((10 ** self.random.uniform(-4, -1), self.random.random()))
        points = [base, *(base | {self.parameter: raised(self.parameter, array, high, share)} for share in shares)]
        chain = [point for point in points if self._applies(point)]
        return chain if len(chain) > 1 else []

    def _base(self, values: Point, refine: int) -> Point | None:
        # The parameter itself moves last: a chain from its end of the range says more than one from the middle.
        held = admissible(self.bound, values, self.box, self.form, (self.parameter,), refine)
        return held or admissible(self.bound, values, self.box, self.form, (), refine)

    def _end(self, name: str) -> Any:
        return self._draw(name) if rank_of(name) else self.random.choice(self.box[name])

    def _draw(self, name: str) -> Any:
        low, high = self.box[name]
        if self.random.random() < _AT_AN_END and not rank_of(name):
            return self.random.choice((low, high))
        return between(name, low, high, self.random.random())

    def _pulled(self, base: Point, target: float, refine: int) -> float | int:
        """``target``, or the last admissible value found on the way to it."""

        def holds(value: float) -> bool:
            return is_admissible(self.bound, base | {self.parameter: value}, self.form)

        return target if holds(target) else nearest(self.parameter, target, base[self.parameter], holds, refine)

    def _step(self, start: float, towards: float, size: float) -> float | int:
        sign = 1 if towards > start else -1
        if is_integer(self.parameter):
            return start + sign * max(1, round(size * start))
        return start + sign * size * (abs(start) or 1.0)

    def _chain(self, base: Point, values: list[float]) -> list[Point]:
        low, high = self.box[self.parameter]
        inside = sorted({value for value in values if low <= value <= high})
        points = (base | {self.parameter: value} for value in inside)
        chain = [point for point in points if self._applies(point)]
        return chain if len(chain) > 1 else []

    def _applies(self, point: Point) -> bool:
        """Whether every assumption is known to hold and the bound has a value."""
        try:
            return not self.bound.assess(point, self.form)
        except PrecisionError:
            return False
