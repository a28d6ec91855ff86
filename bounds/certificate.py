"""Certificates: how a bound moves with one of its parameters, refuted by a certified witness or left undecided."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal

from bounds.bound import Bound
from bounds.box import Box, Point, check_box
from bounds.errors import DomainError, UnknownParameterError
from bounds.sampling import Sampler
from bounds.vocabulary import Direction, word

Status = Literal["proved", "refuted", "undecided"]
_CLAIMS = (Direction.INCREASING, Direction.DECREASING, Direction.CONSTANT, Direction.MIXED)
_BOTH = "sampling: a certified witness against each direction"


@dataclass(frozen=True, slots=True)
class Witness:
    """Two admissible points that differ in one parameter (its smaller value first) and the values that ``evaluate`` gives there."""

    first: Mapping[str, float | int]
    second: Mapping[str, float | int]
    first_value: float
    second_value: float


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of one direction of one bound.

    ``boxes`` counts the pairs of points compared. A ``mixed`` direction is proved by two witnesses: ``witness`` is
    against increasing, ``opposite`` against decreasing.
    """

    bound: str
    parameter: str
    direction: Direction
    status: Status
    witness: Witness | None
    box: Box
    engine: str
    boxes: int
    seconds: float = field(compare=False)
    opposite: Witness | None = None

    def document(self) -> dict[str, Any]:
        """The JSON document; the second witness of a ``mixed`` direction stands inside the first, under ``opposite``."""
        content = asdict(self)
        opposite = content.pop("opposite")
        if opposite is not None:
            content["witness"]["opposite"] = opposite
        return {"schema_version": 1, **content, "direction": self.direction.value}


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


def certify(
    bound: Bound,
    parameter: str,
    direction: str | None = None,
    box: Mapping[str, tuple[float, float]] | None = None,
    *,
    update_form: str | None = None,
    samples: int = 1000,
    seed: int = 0,
) -> Certificate:
    """Look for a certified counterexample to a direction of ``bound`` in ``parameter``, all others held fixed.

    Sampling refutes a monotone direction or leaves it undecided, and never proves it; a ``mixed`` direction is proved
    by a witness against each of the two.

    Args:
        direction: increasing, decreasing, constant or mixed; the declared one when left out.
        box: ranges that replace those of :func:`bounds.box.default_box`; optional parameters named here are given.
        update_form: whose assumptions must hold; the bound's first form when left out.
        samples: random chains of points, after the corners of the box.
        seed: the same seed gives the same certificate.

    Raises:
        UnknownParameterError, UnknownNameError, DomainError: each one line.
    """
    started = time.perf_counter()
    claimed = claimed_direction(bound, parameter, direction)
    if samples < 1:
        raise DomainError(f"got samples={samples}; give at least 1")
    ranges = check_box(bound, box)
    wanted = [Direction.INCREASING, Direction.DECREASING] if claimed is Direction.MIXED else [claimed]
    found: dict[Direction, Witness] = {}
    boxes = 0
    for first, second in _pairs(Sampler(bound, parameter, ranges, update_form, seed, box or ()), samples):
        boxes += 1
        witnesses = {one: refutation(bound, one, first, second, update_form) for one in wanted if one not in found}
        found |= {one: witness for one, witness in witnesses.items() if witness is not None}
        if len(found) == len(wanted):
            break
    status, engine = _conclusion(claimed, complete=len(found) == len(wanted))
    shown = [found[one] for one in wanted] if status != "undecided" else []
    witness, opposite = (*shown, None, None)[:2]
    return Certificate(bound.id, parameter, claimed, status, witness, ranges, engine, boxes, time.perf_counter() - started, opposite)


def _conclusion(claimed: Direction, complete: bool) -> tuple[Status, str]:
    if not complete:
        return "undecided", "sampling"
    return ("proved", _BOTH) if claimed is Direction.MIXED else ("refuted", "sampling")


def _pairs(sampler: Sampler, samples: int) -> Iterator[tuple[Point, Point]]:
    # Any violation along a chain shows between two neighbours.
    for chain in sampler.chains(samples):
        yield from pairwise(chain)


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
