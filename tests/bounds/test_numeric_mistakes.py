"""What is given to a bound besides plain numbers: the same value however it is written, and the same line for a mistake."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bounds
from bounds.bound import Bound
from bounds.errors import DomainError, GossipBoundsError, LengthError, MissingParameterError, UnknownNameError, UnknownParameterError
from bounds.registry import nothing_kept
from bounds.symbols import Domain, Symbol, rank_of

VALUES = {"L": 1.0, "eta": 0.05, "T": 7, "m": 16, "n": 64}
LOSSES = {"rho": [1.0, 2.0], "r": [1.0, 2.0]}
RISK = {"eta": 0.02, "b": 1, "spectrum": (1, 0.5, 0.2), "Q": 1} | LOSSES
FLAGGED = {"eta": 0.1, "sigma2": 1.0, "zeta2": 1.0, "m": 8, "gap": 0.1, "Q": 1, "beta": 1.0, "T": 5}
CONVEX = bounds.get("dsgd_convex")
NUMBER = itertools.count()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    with nothing_kept():
        yield


def _own(text: str, *required: str) -> Bound:
    return bounds.define(id=f"own{next(NUMBER)}", expression=text, required=required)


@pytest.mark.parametrize(
    "steps",
    [
        7.0,
        np.float64(7),
        np.float32(7),
        np.int8(7),
        np.uint64(7),
        np.longdouble(7),
        np.array(7),
        np.array(7.0),
        [7],
        (7, 7.0),
        [[7], [7]],
        np.full(3, 7, dtype=np.float32),
        np.full(3, 7, dtype=np.float16),
        np.full(3, 7, dtype=np.uint8),
        np.full(3, 7, dtype=np.longdouble),
        np.full((4, 6), 7)[::2, ::-3],
        np.full((2, 3), 7.0).T,
        np.broadcast_to(7, (2, 2)),
        np.ma.array([7, 7], mask=[False, False]),
        range(7, 8),
    ],
    ids=repr,
)
def test_a_number_is_the_same_in_every_dress(steps: Any) -> None:
    expected, logarithm = CONVEX.evaluate(**VALUES), CONVEX.log_value(VALUES)
    given = VALUES | {"T": steps}
    found, logs = CONVEX.evaluate(**given), CONVEX.log_value(given)
    assert np.shape(found) == np.shape(logs) == np.shape(steps)
    assert isinstance(found, float) == (np.shape(steps) == ())
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(logs, logarithm, rtol=1e-13)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
@pytest.mark.parametrize("bound_id", bounds.entries())
def test_an_empty_array_gives_an_empty_one(bound_id: str, shape: tuple[int, ...]) -> None:
    from bounds.box import between, default_box

    bound = bounds.get(bound_id)
    point = bounds.arrays.fitted({name: between(name, *default_box(bound)[name], 0.5) for name in bound.formula.required})
    name = next(name for name in point if not rank_of(name))
    assert bound.evaluate(**(point | {name: np.zeros(shape)})).shape == shape
    assert bound.log_value(point | {name: np.zeros(shape)}).shape == shape


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-1, "T=-1"),
        (0, "T=0"),
        (1.5, "T=1.5"),
        (math.nan, "T=nan"),
        (math.inf, "T=inf"),
        (-math.inf, "T=-inf"),
        (np.longdouble("1e4000"), "T=inf"),
        (1j, "complex"),
        ("5", "<U1"),
        (None, "object"),
        (np.True_, "bool"),
        (np.datetime64("2020"), "datetime64"),
        (object, "object"),
    ],
    ids=repr,
)
def test_a_value_out_of_its_domain_is_one_line_for_numbers_lists_and_arrays(value: Any, said: str) -> None:
    grids = [value, [value], np.array([value]), np.array([[2, value]] if isinstance(value, int | float) else [[value]])]
    for given, other in itertools.product(grids, (0.05, np.array([0.05, 0.1]))):
        for ask in (lambda p: CONVEX.evaluate(**p), CONVEX.log_value):
            with pytest.raises(DomainError, match=re.escape(said)) as caught:
                ask(VALUES | {"T": given, "eta": other})
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"T": [[1, 2], [3]]}, DomainError),
        ({"T": np.ma.array([1, 2], mask=[False, True])}, DomainError),
        ({"T": [10**400]}, DomainError),
        ({"T": [1, 2, 3], "eta": [0.1, 0.2]}, LengthError),
        ({"T": [1, 2], "nonsense": 1}, UnknownParameterError),
        ({"T": [1, 2], "update_form": "nonsense"}, UnknownNameError),
        ({"T": [1, 2], "readout": "nonsense"}, UnknownNameError),
    ],
    ids=str,
)
def test_a_mistake_on_a_grid_is_one_line(changed: dict[str, Any], kind: type[GossipBoundsError]) -> None:
    with pytest.raises(kind) as caught:
        CONVEX.evaluate(**(VALUES | changed))
    assert "\n" not in str(caught.value)


def test_a_missing_parameter_is_named_before_anything_is_computed() -> None:
    for steps in (7, [7, 8], np.array([7.0])):
        with pytest.raises(MissingParameterError, match="needs L, eta, m, n"):
            CONVEX.evaluate(T=steps)


@pytest.mark.parametrize("steps", [2**53 + 1, 2**63 + 2**11 + 1, 10**18 + 1])
def test_whole_numbers_keep_all_their_digits(steps: int) -> None:
    given = VALUES | {"T": steps}
    low = float(CONVEX.enclosure(given).lower())
    for found in (CONVEX.evaluate(**given), *CONVEX.evaluate(**(given | {"T": np.array([steps])}))):
        assert low <= found <= low * (1 + 1e-12)


def test_numbers_beyond_all_floats() -> None:
    assert CONVEX.evaluate(**(VALUES | {"T": 10**400})) == math.inf
    assert CONVEX.log_value(VALUES | {"T": 10**400}) == pytest.approx(math.log(1e-4) + 400 * math.log(10), rel=1e-3)


@pytest.mark.parametrize(
    "curvatures", [[2], 2, [], [2, -1], ["a"], [[2, 1]], None, [[2], [1, 2]], [2, math.nan], np.full((30, 30), 2.0)], ids=repr
)
def test_an_array_that_does_not_fit_is_one_line_at_a_point_and_on_a_grid(curvatures: Any) -> None:
    bound, told = bounds.get("exit_time_centralized"), []
    for eta in (0.02, np.array([0.02, 0.03])):
        given = {"eta": eta, "m": 8, "b": 1, "r": 40, "barrier": 0.25, "curvatures": curvatures}
        for ask in (lambda p: bound.evaluate(**p), bound.log_value):
            with pytest.raises(DomainError) as caught:
                ask(given)
            told.append(str(caught.value))
            assert "\n" not in told[-1]
    assert len({line.partition(" at ")[0] for line in told}) == 1


def test_arrays_of_different_lengths_are_one_line_at_a_point_and_on_a_grid() -> None:
    bound = bounds.get("excess_risk_consensus")
    for eta in (0.02, np.array([0.02, 0.03])):
        for ask in (lambda p: bound.evaluate(**p), bound.log_value):
            with pytest.raises(LengthError, match="arrays of 3, 2 entries"):
                ask(RISK | {"rho": [1.0, 2.0, 3.0], "eta": eta})
    with pytest.raises(DomainError, match="above the largest float"):
        bound.evaluate(**(RISK | {"rho": [1.0, 10**400], "eta": np.array([0.02])}))


@pytest.mark.parametrize("flag", [0.5, math.nan, 2, "a", None])
def test_a_flag_is_0_or_1_also_in_an_array(flag: Any) -> None:
    bound = bounds.get("consensus_distance_atc")
    for given in (flag, [flag], np.array([flag, flag])):
        with pytest.raises(DomainError, match="convex"):
            bound.evaluate(**FLAGGED, convex=given)
    both = bound.evaluate(**FLAGGED, convex=[True, False, 1, 0])
    expected = [bound.evaluate(**FLAGGED, convex=flag) for flag in (1, 0, 1, 0)]
    np.testing.assert_allclose(both, expected, rtol=1e-12)


INFINITE = "when(G, inf, 1)"
#: Expressions without a value at these points, where float arithmetic gives a number or a nan.
WITHOUT = [
    (f"{INFINITE}*zeta2", {"G": 1.0, "zeta2": 0.0}),
    (f"when({INFINITE}*zeta2 - 1, 3, 4)", {"G": 1.0, "zeta2": 0.0}),
    (f"min({INFINITE}*zeta2, 3)", {"G": 1.0, "zeta2": 0.0}),
    (f"max({INFINITE} - {INFINITE}, zeta2)", {"G": 1.0, "zeta2": 1.0}),
    ("5 + log(G)", {"G": 0.0}),
    ("5 + log(1-G)", {"G": 2.0}),
    ("5 + log(1-G)", {"G": 1.0}),
    ("5 - 1/log(G)", {"G": 0.0}),
    ("max(3, log(G))", {"G": 0.0}),
    ("1/G", {"G": 0.0}),
    ("growth(any, 0, T)", {"any": -1.0, "T": 5}),
    ("total(p, rho, sqrt(G - p))", {"G": 1.5, "rho": [1.0, 2.0]}),
]


@pytest.mark.parametrize(("text", "values"), WITHOUT, ids=[text for text, _ in WITHOUT])
def test_where_there_is_no_value_there_is_no_number(text: str, values: dict[str, Any]) -> None:
    bounds.register(Symbol("any", "a", "any number from -1", "-", Domain(-1)))
    bound = _own(text, *values)
    for given in (values, {name: value if rank_of(name) else np.full(3, value) for name, value in values.items()}):
        for ask in (lambda p: bound.evaluate(**p), bound.log_value):
            with pytest.raises(DomainError, match="has no value"):
                ask(given)
