"""The values that a parameter can take, in order and numbered, so that reals and integers are searched alike.

The place of an integer is the integer itself. The place of a float is its rank among the floats: neighbouring places are
neighbouring floats, and equal steps are nearly equal ratios.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bounds.errors import DomainError
from bounds.symbols import Domain, symbol

#: Integers are searched up to here.
MOST = 10**12
#: Floats beyond 2^-900 and 2^900 are not searched.
_EDGE = 900
_HUGE = 2.0**_EDGE
_OCTAVE = 1 << 52
#: Points per octave, and the octaves around 1 that they cover: where parameters lie, and floats are fast.
_DENSITY = 2
_CENTRE = 30
#: Further out one point in so many octaves up to these, and then one in so many.
_SPARSE = 2
_MIDDLE = 60
_TAIL = 105
#: A short range gets at least about so many points.
_FEWEST = 64


def rank(value: float) -> int:
    """The place of a float."""
    bits: int = struct.unpack("<q", struct.pack("<d", abs(value)))[0]
    return -bits if value < 0 else bits


def unrank(place: int) -> float:
    """The float at a place."""
    size: float = struct.unpack("<d", struct.pack("<q", abs(place)))[0]
    return -size if place < 0 else size


def _octaves(most: int, step: int) -> range:
    """Places from 2^-most to 2^most."""
    return range(rank(2.0**-most), rank(2.0**most), step)


@dataclass(frozen=True, slots=True)
class Line:
    """The places ``first`` to ``last`` of one parameter; an end is ``open`` where the domain goes on beyond the search."""

    name: str
    integer: bool
    first: int
    last: int
    open_first: bool
    open_last: bool

    def value(self, place: int) -> float | int:
        """The parameter's value at a place."""
        return place if self.integer else unrank(place)

    def grid(self, first: int, last: int) -> list[int]:
        """Places from ``first`` to ``last``, equally spaced in the logarithm: two an octave from 1e-9 to 1e9, fewer beyond."""
        if first > last:
            return []
        if self.integer:
            inner = list(self._integers(first, last))
        else:
            inner = [*_octaves(_CENTRE, _OCTAVE // _DENSITY), *_octaves(_MIDDLE, _SPARSE * _OCTAVE), *_octaves(_EDGE, _TAIL * _OCTAVE)]
            inner += [-place for place in inner] if first < 0 else []
        chosen = {first, last, *(place for place in inner if first < place < last)}
        return sorted(chosen if len(chosen) >= _FEWEST else chosen | set(self.within(first, last, _FEWEST)))

    @staticmethod
    def _integers(first: int, last: int) -> Iterator[int]:
        step = 1.0
        while step <= last - first:
            yield first + round(step)
            step *= 2 ** (1 / _DENSITY)

    def within(self, first: int, last: int, parts: int) -> list[int]:
        """``first`` and ``last`` with up to ``parts`` - 1 places between them: in the logarithm where they are far apart."""
        if self.integer and first > 0 and last > 4 * first:
            ratio = math.log(last / first) / parts
            return sorted({first, last, *(min(round(first * math.exp(k * ratio)), last) for k in range(1, parts))})
        return sorted({first + (last - first) * k // parts for k in range(parts + 1)})


def line_of(name: str) -> Line:
    """All that the parameter's domain allows.

    Raises:
        DomainError: for an array.
    """
    domain = symbol(name).domain
    if not isinstance(domain, Domain):
        raise DomainError(f"{name} is an array of numbers; calibrate a parameter that is one number")
    edge = MOST if domain.integer else _HUGE
    open_last, last = domain.high > edge, min(domain.high, edge)
    if domain.integer:
        low = max(domain.low, -edge)
        first = math.ceil(low) + (domain.low_open and low == math.ceil(low))
        return Line(name, True, first, math.floor(last), domain.low < -edge, open_last)
    if domain.low_open and domain.low == 0:
        return Line(name, False, rank(1 / _HUGE), rank(last), True, open_last)
    low = max(domain.low, -_HUGE)
    return Line(name, False, rank(low) + domain.low_open, rank(last), low != domain.low, open_last)
