"""The verb ``certify``: a proof, a counterexample, or an honest "undecided" for how a bound moves with one of its parameters."""

from __future__ import annotations

import time
from collections.abc import Mapping

from bounds.bound import Bound
from bounds.box import Point, check_box
from bounds.certificates.certificate import Certificate, Witness
from bounds.errors import DomainError, UnknownParameterError
from bounds.vocabulary import Direction, word

_CLAIMS = (Direction.INCREASING, Direction.DECREASING, Direction.CONSTANT, Direction.MIXED)


def certify(
    bound: Bound,
    parameter: str,
    direction: str | None = None,
    box: Mapping[str, tuple[float, float]] | None = None,
    *,
    update_form: str | None = None,
    samples: int = 1000,
    seed: int = 0,
    seconds: float = 20.0,
) -> Certificate:
    """Prove or refute a direction of ``bound`` in ``parameter``, all others held fixed, on the admissible part of a box.

    A proof covers every reading of the formula and every readout, and bounds in a whole spectrum on those of
    :data:`bounds.arrays.SPECTRA`. A monotone direction is refuted, and a ``mixed`` one proved, by certified witnesses.

    Args:
        direction: increasing, decreasing, constant or mixed (increasing and decreasing not strictly); the declared one
            when left out.
        box: ranges that replace those of :func:`bounds.box.default_box`; optional parameters named here are given.
        update_form: whose formula and assumptions are meant; all forms of the bound when left out.
        samples: random chains of points in the search for witnesses, after the corners of the box.
        seed: the same seed gives the same witnesses.
        seconds: when the search for a proof ends. Ctrl-C ends it too; either way the certificate says so.

    Raises:
        UnknownParameterError, UnknownNameError, DomainError: each one line.
    """
    started = time.perf_counter()
    claimed = claimed_direction(bound, parameter, direction)
    if samples < 1:
        raise DomainError(f"got samples={samples}; give at least 1")
    from bounds.certificates.search import Search

    search = Search(bound, parameter, claimed, check_box(bound, box), update_form, tuple(box or ()), started + seconds)
    try:
        outcome = search.run(samples, seed)
    except KeyboardInterrupt:
        outcome = {"status": "undecided", "engine": "stopped by hand", "reason": "stopped by hand before anything was decided"}
    form = None if update_form is None else bound.form(update_form).value
    counted = {"boxes": search.budget.boxes + search.pairs, "seconds": time.perf_counter() - started}
    return Certificate(**{"witness": None, **outcome, **counted}, **search.subject(), update_form=form)


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


def claimed_direction(bound: Bound, parameter: str, direction: str | None) -> Direction:
    """The given direction, or the declared one.

    Raises:
        UnknownParameterError, UnknownNameError, DomainError: each one line.
    """
    if parameter not in bound.formula.parameters:
        raise UnknownParameterError(f"{bound.id} has no parameter {parameter!r}; it takes {', '.join(bound.formula.parameters)}")
    claimed = bound.directions.get(parameter, Direction.UNKNOWN) if direction is None else word(Direction, direction)
    if claimed not in _CLAIMS:
        got = f"{bound.id} declares no direction in {parameter}" if direction is None else f"got the direction {direction!r}"
        raise DomainError(f"{got}; give one of {', '.join(claim.value for claim in _CLAIMS)}")
    return claimed
