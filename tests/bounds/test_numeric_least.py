"""The certified search for a least value against trying every integer."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

import bounds
from bounds.numeric.least_array import least_array
from bounds.numeric.minimum import least

ERROR = 4e-16
BODIES = 3000
MOST = 400
SHARP = 2.5e-13


def _body(kind: int, height: float, power: float, shift: float) -> Any:
    """A falling convex function of t, written so that it serves numbers and arrays."""
    if kind == 0:
        return lambda t: height / (t + 1.0) ** power + shift
    if kind == 1:
        return lambda t: height * 2.0 ** (-power * t / 8) + shift
    return lambda t: (height * (MOST - t) + abs(height * (MOST - t))) / 2 + shift


def _cases() -> list[tuple[Any, float, float, float]]:
    rng = random.Random(3)
    found = []
    for place in range(BODIES):
        height, slope = 10 ** rng.uniform(-4, 8), rng.choice((0.0, 10 ** rng.uniform(-6, 4)))
        shift = rng.choice((0.0, 0.0, 10 ** rng.uniform(-3, 3), -(10 ** rng.uniform(-3, 3))))
        low = rng.choice((0, 0, 1, rng.randint(0, 50)))
        high = rng.choice((low, low + 1, low + 2, rng.randint(low, MOST), MOST))
        rest = _body(place % 3, height, rng.choice((1.0, 0.5, 3.0)), shift)
        # With a rest of slope -height, a tie everywhere where both are the same.
        found.append((rest, height if place % 30 == 2 else slope, float(low), float(high)))
    return found


def _error(rest: Any, slope: float, place: Any) -> Any:
    """Relative error of slope*t + rest(t), whose two parts may cancel."""
    total = slope * place + rest(place)
    return ERROR * (1 + 2 * (abs(slope * place) + abs(rest(place)) + 2 * abs(total)) / np.maximum(abs(total), 1e-300))


def _whole(rest: Any, slope: float) -> Any:
    return lambda t: (rest(t), slope * t + rest(t), float(_error(rest, slope, t)))


def test_at_one_point() -> None:
    known = 0
    for rest, slope, low, high in _cases():
        found = least(_whole(rest, slope), slope, low, high)
        if found is None:
            continue
        known += 1
        values = [slope * t + rest(t) for t in range(int(low), int(high) + 1)]
        assert abs(found[0] - min(values)) <= found[1] * abs(found[0]) + 1e-13 * abs(slope * high) * (found[0] < 0), (slope, low, high)
        assert found[1] <= SHARP + 4 * _error(rest, slope, low) + 1e-10 * (found[0] < 0)
    assert known > BODIES * 0.7


def test_for_many_points_at_once() -> None:
    rng = np.random.default_rng(4)
    height, slope, shift = 10 ** rng.uniform(-4, 8, BODIES), 10 ** rng.uniform(-6, 4, BODIES), 10 ** rng.uniform(-3, 3, BODIES)
    low = rng.integers(0, 50, BODIES).astype(float)
    high = low + rng.choice([0, 1, 2, 50, MOST], BODIES)

    def body(t: Any) -> tuple[Any, Any, float, Any]:
        rest = height / (t + 1.0) + shift
        return rest, slope * t + rest, 10 * ERROR, None

    values, error, undecided = least_array(body, slope, low, high, ())
    sure = np.ones(BODIES, dtype=bool) if undecided is None else ~undecided
    assert sure.mean() > 0.95
    for place in np.nonzero(sure)[0]:
        t = np.arange(low[place], high[place] + 1)
        brute = (slope[place] * t + height[place] / (t + 1.0) + shift[place]).min()
        assert abs(values[place] - brute) <= error * brute, place


def test_bad_places_decide_nothing() -> None:
    def body(t: Any) -> tuple[Any, Any, float, Any]:
        rest = 100.0 / (t + 1.0)
        return rest, 1.0 * t + rest, ERROR, np.asarray(t == 10.0)

    for high in (20.0, 8.0):
        _, _, undecided = least_array(body, 1.0, np.zeros(3), np.full(3, high), ())
        assert (undecided is not None and undecided.all()) == (high > 10)


@pytest.mark.parametrize("name", ["hardt2016_nonconvex", "dsgd_nonconvex", "mgs_generalization"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_runs_of_few_steps(name: str, steps: int) -> None:
    """The minimum lies at one end or the other, one by one and on a grid."""
    bound = bounds.get(name)
    base = (
        dict.fromkeys(bound.formula.required, 1.0) | {k: 8 for k in ("m", "n", "N") if k in bound.formula.required} | {"T": steps, "c": 0.1}
    )
    smoothness = np.array([1e-6, 1e-3, 1.0, 7.0])
    height = np.array([1e-6, 1e-2, 1.0, 1e6])[:, None]
    scale = next(k for k in ("M", "L") if k in bound.formula.required)
    values = bound.evaluate(**(base | {"beta": smoothness, scale: height}))
    for row, column in np.ndindex(values.shape):
        point = base | {"beta": smoothness[column], scale: height[row, 0]}
        exact = float(bound.enclosure(point).mid())
        assert values[row, column] == pytest.approx(exact, rel=1e-12)
        assert bound.evaluate(**point) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        # No integer at all: the value at the lower end.
        ("least(t, 5, b, G*t + c/(t+1))", {"b": 2, "G": 10.0, "c": 1.0}),
        ("least(t, 5, b, G*t + c/(t+1))", {"b": 2, "G": 1e-3, "c": 1e3}),
        ("least(t, 0, b, G*t + c/(t+1))", {"b": 7, "G": 0.0, "c": 1.0}),
        ("least(t, 0, b, G*t + c/(t+1))", {"b": 7, "G": 0.5, "c": 1.0}),
        ("least(t, 0, b, G*t + c/(t+1) - 5)", {"b": 100, "G": 0.01, "c": 1.0}),
        ("least(t, 0, b, G*t + c/(t+1) - 0.19)", {"b": 100, "G": 0.01, "c": 1.0}),
        ("least(t, 0, b, G*t + sqrt(c)/(t+1)**2)", {"b": 10**9, "G": 1e-9, "c": 1e9}),
    ],
)
def test_own_bodies(text: str, values: dict[str, float]) -> None:
    bound = bounds.define(id="own_least", expression=text, required=["b", "G", "c"])
    ball = bound.enclosure(values)
    for found in (bound.evaluate(**values), *bound.evaluate(**(values | {"c": np.full(3, values["c"])}))):
        assert math.isfinite(found)
        assert found >= float(ball.lower())
        assert found == pytest.approx(float(ball.mid()), rel=1e-12)
