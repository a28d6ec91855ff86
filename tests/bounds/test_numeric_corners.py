"""Own theorems at points where float arithmetic, its error bounds or its logarithms would go astray, against Arb."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from flint import arb

import bounds
from bounds.errors import DomainError
from bounds.registry import nothing_kept
from bounds.symbols import Array, Domain, Symbol, rank_of

NUMBER = itertools.count()
LIFTED = (1 + 5e-10, 1 + 5e-10, 0.5)
#: 2 exactly, and noise in floats.
NOTHING = "(1e20*(zeta2*(1+D) - zeta2 - zeta2*D) + 2)"
CORNERS: list[tuple[str, dict[str, Any]]] = [
    # 0 to a power that is no whole number, and to the power 0.
    ("geometric(D-1, eta)", {"D": 1.0, "eta": 0.01}),
    ("geometric(1-w_min, t0)", {"w_min": 1.0, "t0": 0}),
    ("1-(1-w_min)**tau", {"w_min": 1.0, "tau": 0.0}),
    ("when(1-(1-w_min)**tau, 1, 2)", {"w_min": 1.0, "tau": 0.0}),
    ("(1-gap)**Q", {"gap": 1.0, "Q": 3}),
    ("(1-gap)**(1/T)", {"gap": 1.0, "T": 9}),
    ("geometric(1-gap, T)", {"gap": 1.0, "T": 9}),
    # Negative factors of a telescoped product, and a product of none.
    ("growth(any, 0, T)", {"any": -0.5, "T": 5}),
    ("growth(D, tau, tau+T) - 1", {"D": 1e-8, "tau": 1e6, "T": 1}),
    ("growth(D, t0, t0)", {"D": 2.0, "t0": 12}),
    ("growth(D, 0, T)", {"D": 50.0, "T": 10**9}),
    # Entries of arrays outside the range of numbers.
    ("1e200*total(p, rho, p*p)", {"rho": [1e-170]}),
    ("T*total(p, rho, p*p*p)", {"rho": [1e-105, 1e-106], "T": 7}),
    ("T*total(p, rho, 1/(1/p+1/(p*p*p)))", {"rho": [1e105, 1e106], "T": 7}),
    ("T*total(p, rho, p)/(T*total(p, rho, p)+1)", {"rho": [1e300, 1e300], "T": 7}),
    # Eigenvalues that rounding lifts above 1, and sums over the entries whose errors differ from point to point.
    ("T*(1-element(spectrum, 1)**T)+3", {"spectrum": LIFTED, "T": 7}),
    ("T*total(l, tail(spectrum), (1-l**2)**2+1-l**2)", {"spectrum": LIFTED, "T": 7}),
    ("T*total(l, spectrum, (1-l**2)*(1-l**2)+1-l**2)", {"spectrum": (1, 0.9, 0.5), "T": 3}),
    ("T+total(l, spectrum, (l-G)**2)", {"spectrum": (1, 0.9, 0.5), "T": 3, "G": 0.9}),
    ("G+total(row, weights, total(w, row, w))", {"weights": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "G": 1.0}),
    ("G+total(row, weights, total(w, row, w))", {"weights": [[1.0], [4.0]], "G": 1.0}),
    ("G+largest(row, tail(weights), total(w, row, G*w))", {"weights": [[1.0, 2.0], [4.0, 5.0], [1.0, 1.0]], "G": 2.0}),
    # Logarithms that are near each other, and values that only a logarithm holds.
    ("largest(p, rho, p)*exp(tau)", {"rho": [1.0, 1.00001], "tau": 600.0}),
    ("smallest(p, rho, p)*exp(tau)", {"rho": [1.00001, 1.0], "tau": 600.0}),
    ("largest(p, rho, p-1)*exp(tau)", {"rho": [1.0, 1.0], "tau": 600.0}),
    ("exp(tau)*(1-gap)**T", {"tau": 1000.0, "gap": 0.5, "T": 1443}),
    ("exp(-tau)", {"tau": 1e4}),
    ("exp(exp(zeta2))", {"zeta2": 5.0}),
    ("1/(exp(-tau) + exp(-2*tau))", {"tau": 400.0}),
    # Errors of the error function, alone and where it cancels.
    ("erf(G)*exp(tau)", {"G": 2.0, "tau": 300.0}),
    ("T*(erf(G)-erf(zeta2))", {"G": 1.0000001, "zeta2": 1.0, "T": 3}),
    # A branch, or both, without any digit left.
    (f"when(G-1, {NOTHING}, 3)", {"G": 1.1, "D": 0.3, "zeta2": 0.7}),
    (f"when(G-1, 3, {NOTHING})", {"G": 0.9, "D": 0.3, "zeta2": 0.7}),
    (f"when(G-1, 3, {NOTHING})", {"G": 1.1, "D": 0.3, "zeta2": 0.7}),
    # Ceilings next to whole numbers.
    ("ceil(T/3)", {"T": 9}),
    # The float 0.1 is above 1/10, and ten of it round to 1.
    ("ceil(T*eta)", {"T": 10, "eta": 0.1}),
    ("ceil(T*eta)", {"T": 10, "eta": 0.3}),
    ("ceil(3*(1/D))", {"D": 3.0}),
    ("ceil(T/D)", {"T": 7, "D": math.nextafter(7.0, 8.0)}),
    ("ceil(T)+ceil(G)", {"T": 4, "G": 0.0}),
    # Numbers that rounding upwards changes from whole ones to others.
    ("2*3*5*7*T*b/(G+1)", {"T": 999_999_937, "b": 3, "G": 0.1}),
    ("((((2*T)*3)*b)*5)*7/(1/3)", {"T": 999_983, "b": 97}),
    ("G - zeta2", {"G": 0.1, "zeta2": 0.1}),
    ("G - zeta2", {"G": 0.1, "zeta2": 0.3}),
    ("(G - zeta2)*(G + zeta2)", {"G": 0.1, "zeta2": math.nextafter(0.1, 1.0)}),
]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    with nothing_kept():
        bounds.register(Symbol("any", "a", "any number from -1", "-", Domain(-1)))
        bounds.register(Symbol("weights", "w", "a matrix", "-", Array(Domain(0, low_open=True), 2)))
        yield


def _grids(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [values] + [{n: v if rank_of(n) else np.full(shape, v) for n, v in values.items()} for shape in ((1,), (3,), (2, 5))]


def _holds(ball: arb, value: float, upper: bool) -> bool:
    if ball == 0:
        return value == 0
    if upper and arb(value) < ball:
        return False
    return (math.isinf(value) and ball > 1.7e308) or bool(abs(arb(value) / ball - 1) < 1e-9) or (abs(ball) < 1e-300 and value < 1e-299)


@pytest.mark.parametrize(("text", "values"), CORNERS, ids=[f"{place} {text}" for place, (text, _) in enumerate(CORNERS)])
@pytest.mark.parametrize("kind", ["upper", "exact"])
def test_corner(text: str, values: dict[str, Any], kind: str) -> None:
    bound = bounds.define(id=f"own{next(NUMBER)}", expression=text, required=list(values), kind=kind)
    ball = bound.enclosure(values)
    for given in _grids(values):
        for value in np.ravel(bound.evaluate(**given)):
            assert _holds(ball, float(value), kind == "upper"), (value, ball)
        if ball < 0:
            with pytest.raises(DomainError, match="has no logarithm"):
                bound.log_value(given)
            continue
        exact = -math.inf if ball == 0 else float(ball.log().mid())
        for log in np.ravel(bound.log_value(given)):
            assert log == exact or abs(log - exact) <= 1e-12 * max(1.0, abs(exact)), (log, exact)


def test_a_zero_has_the_logarithm_minus_infinity_on_a_grid() -> None:
    bound = bounds.get("consensus_distance_atc")
    point = {"eta": 0.1, "sigma2": 0.0, "zeta2": 0.0, "m": 8, "gap": 0.1, "Q": 1, "beta": 0.0001, "T": 5}
    grid = point | {"T": np.array([1, 5, 50])}
    assert bound.evaluate(**point) == 0.0
    assert bound.log_value(point) == -math.inf
    assert np.all(bound.evaluate(**grid) == 0.0)
    assert np.all(np.isneginf(bound.log_value(grid)))


@pytest.mark.parametrize("points", [1, 2, 3, 20])
def test_heterogeneity_over_a_grid(points: int) -> None:
    """As many points as rows or columns, and other numbers of them."""
    bound = bounds.get("excess_risk_consensus")
    rows = [[0.0, 0.0], [0.3, -0.4], [0.5, 0.1]]
    point = {"b": 2, "rho": [1.0, 2.0], "r": [1.0, 3.0], "spectrum": (1, 0.5, 0.2), "Q": 1, "heterogeneity": rows}
    rates = np.geomspace(1e-3, 0.1, points)
    expected = [float(bound.enclosure(point | {"eta": rate}).mid()) for rate in rates]
    np.testing.assert_allclose(bound.evaluate(eta=rates, **point), expected, rtol=1e-12)
    np.testing.assert_allclose(bound.log_value({"eta": rates} | point), np.log(expected), rtol=1e-12)
