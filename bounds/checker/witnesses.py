"""Witnesses: two points, evaluated again, admissible, in the box, different in one parameter only, and ordered as claimed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from flint import arb

from bounds.bound import Bound
from bounds.checker.scope import UnconfirmedError
from bounds.errors import GossipBoundsError
from bounds.expression.balls import enclose
from bounds.symbols import entries_of, symbol
from bounds.vocabulary import Kind

#: How far the floats of ``evaluate`` may be from the exact value, relatively.
_ROUNDING = 1e-12


def check_witness(bound: Bound, parameter: str, against: str, box: Mapping[str, Any], form: str | None, witness: Any) -> None:
    """Confirm that a witness refutes ``against`` (increasing, decreasing or constant).

    Raises:
        UnconfirmedError: saying what is wrong.
    """
    if not isinstance(witness, dict):
        raise UnconfirmedError("no witness")
    points: list[Any] = [witness.get("first"), witness.get("second")]
    values: list[Any] = [witness.get("first_value"), witness.get("second_value")]
    if not all(isinstance(point, dict) for point in points) or not all(isinstance(value, int | float) for value in values):
        raise UnconfirmedError("the witness is not two points with values")
    _one_parameter_apart(points, parameter)
    for point in points:
        _meant(bound, point, box, form)
    balls = [enclose(bound.expression([n for n in p if not _off(bound, n, p)], form), dict(bound.formula.defaults) | p) for p in points]
    if not all(_says(bound, ball, value) for ball, value in zip(balls, values, strict=True)):
        raise UnconfirmedError(f"the values are {[bound.rounded(ball) for ball in balls]}, the certificate says {values}")
    rises, falls = bool(balls[0] < balls[1]) and values[0] < values[1], bool(balls[0] > balls[1]) and values[0] > values[1]
    if not {"increasing": falls, "decreasing": rises, "constant": rises or falls}[against]:
        raise UnconfirmedError(f"the two values say nothing against {against}")


def _says(bound: Bound, ball: arb, value: float) -> bool:
    """Whether a recorded value is the enclosed one up to rounding, and not below it for an upper bound."""
    close = abs(ball - arb(value)) <= abs(ball) * _ROUNDING if ball.is_finite() else ball == arb(value)
    return bool(close) and (bound.kind is not Kind.UPPER or not ball > arb(value))


def _off(bound: Bound, name: str, point: Mapping[str, Any]) -> bool:
    from bounds.formula import FLAGS

    return name in FLAGS and not point[name]


def _one_parameter_apart(points: list[Any], parameter: str) -> None:
    first, second = points
    if first.keys() != second.keys() or {name for name in first if first[name] != second[name]} != {parameter}:
        raise UnconfirmedError(f"the two points do not differ in {parameter} alone")
    pairs = list(itertools.zip_longest(entries_of(first[parameter]), entries_of(second[parameter])))
    if any(a is None or b is None or not a <= b for a, b in pairs):
        raise UnconfirmedError(f"{parameter} is not larger at the second point")


def _meant(bound: Bound, point: Mapping[str, Any], box: Mapping[str, Any], form: str | None) -> None:
    for name, given in point.items():
        if name not in box or any(isinstance(entry, bool) or not isinstance(entry, int | float) for entry in entries_of(given)):
            raise UnconfirmedError(f"{name} is no parameter with numbers")
        low, high = box[name]
        # Gradients at a minimum sum to 0, and the spectra are those of known graphs, whatever the range of their entries.
        inside = all(low <= entry <= high or (name == "heterogeneity" and entry == 0) for entry in entries_of(given))
        if not (inside or name == "spectrum") or not all(map(math.isfinite, entries_of(given))):
            raise UnconfirmedError(f"{name}={given} is outside the box")
        try:
            symbol(name).check(given)
        except GossipBoundsError as problem:
            raise UnconfirmedError(str(problem)) from None
    missing = set(bound.formula.required) - point.keys()
    if missing:
        raise UnconfirmedError(f"{sorted(missing)[0]} is not given")
    failing = [outcome.text for outcome in bound.assess(point, form) if outcome.holds is False]
    if failing:
        raise UnconfirmedError(f"a point is not admissible: {failing[0]}")
