"""Calibration against brute force, closed forms, and scipy: thresholds, floors, valleys, and two parameters at once."""

import math
import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

import bounds
from bounds.calibration.line import line_of, rank, unrank
from bounds.errors import DomainError, MissingParameterError, UnknownParameterError

MOST = 300
NETWORK = dict(m=16, gap=0.1, sigma2=1.0, zeta2=0.5, beta=1.0)
EXCESS = dict(NETWORK, n=100, Q=4, L=1.0, r0=1.0)
DSGD = dict(L=1.0, eta=0.05, T=1000, m=16, n=64, beta=1.0)
Q_CASES = [
    ("consensus_distance_atc", "atc"),
    ("consensus_distance_cta", "cta"),
    ("consensus_distance_consensus", "consensus"),
    ("mgs_stationarity", "atc"),
    ("mgs_stationarity", "consensus"),
    ("mgs_pl", "cta"),
    ("mgs_pl", "consensus"),
    ("mgs_convex", "consensus"),
    ("mgs_excess_convex", "atc"),
    ("dsgd_worst_node_convex", "atc"),
]


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def drawn(bound: bounds.Bound, rng: random.Random) -> dict[str, Any]:
    """Random parameters, all but Q, that meet what does not depend on Q."""
    beta = 10 ** rng.uniform(-1, 1)
    point = dict(
        eta=rng.uniform(0.01, 0.24) / beta,
        beta=beta,
        mu=beta * rng.uniform(0.1, 0.9),
        m=rng.randint(2, 64),
        n=rng.randint(10, 1000),
        T=rng.randint(10, 10**5),
        gap=10 ** rng.uniform(-2, -0.3),
        **{name: 10 ** rng.uniform(-2, 1) for name in ("sigma2", "zeta2", "L", "r0", "D0")},
    )
    kept = set(bound.formula.required) - {"Q"}
    return {name: value for name, value in point.items() if name in kept}


def steady(form: str, point: dict[str, Any], name: str) -> np.ndarray:
    """Where Q = 1, 2, ... keeps the spread from growing, in plain floats."""
    stretch = name not in ("mgs_convex", "mgs_excess_convex", "dsgd_worst_node_convex")
    x = (1 - point["gap"]) ** np.arange(1, MOST + 1)
    growth = point["eta"] * point.get("beta", 0)
    return (x + growth if form == "consensus" else x * (1 + growth * stretch)) < 1


def first_meeting(bound: bounds.Bound, form: str, point: dict[str, Any], values: np.ndarray, target: float) -> int | None:
    """The first Q whose value is at most the target; values that rounding may have lifted above it are left to Arb."""
    for place in np.nonzero(values <= target * (1 + 1e-9))[0]:
        if values[place] <= target or bound.enclosure(point | dict(Q=int(place) + 1), form) <= target:
            return int(place) + 1
    return None


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), Q_CASES)
def test_the_smallest_q_is_that_of_brute_force(name: str, form: str) -> None:
    """Three thousand cases in all; about half of the targets are values that some Q attains exactly."""
    bound, rng = bounds.get(name), random.Random(f"{name} {form}")
    found = 0
    for _ in range(300):
        point = drawn(bound, rng)
        values = np.full(MOST, np.inf)
        allowed = steady(form, point, name)
        values[allowed] = bound.evaluate(update_form=form, Q=np.arange(1, MOST + 1)[allowed], **point)
        target = float(values[rng.randint(0, 60)]) * rng.choice([1.0, rng.uniform(0.5, 1.5)])
        if not math.isfinite(target):
            target = 1.0
        answer = bounds.calibrate(bound, "Q", target=target, update_form=form, **point)
        first = first_meeting(bound, form, point, values, target)
        if first is not None:
            assert (answer.status, answer.value, answer.low, answer.high) == ("found", first, first, first)
            assert answer.achieved is not None
            assert answer.achieved <= target
            assert answer.achieved == pytest.approx(values[first - 1], rel=1e-12)
            found += 1
        elif answer.status == "found":
            assert isinstance(answer.value, int)
            assert answer.value > MOST
        else:
            assert answer.status == "impossible"
            assert bound.evaluate(update_form=form, Q=10**9, **point) > target
            assert answer.achieved == pytest.approx(bound.evaluate(update_form=form, Q=10**9, **point), rel=1e-9)
    assert found > 150


@pytest.mark.parametrize("name", ["n", "m"])
def test_the_smallest_count_is_that_of_the_closed_form(name: str) -> None:
    bound, rng = bounds.get("dsgd_convex"), random.Random(1)
    for _ in range(200):
        point = without(DSGD | dict(eta=rng.choice([0.5, 0.1, rng.uniform(0, 2)]), T=rng.randint(1, 10**5)), name)
        target = rng.choice([0.1, 0.125, 1.0, 10 ** rng.uniform(-4, 1)])
        other = point["n" if name == "m" else "m"]
        exact = 2 * Fraction(point["eta"]) * point["T"] / (other * Fraction(target))
        answer = bounds.calibrate(bound, name, target=target, **point)
        assert answer.status == "found"
        assert answer.value == max(1, math.ceil(exact))


def test_the_largest_eta_is_that_of_the_closed_form() -> None:
    bound, rng = bounds.get("dsgd_convex"), random.Random(2)
    stopped = 0
    for _ in range(200):
        point = without(DSGD | dict(T=round(10 ** rng.uniform(0, 4)), beta=10 ** rng.uniform(-1, 1)), "eta")
        target = 10 ** rng.uniform(-4, 1)
        exact, most = Fraction(target) * point["m"] * point["n"] / (2 * point["T"]), 2 / Fraction(point["beta"])
        answer = bounds.calibrate(bound, "eta", target=target, **point)
        assert answer.status == "found"
        assert Fraction(answer.low) <= min(exact, most) <= Fraction(answer.high)
        assert answer.value == answer.low
        assert answer.high / answer.low - 1 < 1e-9
        assert bound.evaluate(eta=answer.value, **point) <= target
        assert not bound.assess(point | dict(eta=answer.value))
        stopped += most < exact
        assert ("eta <= 2/beta" in answer.reason) == (most < exact)
    assert 20 < stopped < 180


@pytest.mark.parametrize(("name", "direction"), [("gap", "smallest"), ("eta", "largest"), ("sigma2", "largest"), ("beta", "largest")])
def test_real_thresholds_against_brentq(name: str, direction: str) -> None:
    bound, whole = bounds.get("consensus_distance_atc"), NETWORK | dict(eta=0.05, Q=2)
    point = without(whole, name)
    target = bound.evaluate(**whole) * 1.01
    answer = bounds.calibrate(bound, name, target=target, **point)
    root = brentq(lambda value: math.log(bound.evaluate(**point, **{name: value}) / target), whole[name] / 2, whole[name] * 2, rtol=1e-14)
    assert answer.value == pytest.approx(root, rel=1e-11)
    assert answer.high / answer.low - 1 < 1e-9
    assert direction in answer.reason
    good, bad = (answer.low, answer.high) if direction == "largest" else (answer.high, answer.low)
    assert answer.value == good
    assert bound.evaluate(**point, **{name: good}) <= target
    assert bound.enclosure(point | {name: bad}) > target


def test_the_consensus_form_has_a_floor() -> None:
    bound = bounds.get("consensus_distance_consensus")
    point = dict(NETWORK, eta=0.05)
    floor = bound.evaluate(Q=10**7, **point)
    answer = bounds.calibrate(bound, "Q", target=floor * (1 - 1e-9), **point)
    assert answer.status == "impossible"
    assert answer.value is answer.low is answer.high is None
    assert answer.achieved == pytest.approx(floor, rel=1e-12)
    assert "as Q grows" in answer.reason
    assert f"floor {floor:.6g}"[:-1] in answer.reason
    assert bounds.calibrate(bound, "Q", target=floor * (1 + 1e-9), **point).status == "found"


@pytest.mark.parametrize("name", ["mgs_stationarity", "mgs_convex", "mgs_excess_convex", "mgs_pl"])
def test_a_valley_against_scipy(name: str) -> None:
    bound = bounds.get(name)
    point = {key: value for key, value in (EXCESS | dict(T=1000, D0=1.0, mu=0.5)).items() if key in bound.formula.parameters}

    def at(log: float) -> float:
        return float(bound.evaluate(eta=math.exp(log), **point))

    bottom = minimize_scalar(at, bounds=(math.log(1e-6), math.log(0.25)), method="bounded", options=dict(xatol=1e-10))
    least = bounds.calibrate(bound, "eta", target=None, **point)
    assert least.status == "found"
    assert least.low <= least.value <= least.high
    assert least.high / least.low - 1 < 1e-9
    assert least.value == pytest.approx(math.exp(bottom.x), rel=1e-5)
    assert least.achieved == pytest.approx(bottom.fun, rel=1e-12)
    target = least.achieved * 1.001
    answer = bounds.calibrate(bound, "eta", target=target, **point)
    root = brentq(lambda log: at(log) - target, math.log(least.value), math.log(least.value * 4), xtol=1e-14)
    assert answer.value == pytest.approx(math.exp(root), rel=1e-9)
    assert "largest eta" in answer.reason
    assert "one valley" in answer.reason
    missed = bounds.calibrate(bound, "eta", target=least.achieved * (1 - 1e-9), **point)
    assert (missed.status, missed.achieved) == ("impossible", least.achieved)
    assert f"{least.achieved:.6g}"[:-1] in missed.reason
    assert bounds.calibrate(bound, "eta", target=least.achieved * (1 - 1e-13), **point).status == "undecided"


def test_the_minimiser_is_enclosed() -> None:
    """eta + 2/eta is least at sqrt(2), an irrational place."""
    bound = bounds.define(id="bowl", expression="eta + 2/eta", required=["eta"], directions={"eta": "mixed"})
    answer = bounds.calibrate(bound, "eta", target=None)
    assert Fraction(answer.low) ** 2 < 2 < Fraction(answer.high) ** 2
    assert answer.high / answer.low - 1 < 1e-9
    whole = bounds.define(id="whole", expression="T + 1000/T", required=["T"], directions={"T": "mixed"})
    values = {T: T + Fraction(1000, T) for T in range(1, 200)}
    assert bounds.calibrate(whole, "T", target=None).value == min(values, key=values.__getitem__)
    for target in (64.0, 70.5, 100.0, 300.0):
        answer = bounds.calibrate(whole, "T", target=target)
        assert answer.value == min(T for T, value in values.items() if value <= Fraction(target))
        assert "smallest T" in answer.reason


@pytest.mark.slow
def test_a_valley_of_integers_against_brute_force() -> None:
    bound, rng = bounds.get("mgs_excess_convex"), random.Random(3)
    counts = np.arange(1, 50_001)
    for _ in range(60):
        point = EXCESS | dict(eta=10 ** rng.uniform(-2, -0.7), n=rng.randint(10, 60))
        values = np.asarray(bound.evaluate(T=counts, **point))
        least = bounds.calibrate(bound, "T", target=None, **point)
        assert least.value == counts[values.argmin()]
        assert least.low == least.high == least.value
        target = values.min() * rng.uniform(1, 1.5)
        assert bounds.calibrate(bound, "T", target=target, **point).value == counts[np.nonzero(values <= target)[0][0]]
        missed = bounds.calibrate(bound, "T", target=values.min() * 0.999, **point)
        assert (missed.status, missed.achieved) == ("impossible", pytest.approx(values.min()))


def test_two_valleys_are_undecided() -> None:
    bound = bounds.define(id="valleys", expression="min((eta-1)**2, (eta-100)**2 + 1/10)", required=["eta"], directions={"eta": "mixed"})
    answer = bounds.calibrate(bound, "eta", target=0.5)
    assert (answer.status, answer.value, answer.achieved) == ("undecided", None, None)
    assert "more than one valley" in answer.reason
    assert bounds.calibrate(bound, "eta", target=None).status == "undecided"


def test_two_parameters_against_brute_force() -> None:
    bound = bounds.get("mgs_stationarity")
    point = dict(NETWORK, Q=4, D0=1.0)
    etas = np.geomspace(1e-4, 0.2, 20_001)
    for target in (0.5, 0.1, 0.05):
        answer = bounds.calibrate(bound, ("eta", "T"), target=target, **point)
        assert answer.status == "found"
        assert answer.parameter == "eta,T"
        steps = answer.value["T"]
        assert np.min(bound.evaluate(eta=etas, T=steps, **point)) <= target * (1 + 1e-6)
        assert np.min(bound.evaluate(eta=etas, T=steps - 1, **point)) > target
        assert bound.evaluate(**answer.value, **point) <= target
        assert answer.achieved <= target
        assert answer.low["eta"] <= answer.value["eta"] <= answer.high["eta"]
        assert answer.low["T"] == answer.high["T"] == steps


def test_two_parameters_and_a_floor() -> None:
    """However many steps, 2 sqrt(L^2 r0^2/(m n)) remains: the product eta T trades one term for the other."""
    answer = bounds.calibrate(bounds.get("mgs_excess_convex"), ("eta", "T"), target=0.0499, **EXCESS)
    assert answer.status == "impossible"
    assert answer.achieved == pytest.approx(2 / math.sqrt(1600), rel=1e-8)
    assert answer.parameter == "eta,T"
    best = bounds.calibrate(bounds.get("dsgd_convex"), ("eta", "n"), target=0.1, **without(DSGD, "eta", "n"))
    assert best.value["n"] == 1
    unmet = bounds.calibrate(bounds.get("mgs_pl"), ("eta", "T"), target=1, **NETWORK, Q=4, D0=1, mu=2)
    assert unmet.status == "impossible"
    assert "mu <= beta" in unmet.reason


def test_impossible_because_of_an_assumption() -> None:
    bound = bounds.get("dsgd_convex")
    answer = bounds.calibrate(bound, "n", target=1e-3, **without(DSGD, "n", "eta"), eta=3)
    assert answer.status == "impossible"
    assert "eta <= 2/beta fails: got 3, allowed <= 2" in answer.reason
    bound = bounds.get("consensus_distance_consensus")
    answer = bounds.calibrate(bound, "Q", target=1e-3, **NETWORK, eta=1.0)
    assert answer.status == "impossible"
    assert "r < 1" in answer.reason
    last = bounds.calibrate(bounds.get("hardt2016_convex"), "N", target=1.0, L=1, eta=0.1, T=10, b=4, beta=1)
    assert (last.value, "4 <= N" in last.reason or "b <= N" in last.reason) == (4, True)


def test_assumptions_that_cannot_be_decided_are_named() -> None:
    answer = bounds.calibrate(bounds.get("dsgd_convex"), "n", target=0.1, **without(DSGD, "n", "beta"))
    assert answer.status == "found"
    assert "taken for granted: eta <= 2/beta (needs beta)" in answer.reason


def test_the_ends_of_the_search() -> None:
    bound, point = bounds.get("dsgd_convex"), without(DSGD, "n")
    assert bounds.calibrate(bound, "n", target=0, **point).status == "impossible"
    beyond = bounds.calibrate(bound, "n", target=1e-20, **point)
    assert (beyond.status, beyond.value) == ("undecided", None)
    assert "beyond n=" in beyond.reason
    easy = bounds.calibrate(bound, "n", target=1e9, **point)
    assert (easy.value, easy.low, easy.high) == (1, 1, 1)
    distance = bounds.get("consensus_distance_atc")
    free = bounds.calibrate(distance, "m", target=1e9, **without(NETWORK, "m"), eta=0.05, Q=2)
    assert (free.status, free.value) == ("found", 10**12)
    assert "the search ends there" in free.reason
    flat = bounds.calibrate(bound, "Q", target=1, **DSGD)
    assert flat.status == "found"
    assert "does not depend on Q" in flat.reason
    assert bounds.calibrate(bound, "Q", target=1e-3, **DSGD).status == "impossible"
    assert bounds.calibrate(bound, "n", target=None, **point).status == "impossible"
    assert bounds.calibrate(distance, "gap", target=None, **without(NETWORK, "gap"), eta=0.05, Q=2).value == 1


def test_a_target_that_is_attained_exactly() -> None:
    """2 * 0.5 * 64/(16 * n) is 4/n, which is 0.125 at n = 32 and nothing else decides it."""
    answer = bounds.calibrate(bounds.get("dsgd_convex"), "n", target=0.125, L=1, eta=0.5, T=64, m=16, beta=1)
    assert (answer.value, answer.achieved) == (32, 0.125)


def test_needed_gossip_agrees_with_brute_force_and_with_calibration() -> None:
    needed, distance, rng = bounds.get("mgs_gossip_needed"), bounds.get("consensus_distance_atc"), random.Random(4)
    for _ in range(200):
        point = {key: value for key, value in drawn(distance, rng).items() if key != "T"}
        theta = 10 ** rng.uniform(-3, 0)
        goal = theta * point["eta"] * point["sigma2"] / (point["m"] * point["beta"])
        answer = bounds.calibrate(distance, "Q", target=goal, **point)
        assert answer.value == needed.evaluate(theta=theta, **point)
        scanned = distance.evaluate(Q=np.arange(1, answer.value + 1), **point)
        stable = (1 - point["gap"]) ** np.arange(1, answer.value + 1) * (1 + point["eta"] * point["beta"]) < 1
        assert np.nonzero(stable & (scanned <= goal))[0].tolist() == [answer.value - 1]


def test_readouts_and_forms_are_kept_apart() -> None:
    bound, point = bounds.get("mgs_convex"), dict(NETWORK, eta=0.05, T=10**4, r0=1.0)
    values = [
        bounds.calibrate(bound, "Q", target=0.03, update_form=form, readout=readout, **point).value
        for form, readout in (("atc", "network_mean"), ("atc", "node_average"), ("consensus", "node_average"))
    ]
    for (form, readout), value in zip((("atc", "network_mean"), ("atc", "node_average")), values, strict=False):
        scanned = [bound.evaluate(update_form=form, readout=readout, Q=Q, **point) for Q in range(1, value + 1)]
        assert [place + 1 for place, one in enumerate(scanned) if one <= 0.03] == [value]
    assert len(set(values)) == 3


MISTAKES = [
    (dict(parameter="lr", target=1), UnknownParameterError, "no parameter 'lr'"),
    (dict(parameter="n", target=1, lr=3), UnknownParameterError, "no parameter 'lr'"),
    (dict(parameter="eta", target=1), UnknownParameterError, "leave eta=0.05 out"),
    (dict(parameter=("n", "n"), target=1), UnknownParameterError, "two different ones"),
    (dict(parameter=("n", "eta"), target=1), DomainError, "must be a count"),
    (dict(parameter=("eta", "n"), target=None), DomainError, "need a target"),
    (dict(parameter="n", target=math.nan), DomainError, "finite number"),
    (dict(parameter="n", target="x"), DomainError, "finite number"),
    (dict(parameter="n", target=1, b=0), DomainError, "an integer >= 1"),
    (dict(parameter="n", target=1, update_form="centralized"), DomainError, "allowed: atc, cta, consensus"),
]


@pytest.mark.parametrize(("arguments", "error", "words"), MISTAKES, ids=lambda x: x if isinstance(x, str) else "")
def test_mistakes(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    arguments = dict(arguments)
    parameter, target = arguments.pop("parameter"), arguments.pop("target")
    sought = {"n", "eta"} if isinstance(parameter, tuple) else {"n"}
    with pytest.raises(error, match=r"^[^\n]*$") as caught:
        bounds.calibrate(bounds.get("dsgd_convex"), parameter, target=target, **without(DSGD, *sought), **arguments)
    assert words in str(caught.value)


def test_missing_and_array_parameters() -> None:
    with pytest.raises(MissingParameterError, match="give m=VALUE"):
        bounds.calibrate(bounds.get("dsgd_convex"), "n", target=1, L=1, eta=0.05, T=1000)
    with pytest.raises(DomainError, match="spectrum is an array"):
        bounds.calibrate(bounds.get("step_limit_consensus"), "spectrum", target=1, rho_max=1, Q=1)


def test_places_are_ranks_of_floats() -> None:
    values = [-2.0, -1e-300, 0.0, 5e-324, 1e-300, 1.0, math.nextafter(1.0, 2), 1e300]
    assert [unrank(rank(value)) for value in values] == values
    assert all(rank(one) < rank(other) for one, other in pairwise(values))
    assert unrank(rank(1.0) + 1) == math.nextafter(1.0, 2)
    for name in ("eta", "gap", "Q", "sigma2"):
        line = line_of(name)
        grid = line.grid(line.first, line.last)
        assert grid == sorted(set(grid))
        assert (grid[0], grid[-1]) == (line.first, line.last)
