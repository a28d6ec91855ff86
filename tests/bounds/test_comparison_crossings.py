"""Crossings of two bounds against closed forms and 60 digits, along one parameter and over two."""

import random

import numpy as np
import pytest
from mpmath import mp, mpf

import bounds
from bounds.errors import DomainError, UnknownParameterError

FIXED = dict(L=1, m=16, n=100, beta=1, sigma2=0.01, zeta2=0.01, r0=1, gap=1, Q=4, b=1)
NAMES = ("eta", "T", "m", "n", "beta")
REST = {"T": (1, 1), "m": (2, 2), "n": (2, 2), "beta": (1.0, 1.0)}


def fixed(**values: float) -> dict[str, tuple[float, float]]:
    return {name: (value, value) for name, value in values.items()}


def mine(expression: str, *conditions: str) -> bounds.Bound:
    return bounds.define(id="mine", expression=expression, required=NAMES, conditions=conditions)


def along_eta(a: str, b: str, low: float, high: float, *conditions: str) -> bounds.Comparison:
    return bounds.compare(mine(a, *conditions), mine(b), {**REST, "eta": (low, high)}, along="eta", samples=50)


def test_the_crossing_of_an_excess_risk_with_a_generalization_bound_in_steps() -> None:
    """At gap = 1 the consensus distance is 0, and L^2 eta (T+1)/(m n) = r0^2/(eta T) + eta sigma2/(b m) is a quadratic (derived here)."""
    a, b = bounds.get("mgs_excess_convex"), bounds.get("dsgd_convex")
    found = bounds.compare(a, b, {**fixed(**FIXED, eta=0.1), "T": (1, 10**6)}, along="T", samples=100)
    with mp.workdps(60):
        p = {name: mpf(value) for name, value in FIXED.items()} | {"eta": mpf(0.1)}
        second = p["L"] ** 2 * p["eta"] / (p["m"] * p["n"])
        first = second - p["eta"] * p["sigma2"] / (p["b"] * p["m"])
        # 400 (1 - 5e-17), because 0.1 is not the float of that name.
        root = (-first + mp.sqrt(first**2 + 4 * second * p["r0"] ** 2 / p["eta"])) / (2 * second)
        assert 399 < root < 400
    (crossing,) = found.crossings
    assert (crossing.low, crossing.high) == (399, 400)
    assert (crossing.before, crossing.unique, found.complete, found.relation) == ("+", True, True, "crosses")


def test_a_real_crossing_in_the_learning_rate_is_enclosed() -> None:
    a, b = bounds.get("mgs_excess_convex"), bounds.get("dsgd_convex")
    found = bounds.compare(a, b, {**fixed(**FIXED, T=5000), "eta": (1e-6, 0.25)}, along="eta", samples=100)
    with mp.workdps(60):
        root = 1 / mp.sqrt(5000 * (mpf(5001) / 1600 - mpf(0.01) / 16))
        (crossing,) = found.crossings
        assert crossing.low <= root <= crossing.high
        assert (crossing.high - crossing.low) / root <= 1e-9
    assert (crossing.before, crossing.unique, found.complete) == ("+", True, True)


def test_a_crossing_at_a_number_that_floats_hit() -> None:
    """The trajectory bound meets the Lipschitz one at G = L exactly."""
    box = {**fixed(L=2, eta=0.5, T=8, m=2, n=4, beta=1, b=1), "G": (0.5, 8.0)}
    found = bounds.compare(bounds.get("dsgd_convex_trajectory"), bounds.get("dsgd_convex"), box, along="G", samples=50)
    (crossing,) = found.crossings
    assert crossing.low < 2 < crossing.high
    assert crossing.high - crossing.low <= 2e-9
    assert (crossing.unique, found.complete) == (True, True)


def test_equal_at_the_end_of_a_range_is_no_crossing() -> None:
    """1 - (1 - eta mu)^T = eta mu T at T = 1 only."""
    box = {**fixed(L=1, eta=0.5, m=2, n=4, beta=1, b=1, mu=0.5), "T": (1, 1000)}
    found = bounds.compare(bounds.get("dsgd_strongly_convex"), bounds.get("dsgd_convex"), box, along="T", samples=50)
    assert (found.relation, found.crossings, found.complete) == ("<=", (), True)


def test_all_of_several_crossings() -> None:
    found = along_eta("eta + 4/eta", "5", 0.1, 10)
    assert [round(one.low, 6) for one in found.crossings] == [1, 4]
    assert [one.before for one in found.crossings] == ["+", "-"]
    assert all(one.low < root < one.high for one, root in zip(found.crossings, (1, 4), strict=True))
    assert (found.complete, found.relation) == (True, "crosses")


def test_a_touching_point_is_no_crossing_and_leaves_the_count_open() -> None:
    found = along_eta("eta + 4/eta", "4", 0.11, 10)
    assert (found.crossings, found.complete) == ((), False)


def test_crossings_outside_the_assumptions_do_not_count() -> None:
    found = along_eta("eta + 4/eta", "5", 0.1, 10, "2 <= eta")
    assert [round(one.high) for one in found.crossings] == [4]


def test_random_monomials_cross_where_sixty_digits_say() -> None:
    draws = random.Random(3)
    with mp.workdps(60):
        for _ in range(25):
            (first, p), (second, q) = ((draws.uniform(0.1, 10), draws.randint(-3, 3)) for _ in range(2))
            q = q + 1 if p == q else q
            found = along_eta(f"{first!r}*eta**({p})", f"{second!r}*eta**({q})", 1e-3, 1e3)
            root = (mpf(str(second)) / mpf(str(first))) ** (mpf(1) / (p - q))
            if mpf("1.001e-3") < root < 999:
                (crossing,) = found.crossings
                assert crossing.low < root < crossing.high < crossing.low * (1 + 1e-9)
                assert crossing.before == ("-" if p > q else "+")
                assert crossing.unique
            assert found.complete is True


def test_bounds_that_cross_have_one_crossing_enclosed_between_the_witnesses() -> None:
    found = bounds.compare(bounds.get("dsgd_convex_trajectory"), bounds.get("dsgd_convex"), samples=100)
    (crossing,) = found.crossings
    assert found.complete is None
    at = {**crossing.at}
    other = at["L"] if crossing.parameter == "G" else at["G"]
    assert crossing.low < other < crossing.high


def plane(a: str, b: str, x: tuple[str, float, float], y: tuple[str, float, float], points: int, values: dict[str, float]) -> bounds.Plane:
    return bounds.crossover(bounds.get(a), bounds.get(b), x, y, values, points=points)


def test_a_plane_has_the_signs_and_the_curve_of_the_closed_form() -> None:
    values = {name: value for name, value in FIXED.items() if name != "beta"} | {"beta": 0.1}
    found = plane("mgs_excess_convex", "dsgd_convex", ("T", 1, 1e6), ("eta", 1e-4, 1), 60, values)
    assert found.admissible.all()
    assert found.signs.shape == (found.y.size, found.x.size)
    assert found.x.tolist() == sorted({round(value) for value in np.geomspace(1, 1e6, 60)})
    with mp.workdps(60):
        roots = {T: 1 / mp.sqrt(T * (mpf(T + 1) / 1600 - mpf(0.01) / 16)) for T in map(int, found.x) if mpf(T + 1) / 1600 > mpf(0.01) / 16}
        for column, T in enumerate(map(int, found.x)):
            for row in range(0, found.y.size, 7):
                # Without a root the excess risk is larger everywhere.
                expected = 1 if T not in roots or mpf(found.y[row]) < roots[T] else -1
                assert found.signs[row, column] == expected
        assert len(found.curve) == sum(1e-4 < root < 1 for root in roots.values()) > 20
        for T, low, high in found.curve:
            assert mpf(low) < roots[int(T)] < mpf(high)
            assert high - low <= 1e-9 * low


def test_a_plane_of_equal_bounds_is_zero_everywhere_and_needs_arb_to_say_so() -> None:
    found = plane("dsgd_convex", "hardt2016_convex", ("m", 2, 40), ("eta", 0.1, 4), 12, dict(L=1, T=7, n=9, beta=1, b=3))
    assert not found.signs.any()
    # eta <= 2/beta with equality allowed.
    assert (found.admissible == (found.y <= 2)[:, None]).all()
    assert (found.let, found.curve.shape) == ({"N": "m*n"}, (0, 3))


@pytest.mark.parametrize(
    ("x", "y", "values", "told"),
    [
        (("m", 2, 40), ("m", 2, 40), {}, "two parameters"),
        (("m", 2, 40), ("eta", 0.1, 4), {"L": 1}, "give T=VALUE"),
        (("m", 2, 40), ("eta", 0.1, 4), {"N": 1}, "N is m*n here"),
        (("m", 40, 2), ("eta", 0.1, 4), {}, "is empty"),
    ],
)
def test_mistakes_get_one_line(x: tuple[str, float, float], y: tuple[str, float, float], values: dict[str, float], told: str) -> None:
    with pytest.raises((DomainError, UnknownParameterError), match=told.replace("*", r"\*")) as caught:
        bounds.crossover(bounds.get("dsgd_convex"), bounds.get("hardt2016_convex"), x, y, values)
    assert "\n" not in str(caught.value)
