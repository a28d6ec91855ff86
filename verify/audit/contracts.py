"""What every bound of the catalogue must satisfy whatever runs say: its recursion, its reductions, units, and having a value at all."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flint import arb

from bounds.bound import Bound
from bounds.box import Point, admissible, between, default_box, readings
from bounds.errors import GossipBoundsError
from bounds.expression import PrecisionError
from bounds.formula import without_false_flags
from bounds.registry import get
from bounds.symbols import rank_of, symbol
from bounds.targets import TARGET_SLACK, UNROLLED_SLACK, fixed, target
from bounds.vocabulary import Quantity

Ranges = tuple[tuple[str, tuple[float, float]], ...]
_BITS = (160, 1000)
_EACH = 4
_STEPS = 7
_LOOSEST = 4
_NO_VALUE = (PrecisionError, GossipBoundsError, ArithmeticError, IndexError, ValueError)
_W, _LOSS = 4, 128
#: Powers of the unit of the weights and of the unit of the loss.
_UNITS: dict[str, tuple[int, int]] = {
    Quantity.GENERALIZATION_ERROR: (0, 1),
    Quantity.EXCESS_RISK: (0, 1),
    Quantity.L1_STABILITY: (1, 0),
    Quantity.L2_STABILITY: (2, 0),
    Quantity.CONSENSUS_DISTANCE: (2, 0),
    Quantity.GRADIENT_NORM: (-2, 2),
    Quantity.EXIT_TIME: (0, 0),
    Quantity.STEP_LIMIT: (2, -1),
    Quantity.GOSSIP_STEPS: (0, 0),
    "mgs_pl": (0, 1),
    "mgs_convex": (0, 1),
    "excess_gap_consensus_atc": (0, 1),
    "excess_gap_consensus_cta": (0, 1),
    "exit_time_ratio": (0, 0),
    "smoothing_lipschitz": (-2, 1),
    "sam_residual": (1, 0),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Admissible parameters of a bound for one update form and readout."""

    point: Point
    form: str
    readout: str

    def value(self, bound: Bound) -> arb:
        """The certified value there.

        Raises:
            PrecisionError, GossipBoundsError: where there is none.
        """
        from bounds.expression.balls import ball_at, exact_values

        inputs = exact_values(dict(bound.formula.defaults) | self.point)
        tree = bound.expression(without_false_flags(self.point), self.form, self.readout)
        # A planted error often leaves no value at all; more bits would take seconds to say so again.
        for bits in _BITS:
            ball: arb = ball_at(tree, inputs, bits)
            if ball == arb("inf") or (ball.is_finite() and ball.rad() <= abs(ball.mid()) * UNROLLED_SLACK**2):
                return ball
        raise PrecisionError("the expression has no finite value here")


@lru_cache(maxsize=256)
def places(bound_id: str, ranges: Ranges = (), given: tuple[str, ...] = (), every: bool = True) -> list[Place]:
    """Admissible points of every update form, log-uniform in the default box narrowed to ``ranges``; of ``every`` reading and readout or one."""
    bound = get(bound_id)
    box = default_box(bound) | dict(ranges)
    found: list[Place] = []
    draw = random.Random(f"audit {bound.id} {ranges} {given}")
    for form in bound.update_forms:
        for reading in readings(bound, form.value, given)[: None if every else 1]:
            names = (*bound.formula.required, *reading)
            trials = ({name: _drawn(name, box[name], draw) for name in names} for _ in range(8 * _EACH))
            fitting = (point for trial in trials if (point := admissible(bound, trial, box, form.value)) is not None)
            points = [point for point, _ in zip(fitting, range(_EACH), strict=False)]
            found += [
                Place(point, form.value, bound.readouts[k % len(bound.readouts) if every else 0].value) for k, point in enumerate(points)
            ]
    return found


def _drawn(name: str, ends: tuple[float, float], draw: random.Random) -> Any:
    low, high = ends
    return low if low == high and not rank_of(name) else between(name, low, high, draw.random())


def _held(value: arb, other: arb, relation: str, slack: float, within: float | None = None) -> bool:
    """Whether the relation holds; ``within`` is how many times ``other`` the value may be."""
    room = abs(other) * slack if other.is_finite() else arb(0)
    if relation == "equals":
        return bool(abs(value - other) <= room or value == other)
    return not (value < other - room or (within is not None and value > other * within))


def has_values(bound: Bound, original: Bound) -> str:
    """Empty when there is a value wherever the original has one, nowhere below 0 where the original is not; else what fails."""
    for place in places(original.id):
        try:
            value = place.value(bound)
        except _NO_VALUE:
            return "no value at an admissible point"
        if value < 0 and original.quantity is not Quantity.OTHER:
            return "a negative value"
    return ""


def obeys_recursion(bound: Bound, original: Bound) -> str:
    """Empty when the closed form has the declared relation to its own recursion; else what fails."""
    recursion = bound.recursion
    if recursion is None:
        return ""
    within = _LOOSEST if recursion.relation == "dominates" and "T" in bound.formula.required else None
    for place, count in _unrolled(original.id):
        unrolled = recursion.unroll(bound.formula, place.point, count, (place.form, place.readout))[-1]
        if not _held(place.value(bound), unrolled, recursion.relation, UNROLLED_SLACK, within):
            return f"its own recursion after {count} steps"
    return ""


@lru_cache(maxsize=64)
def _unrolled(bound_id: str) -> list[tuple[Place, int]]:
    bound = get(bound_id)
    ranges = (("T", (1, _STEPS)),) if "T" in bound.formula.parameters else ()
    return [(place, int(place.point.get("T", _STEPS))) for place in places(bound_id, ranges)]


def obeys_reductions(bound: Bound, original: Bound) -> str:
    """Empty when every recorded reduction holds; else the first that fails."""
    for at, relation, compared in _reduced(original.id):
        for place, other in compared:
            if not _held(place.value(bound), other, relation, TARGET_SLACK):
                return f"its reduction at {at}"
    return ""


@lru_cache(maxsize=64)
def _reduced(bound_id: str) -> list[tuple[str, str, list[tuple[Place, arb]]]]:
    """Every reduction with the places where it is looked at, and the value it must have or dominate there."""
    bound = get(bound_id)
    found: list[tuple[str, str, list[tuple[Place, arb]]]] = []
    for reduction in bound.reductions:
        against = target(bound, reduction.to or reduction.value or "", dict(reduction.arguments))
        ranges = tuple(fixed(bound, dict(reduction.at)).items())
        given = (*(name for name, _ in reduction.at), *against.needs)
        around = places(bound_id, ranges, given, False)
        compared = [(place, against.ball(place.point)) for place in around if against.holds(place.point)]
        found.append((", ".join(f"{name} = {value:g}" for name, value in reduction.at), reduction.relation, compared))
    return found


def obeys_units(bound: Bound, original: Bound) -> str:
    """Empty when the value scales with the units of weights and loss as its quantity does; else a sentence."""
    weights, loss = _UNITS[original.id] if original.id in _UNITS else _UNITS[original.quantity]
    for place in places(original.id):
        scaled = {name: _scaled(value, *unit_powers(symbol(name).unit)) for name, value in place.point.items()}
        value = place.value(bound) * arb(_W) ** weights * arb(_LOSS) ** loss
        if not _held(Place(scaled, place.form, place.readout).value(bound), value, "equals", 1e-12):
            return "its units"
    return ""


def unit_powers(unit: str) -> tuple[int, int]:
    """The powers of ``w`` and ``loss`` in a unit such as ``(loss/w)^2``, ``w^2/loss`` or ``-``."""
    if unit.startswith("("):
        inside, _, power = unit.rpartition("^")
        weights, loss = unit_powers(inside.strip("()"))
        return weights * int(power), loss * int(power)
    powers = {"w": 0, "loss": 0, "-": 0}
    for sign, part in zip((1, -1), unit.split("/"), strict=False):
        name, _, power = part.partition("^")
        powers[name] += sign * int(power or 1)
    return powers["w"], powers["loss"]


def _scaled(value: Any, weights: int, loss: int) -> Any:
    if weights == loss == 0:
        return value
    if isinstance(value, list | tuple):
        return [_scaled(entry, weights, loss) for entry in value]
    return value * float(_W) ** weights * float(_LOSS) ** loss


CONTRACTS: Sequence[Callable[[Bound, Bound], str]] = (has_values, obeys_reductions, obeys_units, obeys_recursion)


def broken(bound: Bound, original: Bound) -> str:
    """The first contract that ``bound`` breaks, with the parameters tried where ``original`` applies; empty when it keeps them all."""
    for contract in CONTRACTS:
        try:
            found = contract(bound, original)
        except _NO_VALUE:
            found = "no value at an admissible point"
        if found:
            return found
    return ""


def has_equality_test(bound: Bound) -> bool:
    """Whether a contract compares for equality, so that a larger value is wrong too."""
    recursive = bound.recursion is not None and bound.recursion.relation == "equals"
    return recursive or any(reduction.relation == "equals" for reduction in bound.reductions)


def moves(bound: Bound, original: Bound) -> Iterator[int]:
    """The sign of the change of the value from ``original``, at every place where both have one."""
    for place in places(original.id):
        try:
            after, before = place.value(bound), place.value(original)
        except _NO_VALUE:
            continue
        room = abs(before) * TARGET_SLACK if before.is_finite() else arb(0)
        yield 0 if not abs(after - before) > room else 1 if after > before else -1
