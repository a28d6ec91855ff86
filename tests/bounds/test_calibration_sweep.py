"""Calibration over the whole catalogue, sides, best t0 by enumeration, and torn admissible sets."""

import math
import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import bounds
from bounds.assumptions import Condition
from bounds.box import admissible, between, default_box, readings
from bounds.calibration import bowl
from bounds.calibration.crossing import crossing
from bounds.errors import DomainError
from bounds.registry import catalogue
from bounds.symbols import rank_of, symbol
from bounds.vocabulary import Direction

EXCESS = dict(m=16, gap=0.1, sigma2=1.0, zeta2=0.5, beta=1.0, n=100, Q=4, L=1.0, r0=1.0, T=1000)
PAIRS = [(b, name) for b in catalogue().values() for name in b.formula.parameters if not rank_of(name) and name != "convex"]
#: How many of all pairs may stay undecided: those at whose points the bound turns twice (mgs_generalization in gam and b,
#: mgs_excess_pl in b, step_limit_consensus and edge_of_stability in Q).
MOST_UNDECIDED = 5


def drawn(bound: bounds.Bound, name: str, seed: int = 0) -> dict[str, Any]:
    """One random admissible point at which the bound is finite."""
    rng, box = random.Random(f"{bound.id} {name} {seed}"), default_box(bound)
    given = next(given for given in readings(bound) if name in (*given, *bound.formula.required))
    names = [other for other in (*bound.formula.required, *given) if other != "convex"]
    while True:
        point = admissible(bound, {other: between(other, *box[other], rng.random()) for other in names}, box)
        if point is not None and math.isfinite(bound.evaluate(**point)):
            return point


def undecided(bound: bounds.Bound, name: str) -> bool:
    """Whether the way back to a point is undecided; a wrong way back is an error."""
    point = drawn(bound, name)
    # Above the exact value also where the bound is rounded to the nearest.
    target = bound.evaluate(**point) * (1 + 1e-12) + 1e-300
    answer = bounds.calibrate(bound, name, target=target, **{key: value for key, value in point.items() if key != name})
    if answer.status == "undecided":
        assert answer.reason
        return True
    assert answer.status == "found", answer
    there = point | {name: answer.value}
    assert bound.enclosure(there) <= target
    assert not [outcome for outcome in bound.assess(there) if outcome.holds is False]
    direction = bound.directions.get(name, Direction.UNKNOWN)
    falls = direction is Direction.DECREASING or (direction is not Direction.INCREASING and symbol(name).domain.integer)
    assert direction is Direction.CONSTANT or (point[name] - answer.value) * (1 if falls else -1) >= -1e-9 * abs(point[name]), (
        point,
        answer,
    )
    return False


@pytest.mark.slow
@pytest.mark.parametrize("part", range(3))
def test_the_way_back_to_a_random_point(part: int) -> None:
    assert sum(undecided(bound, name) for bound, name in PAIRS[part::9]) <= 2


@pytest.mark.slow
def test_the_way_back_over_the_whole_catalogue() -> None:
    assert len(PAIRS) > 300
    assert sum(undecided(bound, name) for bound, name in PAIRS) <= MOST_UNDECIDED


def growths(q: float, T: int) -> np.ndarray:
    """prod_{t > t0} (1 + q/t) for t0 = 0..T."""
    return np.append(np.cumprod((1 + q / np.arange(1, T + 1))[::-1])[::-1], 1.0)


def centralized(p: dict[str, Any]) -> np.ndarray:
    rest = growths(p["beta"] * p["c"] * (1 - 1 / p["N"]), p["T"]) - 1
    return p["M"] * np.arange(p["T"] + 1) / p["N"] + 2 * p["L"] ** 2 / (p["beta"] * (p["N"] - 1)) * rest


def decentralized(p: dict[str, Any]) -> np.ndarray:
    rest = growths(p["beta"] * p["c"], p["T"]) - 1
    return p["M"] * np.arange(p["T"] + 1) / p["n"] + 2 * p["L"] ** 2 / (p["beta"] * p["m"] * p["n"]) * rest


def gossiping(p: dict[str, Any]) -> np.ndarray:
    """The smallest of the three estimates of the second moments at every t0."""
    T, m, n, q = p["T"], p["m"], p["n"], p["beta"] * p["c"]
    start, grown, half = np.arange(T + 1), growths(q, T), (1 + q) / 2
    sums, squares = ((grown - 1) / p["beta"]) ** 2, p["c"] ** 2 / (1 + 2 * q) * (grown**2 / (start + half) - 1 / (T + half))
    x, left = (1 - p["gap"]) ** p["Q"], np.maximum(T - start, 1e-9)
    far, far2 = 1 + (m - 1) * (x / (1 - x) / left) ** 2, 1 + (m - 1) * x**2 / (1 - x**2) / left
    kinds = [(m, m), (m, far2), (far, far2)]
    values = [sums * one / n**2 + squares * other / n for one, other in kinds]
    values[1][-1] = values[2][-1] = np.inf
    return p["M"] * start / n + 2 * (p["gam"] + p["beta"]) * p["L"] ** 2 / m**2 * np.min(values, axis=0)


@pytest.mark.parametrize(
    ("name", "every"), [("hardt2016_nonconvex", centralized), ("dsgd_nonconvex", decentralized), ("mgs_generalization", gossiping)]
)
def test_the_best_t0_is_that_of_enumeration(name: str, every: Any) -> None:
    bound, rng, met = bounds.get(name), random.Random(name), set()
    for _ in range(40):
        point = dict(L=10 ** rng.uniform(-1, 1), c=10 ** rng.uniform(-1, 0.5), T=rng.randint(1, 3000), beta=10 ** rng.uniform(-1, 0.3))
        point |= dict(m=rng.randint(1, 20), n=rng.randint(10, 3000), N=rng.randint(10, 3000), M=10 ** rng.uniform(-1, 1))
        point |= dict(gam=1.0, R_S=0.5, gap=rng.uniform(0.05, 0.9), Q=rng.randint(1, 3))
        values = every(point)
        wanted = {key: value for key, value in point.items() if key in bound.formula.parameters}
        answer = bounds.calibrate(bound, "t0", target=None, **wanted)
        assert answer.status == "found"
        assert answer.low == answer.high == answer.value
        assert values[answer.value] <= values.min() * (1 + 1e-11)
        around = [t0 for t0 in (answer.value - 1, answer.value + 1) if 0 <= t0 <= point["T"]]
        assert all(f"at t0={t0}" in answer.reason for t0 in around)
        assert answer.achieved == pytest.approx(bound.evaluate(**wanted), rel=1e-12)
        met.add(answer.value)
    assert len(met) > 10


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_the_bottom_is_enclosed_wherever_the_secant_search_ends(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bowl, "_flat", lambda problem, low, high: low + round(share * (high - low)))
    bound = bounds.define(id="bowl", expression="eta + 2/eta", required=["eta"], directions={"eta": "mixed"})
    answer = bounds.calibrate(bound, "eta", target=None)
    assert Fraction(answer.low) ** 2 < 2 < Fraction(answer.high) ** 2
    assert answer.high / answer.low - 1 < 1e-9


def test_t0_as_a_parameter() -> None:
    bound, point = bounds.get("l1_stability_nonconvex"), dict(L=1, c=0.5, beta=1, T=1000, m=16, n=64)
    values = 2 / (16 * 64) * (growths(0.5, 1000) - 1)
    for target in (0.03, 0.01, 1e-3, 1e-5):
        assert bounds.calibrate(bound, "t0", target=target, **point).value == np.nonzero(values <= target)[0][0]


def test_both_sides_of_a_valley_and_of_a_monotone_bound() -> None:
    bound = bounds.get("mgs_excess_convex")
    least = bounds.calibrate(bound, "eta", target=None, **EXCESS)
    target = least.achieved * 1.01
    for side, bracket in (("smallest", (least.value / 4, least.value)), ("largest", (least.value, least.value * 4))):
        answer = bounds.calibrate(bound, "eta", target=target, side=side, **EXCESS)
        root = brentq(lambda eta: bound.evaluate(eta=eta, **EXCESS) - target, *bracket, xtol=1e-16, rtol=1e-14)
        assert answer.value == pytest.approx(root, rel=1e-9)
        assert f"the {side} eta" in answer.reason
    counts = np.asarray(bound.evaluate(eta=0.05, T=np.arange(1, 50_001), **{key: value for key, value in EXCESS.items() if key != "T"}))
    meeting = np.nonzero(counts <= counts.min() * 1.2)[0] + 1
    fixed = {key: value for key, value in EXCESS.items() if key != "T"} | dict(eta=0.05)
    for side, place in (("smallest", meeting[0]), ("largest", meeting[-1])):
        assert bounds.calibrate(bound, "T", target=counts.min() * 1.2, side=side, **fixed).value == place
    simple, point = bounds.get("dsgd_convex"), dict(L=1, T=1000, m=16, n=64, beta=4)
    low = bounds.calibrate(simple, "eta", target=0.1, side="smallest", **point)
    assert low.status == "found"
    assert low.value < 1e-200
    assert "rises with eta" in low.reason
    batch = bounds.calibrate(bounds.get("hardt2016_convex"), "b", target=1, side="smallest", L=1, eta=0.1, T=10, N=8, beta=1)
    assert batch.value == 1
    assert bounds.calibrate(simple, "m", target=1e-3, side="largest", L=1, T=1000, eta=0.05, n=64, beta=4).value == 10**12


@pytest.mark.parametrize("arguments", [dict(side="left"), dict(side="largest", target=None), dict(parameter=("eta", "T"), side="largest")])
def test_mistakes_about_sides(arguments: dict[str, Any]) -> None:
    chosen = dict(parameter="eta", target=1.0, L=1, m=16, n=64) | arguments
    with pytest.raises(DomainError, match="side"):
        bounds.calibrate(bounds.get("dsgd_convex"), chosen.pop("parameter"), **chosen)


def test_mistakes_about_t0() -> None:
    point = dict(L=1, c=0.5, T=1000, m=16, n=64, beta=1, M=1)
    with pytest.raises(DomainError, match="takes its least value over t0 already"):
        bounds.calibrate(bounds.get("dsgd_nonconvex"), "t0", target=1, **point)
    with pytest.raises(DomainError, match="out of its domain"):
        bounds.calibrate(bounds.get("dsgd_nonconvex"), "t0", target=None, **point | dict(m=0))


def test_assumptions_that_leave_two_intervals() -> None:
    bound = bounds.define(
        id="torn",
        expression="eta",
        required=["eta"],
        directions={"eta": "increasing"},
        conditions=[Condition("499.5**2 <= (eta-500.5)**2")],
    )
    for target, side, value in ((2000, None, 2000), (900, None, 1), (1, None, 1), (0.5, None, 0.5), (5000, "largest", 5000)):
        answer = bounds.calibrate(bound, "eta", target=target, side=side)
        assert answer.value == pytest.approx(value, rel=1e-9)
        assert "leave 2 intervals" in answer.reason
    falling = bounds.define(
        id="torn",
        expression="1/eta",
        required=["eta"],
        directions={"eta": "decreasing"},
        conditions=[Condition("499.5**2 <= (eta-500.5)**2")],
    )
    for target, value in ((1, 1), (2, 0.5), (1 / 4, 1000), (1 / 5000, 5000)):
        assert bounds.calibrate(falling, "eta", target=target).value == pytest.approx(value, rel=1e-9)
    assert bounds.calibrate(falling, "eta", target=None).status == "impossible"


def test_an_answer_in_a_hole_that_the_grid_missed_is_undecided() -> None:
    bound = bounds.define(
        id="hole", expression="eta", required=["eta"], directions={"eta": "increasing"}, conditions=[Condition("1/100 <= (eta-3)**2")]
    )
    answer = bounds.calibrate(bound, "eta", target=3.0)
    assert (answer.status, answer.value) == ("undecided", None)
    assert "fails at eta=3" in answer.reason
    assert bounds.calibrate(bound, "eta", target=2.5).value == 2.5


def test_an_assumption_that_is_nearly_an_equality_is_decided() -> None:
    """start <= T is c <= m M b T/(2 L^2), and for c = 1e200 start exceeds T by less than a sharp ball shows."""
    bound, point = bounds.get("dsgd_nonconvex_relaxed"), dict(L=1, T=1000, m=4, n=64, beta=1, M=1)
    answer = bounds.calibrate(bound, "c", target=1000, **point)
    assert answer.value == 2000
    assert "start <= T ends the range" in answer.reason


def test_a_crossing_takes_few_looks() -> None:
    rng = random.Random(5)
    for _ in range(300):
        power, scale, first, last = rng.uniform(0.1, 4), 10 ** rng.uniform(-3, 3), rng.randint(-5, 5), rng.randint(10, 10**12)
        looked: list[int] = []

        def value(place: int, power: float = power, scale: float = scale, first: int = first) -> float:
            looked.append(place)  # noqa: B023
            return scale * float(place - first + 1) ** power

        target = value(first) * rng.uniform(1, 1e6)
        good = last if value(last) <= target else crossing(value, target, first, last)
        assert value(good) <= target
        assert good == last or value(good + 1) > target
        assert len(looked) < 40
    assert crossing(lambda place: 10.0 ** (place - 320), 1e30, 0, 400) == 350
    steps = [math.nan if k > 70 else math.inf if k > 50 else 1.0 if k > 20 else 0.0 for k in range(100)]
    assert [crossing(steps.__getitem__, target, 0, 99) for target in (0, 0.5, 1, 2)] == [20, 20, 50, 50]
    assert all(one <= other for one, other in pairwise(steps[:70]))
