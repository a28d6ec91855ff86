"""Certified counterexamples: two points and the order of their values."""

from __future__ import annotations

from bounds.bound import Bound
from bounds.box import Point
from bounds.certificates.certificate import Witness
from bounds.vocabulary import Direction


def refutation(bound: Bound, direction: Direction, first: Point, second: Point, update_form: str | None = None) -> Witness | None:
    """The two points as a certified witness against ``direction``, or None where they are none.

    The Arb enclosures must be strictly ordered the wrong way, and so must the floats of ``evaluate``, for anyone to check.
    """
    before, after = (bound.enclosure(point, update_form) for point in (first, second))
    rises, falls = bool(before < after), bool(before > after)
    wrong = {Direction.INCREASING: falls, Direction.DECREASING: rises, Direction.CONSTANT: rises or falls}
    if not wrong.get(direction, False):
        return None
    values = [float(bound.evaluate(update_form=update_form, **point)) for point in (first, second)]
    return Witness(first, second, *values) if (values[0] < values[1] if rises else values[0] > values[1]) else None
