"""Limits and special values: against recursions and other theorems, against the exact value far out, and at jumps."""

import math
import random
from collections.abc import Iterator
from typing import Any

import pytest

import bounds
from bounds.box import admissible, between, default_box, readings
from bounds.errors import DomainError, UnknownParameterError
from bounds.expression import parse
from bounds.expression.balls import ball_at, exact_values
from bounds.rates import limit
from bounds.rates.signs import Signs
from bounds.registry import catalogue, nothing_kept
from bounds.symbols import Domain, Symbol, rank_of, symbol

SPREAD = dict(eta=0.05, sigma2=1.5, zeta2=0.5, m=16, beta=1.2, b=2)


def at(text: str, values: dict[str, Any]) -> float:
    """The value of an expression."""
    ball = ball_at(parse(text, dict.fromkeys(values)), exact_values(values), 256)
    return float(ball.mid())


def drawn(bound: bounds.Bound, count: int, given: tuple[str, ...] = (), fixed: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Random admissible points of a bound."""
    rng, found = random.Random(bound.id), []
    # Near 1, for the limit to show at 1e40.
    box = {name: (0.3, 3.0) if ends == (1e-2, 1e2) else ends for name, ends in default_box(bound).items()}
    box |= {"T": (1, 1000)} if "T" in box else {}
    names = (*bound.formula.required, *given)
    for _ in range(20 * count):
        values = {name: between(name, *box[name], rng.random()) for name in names} | (fixed or {})
        point = admissible(bound, values, box, keep=fixed or ())
        if point is not None:
            found.append(dict(bound.formula.defaults) | point)
        if len(found) == count:
            break
    return found


def test_floors_are_fixed_points_of_the_recursion() -> None:
    """With endless gossip x = 0; S <- sqrt((r S + z)^2 + s2) is iterated with the fresh gradients that each form mixes or not."""
    noise = SPREAD["eta"] ** 2 * SPREAD["sigma2"] / SPREAD["b"] * (1 - 1 / SPREAD["m"])
    drift = SPREAD["eta"] * math.sqrt(SPREAD["zeta2"])
    for form, ratio, mixed in (("consensus", SPREAD["eta"] * SPREAD["beta"], 1), ("cta", 0, 1), ("atc", 0, 0)):
        spread = 0.0
        for _ in range(200):
            spread = math.sqrt((ratio * spread + drift * mixed) ** 2 + noise * mixed)
        for where in ({"Q": "inf"}, {"gap": 1}):
            found = limit(bounds.get(f"consensus_distance_{form}"), where, given=["b"])
            assert found.value is not None, found.reason
            assert at(found.value, SPREAD) == pytest.approx(spread**2, rel=1e-14)


EQUAL = [(b, r) for b in catalogue().values() for r in b.reductions if r.relation == "equals"]


@pytest.mark.parametrize(("bound", "reduction"), EQUAL, ids=lambda x: x.id if isinstance(x, bounds.Bound) else str(dict(x.at)))
def test_special_values_are_the_declared_reductions(bound: bounds.Bound, reduction: bounds.Reduction) -> None:
    fixed = dict(reduction.at)
    given = next((names for names in readings(bound) if set(fixed) <= {*names, *bound.formula.required}), ())
    found = limit(bound, fixed, given=given)
    assert found.value is not None, found.reason
    points = drawn(bound, 4, given, fixed)
    assert len(points) >= 2
    for point in points:
        if reduction.to is None:
            other = at(str(reduction.value), point)
        else:
            target, changed = bounds.get(reduction.to), dict(reduction.arguments)
            texts = {name: changed.get(name, name) for name in target.formula.parameters if name in changed or name in point}
            values = {name: point[text] if text in point else at(text, point) for name, text in texts.items()}
            other = float(target.enclosure(values).mid())
        assert at(found.value, point) == pytest.approx(other, rel=1e-12), found.value


def sampled() -> list[tuple[bounds.Bound, str, str]]:
    """Every fifth of all limits in one scalar parameter."""
    pairs = [(b, name) for b in catalogue().values() for name in b.formula.parameters if not rank_of(name)]
    ends = [(b, name, "inf") for b, name in pairs if symbol(name).domain.high == math.inf]
    ends += [(b, name, "0") for b, name in pairs if symbol(name).domain.low == 0 and not symbol(name).domain.integer]
    return ends


def close(bound: bounds.Bound, name: str, towards: str) -> int:
    """How many random points far out confirm the claimed limit; none may contradict it."""
    found = limit(bound, name, towards if towards == "inf" else 0)
    if found.status == "unknown":
        assert found.reason
        return 0
    far: Any = 10**40 if symbol(name).domain.integer else 1e40 if towards == "inf" else 1e-40
    given = bound.reading((name,))
    seen = 0
    for point in drawn(bound, 3, given):
        values = {key: value for key, value in point.items() if key in (*bound.formula.required, *given)}
        try:
            # At the ends of the others' ranges (no step after t0) the value can be 0 throughout.
            if bound.evaluate(**values) == 0:
                continue
            log = bound.log_value({**values, name: far})
        except DomainError:
            continue
        assert found.value is not None
        goal = {"0": -math.inf, "inf": math.inf}.get(found.value)
        if goal is None:
            goal_value = at(found.value, {key: value for key, value in point.items() if key != name})
            goal = math.log(goal_value) if goal_value > 0 else -math.inf
        assert abs(log - goal) < 1e-3 if math.isfinite(goal) else log * goal > 0, (found.value, log, goal)
        seen += 1
    return seen


def test_limits_hold_far_out() -> None:
    assert sum(close(*case) > 0 for case in sampled()[::9]) > 25


@pytest.mark.slow
def test_all_limits_hold_far_out() -> None:
    assert sum(close(*case) > 0 for case in sampled()) > 300


@pytest.fixture
def power() -> Iterator[None]:
    with nothing_kept():
        bounds.register(Symbol("a", "a", "a power", "-", Domain(0, low_open=True)))
        yield


OWN = [
    ("(1+1/T)**T", "exp(1)"),
    ("sqrt(T+1)-sqrt(T)", "0"),
    ("T*(1-exp(-a/T))", "a"),
    ("(a*T+1)/(T+a)", "a"),
    ("min(T**a, T)", "inf"),
    ("min(a, T)", "a"),
    ("a**2*T - a*T*a + a", "a"),
    ("exp(-T)*T**a", "0"),
    ("(T+1)**2-T**2-2*T", "1"),
    ("erf(T) + a", "1+a"),
    ("log(T)/T**a", "0"),
    ("max(a, 1/T)", "a"),
    ("growth(1/T, 2, 9) + a", "1+a"),
]


@pytest.mark.usefixtures("power")
@pytest.mark.parametrize(("expression", "wanted"), OWN)
def test_own_limits(expression: str, wanted: str) -> None:
    found = limit(bounds.define(id="own", expression=expression, required=["a", "T"]), "T", "inf")
    assert found.value is not None, found.reason
    assert found.value == wanted if wanted in ("0", "inf") else at(found.value, {"a": 0.625}) == pytest.approx(at(wanted, {"a": 0.625}))


@pytest.mark.usefixtures("power")
@pytest.mark.parametrize(
    ("expression", "right"),
    [("ceil(a/T)", "1"), ("when(1/T, a, 2)", "a"), ("when(1/T - 1/T, a, 2)", "2"), ("ceil(2 - 1/T)", "2"), ("T*(a-1)", None), ("T-T", "0")],
)
def test_at_jumps_the_answer_is_right_or_unknown(expression: str, right: str | None) -> None:
    found = limit(bounds.define(id="own", expression=expression, required=["a", "T"]), "T", "inf")
    assert found.value in (right, None)


def test_a_power_of_a_negative_base_has_no_known_sign() -> None:
    """1 - (1 - eta mu)**T tends to inf or -inf by the parity of T."""
    assert limit(bounds.get("dsgd_strongly_convex"), "mu", "inf").status == "unknown"
    assert Signs().of(parse("1 - (-eta)**T", {"eta": None, "T": None})) is None


def test_a_limit_of_one_and_values_of_others() -> None:
    bound = bounds.get("dsgd_worst_node_convex")
    point = dict(L=1.5, eta=0.1, T=40, n=30)
    found = limit(bound, {"m": 4, "gap": 0.5, "Q": "inf"})
    assert found.at == {"m": "4", "gap": "0.5", "Q": "inf"}
    assert at(str(found.value), point) == pytest.approx(bound.evaluate(m=4, gap=0.5, Q=10**6, **point), rel=1e-12)
    assert limit(bounds.get("dsgd_convex"), "m", 1) == limit(bounds.get("dsgd_convex"), {"m": 1})
    assert limit(bounds.get("hardt2016_nonconvex"), "N", 1).reason == "the formula has no value there"


MISTAKES = [
    (("Q", None), DomainError, "give a parameter and its value"),
    (({"Q": 1}, 2), DomainError, "give a parameter and its value"),
    (({}, None), DomainError, "at least one parameter"),
    (({"Q": "inf", "m": "inf"}, None), DomainError, "at most one"),
    (("lr", 1), UnknownParameterError, "no parameter 'lr'"),
    (("gap", 2), DomainError, "gap=2"),
    (("gap", "x"), DomainError, "a number or inf"),
    (("gap", "inf"), DomainError, "gap=inf"),
    (("m", 0), DomainError, "an integer >= 1"),
]


@pytest.mark.parametrize(("arguments", "error", "words"), MISTAKES)
def test_mistakes(arguments: tuple[Any, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=r"^[^\n]*$") as caught:
        limit(bounds.get("consensus_distance_atc"), *arguments)
    assert words in str(caught.value)


def test_a_parameter_that_acts_with_another_only_takes_it_along():
    bound = bounds.get("mgs_generalization")
    assert bound.reading(["Q"]) == ("Q", "gap")
    assert bound.reading(["gap"]) == ("gap",)
    assert bound.reading(["b", "c"]) == ("b",)
    # Without the gap the formula does not know Q; its value there is no limit of the bound in Q.
    assert bounds.limit(bound, "Q", "inf").value != bounds.limit(bound, {"b": 1}).value
    assert bounds.rate(bound, "Q") == bounds.rate(bound, "Q", given=["gap"])
