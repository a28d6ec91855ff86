"""The search along one parameter, and the words for what it found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from bounds.calibration.admissible import Range, edge
from bounds.calibration.answer import Calibration, Side, Status
from bounds.calibration.bowl import NotUnimodalError, coarse, valley
from bounds.calibration.crossing import crossing
from bounds.calibration.problem import Problem
from bounds.vocabulary import Direction

#: Where the limit of a bound in an integer is read off: far beyond the search, and by monotonicity on the safe side.
_FAR = 10**40
#: A floor this close to the target, relatively, is not told from it.
_CLOSE = 1e-12
_MOST_BACK = 1 << 14
#: Floats need not find the threshold closer than this, in neighbouring floats: the windows around it do.
_NEAR = 4
#: Around the threshold that floats find, in neighbouring floats.
_WINDOWS = (0, 8, 512, 1 << 14, 1 << 19)
_SIDES = {Direction.INCREASING: "largest", Direction.DECREASING: "smallest"}


@dataclass(frozen=True)
class Search:
    """A problem on its admissible range; ``target`` None asks for the least value, ``side`` for the smallest or largest place."""

    problem: Problem
    range: Range
    target: float | None
    side: Side | None = None

    def run(self) -> Calibration:
        """The answer, by the declared direction or, where there is none, by one valley."""
        direction = self.problem.bound.directions.get(self.problem.line.name, Direction.UNKNOWN)
        first, last = self.range.first, self.range.last
        if direction is Direction.CONSTANT:
            return self._constant(first if self.side == "smallest" else last)
        if direction in _SIDES:
            best, worst = (first, last) if direction is Direction.INCREASING else (last, first)
            if self.target is None:
                return self._at_bottom(best)
            other = self.side not in (None, _SIDES[direction])
            return self._end(best, best < worst, self.target) if other else self._between(best, worst, self.target)
        try:
            return self._mixed(first, last)
        except NotUnimodalError as error:
            return self.undecided(f"{error}, so neither a monotone search nor one for a single valley applies")

    # --- what was found -------------------------------------------------------------------------------------------------

    def answer(self, status: Status, places: tuple[int, int, int] | None, achieved: float | None, reason: str) -> Calibration:
        """The answer with [low, high] and the value at ``places`` (low, value, high)."""
        line = self.problem.line
        low, value, high = (None, None, None) if places is None else (line.value(place) for place in places)
        words = "".join(f"; taken for granted: {text}" for text in self.range.granted)
        return Calibration(self.problem.bound.id, line.name, status, value, low, high, achieved, self.target, reason + words)

    def undecided(self, reason: str, achieved: float | None = None) -> Calibration:
        """An honest no."""
        return self.answer("undecided", None, achieved, reason)

    def _shown(self, place: int) -> str:
        return f"{self.problem.line.name}={self.problem.line.value(place):.12g}"

    # --- monotone -------------------------------------------------------------------------------------------------------

    def _between(self, best: int, worst: int, target: float, note: str = "") -> Calibration:
        """The last place from ``best`` (where the bound is least) towards ``worst`` that meets the target."""
        if not self.problem.meets(best, target):
            return self._floor(best, target)
        if self.problem.meets(worst, target):
            return self._no_obstacle(worst, upwards=worst > best)
        good, bad = self._frontier(best, worst, target)
        good = good if self.problem.line.integer else self._back(good, best, target)
        if not self.problem.certified(good, target) or not self._missed(bad, target):
            return self.undecided(f"the bound has no value near {self._shown(good)}")
        side = "largest" if worst > best else "smallest"
        before = f"the bound is {self.problem.achieved(bad):.9g} at {self._shown(bad)}" if self.problem.line.integer else ""
        reason = f"the {side} {self.problem.line.name} that meets the target" + (f": {before}" if before else "") + note
        return self.answer("found", self._ordered(good, bad), self.problem.achieved(good, target), reason)

    def _frontier(self, best: int, worst: int, target: float) -> tuple[int, int]:
        """Places next to each other (or a few floats apart), the first certified to meet the target, the second to miss it."""
        way = 1 if worst > best else -1
        guess = crossing(self.problem.value, target, best, worst, near=0 if self.problem.line.integer else _NEAR)
        for step in _WINDOWS[: 1 if self.problem.line.integer else None]:
            low, high = min(best, worst), max(best, worst)
            good, bad = (min(max(place, low), high) for place in (guess - way * step, guess + way * (step + 1)))
            if self.problem.certified(good, target) and self._missed(bad, target):
                return good, bad
        # Rounding moved the floats too far: Arb decides all the way.
        good = edge(lambda place: self.problem.meets(place, target), best, worst)
        return good, good + way

    def _missed(self, place: int, target: float) -> bool:
        return self.problem.sign(self.problem.line.value(place), target) == 1

    def _ordered(self, good: int, bad: int) -> tuple[int, int, int]:
        if self.problem.line.integer:
            return good, good, good
        return min(good, bad), good, max(good, bad)

    def _back(self, good: int, best: int, target: float) -> int:
        """A few floats back, until the rounded-up value that people see meets the target too."""
        step, place = 1, good
        while self.problem.value(place) > target and step < _MOST_BACK:
            place = max(good - step, best) if best < good else min(good + step, best)
            step *= 2
        return place

    def _end(self, best: int, low: bool, target: float) -> Calibration:
        """The end of the range at which the bound is least, when that is the side asked for."""
        if not self.problem.meets(best, target):
            return self._floor(best, target)
        name = self.problem.line.name
        return self._at_end(best, not low, f"the bound {'rises' if low else 'falls'} with {name}, so the target is met up to that end")

    def _no_obstacle(self, worst: int, upwards: bool) -> Calibration:
        """Every admissible value meets the target: the range ends first."""
        return self._at_end(worst, upwards, f"every admissible {self.problem.line.name} meets the target")

    def _at_end(self, place: int, upwards: bool, words: str) -> Calibration:
        name = self.problem.line.name
        stop = self.range.above if upwards else self.range.below
        goes_on = not stop and (self.problem.line.open_last if upwards else self.problem.line.open_first)
        why = (
            f"the assumption {stop} ends the range" if stop else "the search ends there" if goes_on else f"the domain of {name} ends there"
        )
        beyond = place + (1 if upwards else -1)
        places = self._ordered(place, beyond if stop and not self.problem.line.integer else place)
        return self.answer("found", places, self.problem.achieved(place, self.target), f"{words}; {why}")

    # --- floors ---------------------------------------------------------------------------------------------------------

    def _goes_on(self, place: int) -> tuple[bool, str]:
        """Whether the parameter may go on beyond the search at this end, and the assumption that ends it."""
        line, range_ = self.problem.line, self.range
        if place == range_.last and place != range_.first:
            return not range_.above and line.open_last, range_.above
        return not range_.below and line.open_first and place == range_.first, range_.below if place == range_.first else ""

    def _limit(self, place: int) -> tuple[Any, float]:
        """Where the limit is read off, and the limit."""
        if not self.problem.line.integer:
            return self.problem.line.value(place), self.problem.achieved(place)
        far = math.copysign(1, place) * _FAR
        ball = self.problem.ball(int(far), 424)
        return int(far), self.problem.bound.rounded(ball) if ball.is_finite() else math.nan

    def _floor(self, best: int, target: float) -> Calibration:
        goes_on, stop = self._goes_on(best)
        achieved, name = self.problem.achieved(best), self.problem.line.name
        if math.isnan(achieved):
            return self.undecided(f"the bound has no value at {self._shown(best)}")
        if not goes_on:
            why = f"the assumption {stop} allows no further {name}" if stop else f"{name} goes no further"
            if best not in (self.range.first, self.range.last):
                why = "that is its least value"
            return self.answer("impossible", None, achieved, f"the bound is still {achieved:.9g} at {self._shown(best)}; {why}")
        place, limit = self._limit(best)
        way = "grows" if best == self.range.last else "falls"
        if self.problem.sign(place, target) == 1:
            return self.answer("impossible", None, limit, f"as {name} {way} the bound falls to its floor {limit:.9g}, above the target")
        return self.undecided(f"the target is met beyond {self._shown(best)} only, where the search ends", achieved)

    def _at_bottom(self, best: int) -> Calibration:
        """The least value of a monotone bound."""
        goes_on, stop = self._goes_on(best)
        if goes_on:
            _, limit = self._limit(best)
            way = "grows" if best == self.range.last else "falls"
            reason = f"the bound has no least value: it falls to {limit:.9g} as {self.problem.line.name} {way}"
            return self.answer("impossible", None, limit, reason)
        why = f"the assumption {stop} ends the range there" if stop else f"{self.problem.line.name} goes no further"
        return self.answer("found", (best, best, best), self.problem.achieved(best), f"the bound is monotone, and {why}")

    def _constant(self, place: int) -> Calibration:
        name, achieved = self.problem.line.name, self.problem.achieved(place)
        if self.target is None or self.problem.meets(place, self.target):
            places = (self.range.first, place, place)
            return self.answer("found", places, self.problem.achieved(place, self.target), f"the bound does not depend on {name}")
        return self.answer("impossible", None, achieved, f"the bound is {achieved:.9g} and does not depend on {name}")

    # --- one valley -----------------------------------------------------------------------------------------------------

    def _mixed(self, first: int, last: int) -> Calibration:
        _, place, _, points = coarse(self.problem, first, last)
        note = f"the bound falls and then rises (one valley on a grid of {points} points)"
        if self.target is None or not self.problem.meets(place, self.target):
            place = (found := valley(self.problem, first, last)).place
            if self.target is None:
                if place in (first, last) and self._goes_on(place)[0]:
                    return self._at_bottom(place)
                places = (found.low, place, found.high)
                return self.answer("found", places, self.problem.achieved(place), f"where the bound is least; {note}")
        if not self.problem.meets(place, self.target):
            return self._below_the_valley(place, self.target, note)
        side = self.side or ("smallest" if self.problem.line.integer else "largest")
        return self._between(place, first if side == "smallest" else last, self.target, f"; {note}")

    def _below_the_valley(self, place: int, target: float, note: str) -> Calibration:
        """A target that the least value, at ``place``, misses."""
        least = self.problem.achieved(place)
        if not self.problem.line.integer and least - target <= _CLOSE * abs(least):
            return self.undecided(f"the least value {least!r}, at {self._shown(place)}, cannot be told from the target", least)
        if place in (self.range.first, self.range.last) and self._goes_on(place)[0]:
            return self._floor(place, target)
        at = f"{self.problem.line.name}={self.problem.line.value(place):.9g}"
        return self.answer("impossible", None, least, f"the least value is {least:.9g}, at {at}; {note}")
