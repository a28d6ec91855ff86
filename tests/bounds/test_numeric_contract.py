"""What the fast numerics promise, against Arb: at random points far outside the usual ranges, one by one and as one grid."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

import bounds
from bounds.arrays import fitted
from bounds.bound import Bound
from bounds.box import admissible, between, default_box, readings
from bounds.errors import DomainError
from bounds.formula import FLAGS
from bounds.symbols import rank_of, symbol
from bounds.vocabulary import Kind

FEW, MANY = 60, 2000
#: Points that share a reading of the formula and their array parameters, and so make up one grid.
GRID = 20
CONSTANT = (1e-6, 1e6)
RANGES = {
    "T": (1, 1e9),
    "gap": (1e-15, 1),
    "Q": (1, 1e5),
    "m": (1, 1e6),
    "n": (2, 1e9),
    "N": (2, 1e9),
    "b": (1, 1e4),
    "t0": (0, 1e6),
    "tau": (0, 1e6),
}
RINGS = (3, 10, 30, 100)
LONGEST = 1000
MOST_GROWTH = 50
ABOVE = 1e-9
LOGARITHM = 1e-12
SMALLEST_NORMAL = sys.float_info.min
Point = dict[str, Any]


def _range(bound: Bound, name: str) -> tuple[float, float]:
    if rank_of(name):
        return default_box(bound)[name]
    low, high = RANGES.get(name, CONSTANT)
    domain = symbol(name).domain
    return max(low, domain.low), min(high, domain.high)


def _ring(nodes: int) -> tuple[float, ...]:
    return tuple(sorted(((1 + 2 * math.cos(2 * math.pi * k / nodes)) / 3 for k in range(nodes)), reverse=True))


def _drawn(bound: Bound, names: tuple[str, ...], rng: random.Random) -> Point:
    """Numbers log-uniform in their ranges; beta*c kept where no power of T overflows the largest logarithm."""
    point = {name: between(name, *_range(bound, name), rng.random()) for name in names}
    if "c" in point and "beta" in point:
        point["c"] = min(point["c"], MOST_GROWTH / point["beta"] * rng.random())
    return point


def _arrays(bound: Bound, names: tuple[str, ...], rng: random.Random, longest: bool) -> Point:
    point = _drawn(bound, tuple(name for name in names if rank_of(name)), rng)
    if "spectrum" in point and rng.random() < 0.5:
        point["spectrum"] = _ring(LONGEST if longest else rng.choice(RINGS))
    return point


def _grids(bound: Bound, count: int) -> Iterator[tuple[str, list[Point]]]:
    """(update form, points that may be one grid); half of the points meet the assumptions of the theorem."""
    rng = random.Random(bound.id)
    box = {name: _range(bound, name) for name in bound.formula.parameters}
    for number in range(count // GRID):
        form = rng.choice([form.value for form in bound.update_forms])
        names = (*bound.formula.required, *rng.choice(readings(bound, form)))
        shared = fitted(_arrays(bound, names, rng, longest=number % 10 == 9)) | {name: 1 for name in FLAGS if name in names}
        points: list[Point] = []
        for place in range(GRID):
            point = _drawn(bound, tuple(name for name in names if name not in shared), rng) | shared
            mended = admissible(bound, point, box, form, keep=shared) if place % 2 else None
            points.append(point if mended is None else mended | shared)
        yield form, points


def _enclosed(bound: Bound, point: Point, form: str) -> arb | None:
    try:
        return bound.enclosure(point, form)
    except DomainError:
        return None


def _log(ball: arb) -> arb:
    """The logarithm with more digits than any float that is compared with it."""
    saved, ctx.prec = ctx.prec, 120
    try:
        return ball.log()
    finally:
        ctx.prec = saved


def _check(bound: Bound, ball: arb, value: float, log: float | None, where: object) -> None:
    """One value and its logarithm against the referee."""
    upper = bound.kind is Kind.UPPER
    assert not math.isnan(value), where
    if ball == 0 or ball == arb("inf"):
        assert value == (0.0 if ball == 0 else math.inf), where
        assert log in (None, -math.inf if ball == 0 else math.inf), where
        return
    if math.isinf(value):
        assert ball > sys.float_info.max * (1 - ABOVE), where
    elif SMALLEST_NORMAL <= abs(value) < sys.float_info.max:
        assert abs(arb(value) / ball - 1) < LOGARITHM, where
    assert not upper or arb(value) >= ball, where
    if log is not None and ball > 0:
        exact = _log(ball)
        assert math.isfinite(log), where
        assert abs(arb(log) - exact) <= LOGARITHM * max(1.0, abs(float(exact.mid()))), where
        assert not upper or arb(log) >= exact, where


def _one_by_one(bound: Bound, form: str, points: list[Point]) -> list[tuple[Point, arb]]:
    valued = []
    for point in points:
        ball = _enclosed(bound, point, form)
        if ball is None:
            with pytest.raises(DomainError):
                bound.evaluate(update_form=form, **point)
            continue
        log = bound.log_value(point, form) if not ball < 0 else None
        _check(bound, ball, bound.evaluate(update_form=form, **point), log, (form, point))
        valued.append((point, ball))
    return valued


def _as_grid(bound: Bound, form: str, valued: list[tuple[Point, arb]]) -> None:
    points = [point for point, _ in valued]
    columns: Mapping[str, Any] = {
        name: first if rank_of(name) or name in FLAGS else np.array([point[name] for point in points]) for name, first in points[0].items()
    }
    values = bound.evaluate(update_form=form, **columns)
    logs = bound.log_value(columns, form) if not FLAGS & columns.keys() and not any(ball < 0 for _, ball in valued) else None
    for place, (point, ball) in enumerate(valued):
        _check(bound, ball, float(values[place]), None if logs is None else float(logs[place]), (form, point))


def _stress(bound: Bound, count: int) -> None:
    for form, points in _grids(bound, count):
        valued = _one_by_one(bound, form, points)
        if valued and not all(rank_of(name) for name in points[0]):
            _as_grid(bound, form, valued)


@pytest.mark.parametrize("bound_id", bounds.entries())
def test_values_and_logarithms_at_few_points(bound_id: str) -> None:
    _stress(bounds.get(bound_id), FEW)


@pytest.mark.slow
@pytest.mark.parametrize("bound_id", bounds.entries())
def test_values_and_logarithms_at_many_points(bound_id: str) -> None:
    _stress(bounds.get(bound_id), MANY)


@pytest.mark.parametrize("bound_id", bounds.entries())
@pytest.mark.parametrize("chunk", [1, 4, 7, 65536])
def test_broadcasting_over_several_axes_gives_the_value_of_every_point(bound_id: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the grid is cut: pieces of few points cut several axes at once."""
    bound, rng = bounds.get(bound_id), random.Random(bound_id)
    start = {name: between(name, *default_box(bound)[name], 0.37) for name in bound.formula.required}
    point = admissible(bound, start) or fitted(start)
    numbers = [name for name in point if not rank_of(name)][:3]
    axes = {
        name: [point[name], *(between(name, *_near(name, point[name]), rng.random()) for _ in range(place))]
        for place, name in enumerate(numbers, 2)
    }
    # As few axes as numpy asks for: the last parameter varies along the last axis.
    spread = {name: np.reshape(axes[name], [-1, *[1] * (len(axes) - place - 1)]) for place, name in enumerate(numbers)}
    entries = max((np.shape(a)[-1] for a in point.values() if np.ndim(a)), default=1)
    monkeypatch.setattr("bounds.numeric.grid.CHUNK", chunk * entries)
    values = bound.evaluate(**(point | spread))
    assert values.shape == tuple(map(len, axes.values()))
    for place in np.ndindex(values.shape):
        here = point | {name: axis[index] for index, (name, axis) in zip(place, axes.items(), strict=True)}
        _check(bound, bound.enclosure(here), float(values[place]), None, here)


def _near(name: str, value: float) -> tuple[float, float]:
    domain = symbol(name).domain
    return max(domain.low, value * 0.9), min(domain.high, value * 1.1)
