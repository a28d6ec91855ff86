"""Certified counterexamples: two points and the order of their values."""

from __future__ import annotations

from collections.abc import Sequence

from bounds.bound import Bound
from bounds.box import Point
from bounds.certificates.certificate import Witness
from bounds.vocabulary import Direction


def refutation(
    bound: Bound, direction: Direction, first: Point, second: Point, update_form: str | None = None, values: Sequence[float] | None = None
) -> Witness | None:
    """The two points as a certified witness against ``direction``, or None where they are none.

    The Arb enclosures must be strictly ordered the wrong way, and so must the floats of ``evaluate`` (``values``, where they
    are known already), for anyone to check.
    """
    values = values or [float(bound.evaluate(update_form=update_form, **point)) for point in (first, second)]
    rises, falls = values[0] < values[1], values[0] > values[1]
    wrong = {Direction.INCREASING: falls, Direction.DECREASING: rises, Direction.CONSTANT: rises or falls}
    if not wrong.get(direction, False):
        return None
    # The floats first: they are a thousand times cheaper, and most pairs are in order.
    before, after = (bound.enclosure(point, update_form) for point in (first, second))
    return Witness(first, second, *values) if (before < after if rises else before > after) else None
