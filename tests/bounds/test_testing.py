"""The ready assertions find what is planted, in one line each, and say it with the smallest witness."""

import random
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bounds
from bounds.bound import Bound
from bounds.box import admissible, between, default_box
from bounds.errors import DomainError, ExpressionError, MissingParameterError, UnknownNameError, UnknownParameterError
from bounds.testing import admissible_pairs, assert_dominates, assert_monotone, assert_reduces_to, check_direction
from bounds.vocabulary import Direction

NAMES = ["L", "eta", "T", "m", "n"]
STEP = bounds.one_step({"d": 0}, {"d": "d + 2*eta*L/(m*n)"}, "L*d")


def own(expression: str = "2*L**2*eta*T/(m*n)", **more: object) -> Bound:
    more = {"required": NAMES, "optional": ["beta"], "conditions": ["eta <= 2/beta"], "recursion": STEP} | more
    return bounds.define(id="own", expression=expression, **more)


GOOD, FORGOT_M = own(directions={"m": "decreasing"}), own("2*L**2*eta*T/n", directions={"m": "decreasing"})


def test_a_right_bound_passes_every_line() -> None:
    assert_monotone(GOOD, "m")
    assert_dominates(GOOD)
    assert_dominates(GOOD, "dsgd_convex")
    assert_reduces_to(GOOD, {"m": 1}, "hardt2016_convex", {"N": "n"})
    assert_reduces_to(GOOD, {"m": 1, "n": 2}, "L**2*eta*T")


def test_a_planted_wrong_direction() -> None:
    with pytest.raises(AssertionError, match=r"own is not increasing in m: 0\.5 at L=1\.0, eta=1\.0, T=1, m=2, n=2, beta=1\.0; ") as raised:
        assert_monotone(GOOD, "m", "increasing")
    assert "\n" not in str(raised.value)


def test_a_planted_missing_1_over_m() -> None:
    with pytest.raises(AssertionError, match=r"not equal to its own recursion after 1 step: 1\.0 against 0\.5 at .*m=2, n=2"):
        assert_dominates(FORGOT_M)
    with pytest.raises(AssertionError, match="dsgd_convex does not dominate own"):
        assert_dominates(bounds.get("dsgd_convex"), FORGOT_M)
    with pytest.raises(AssertionError, match=r"own is not equal to hardt2016_convex: 1\.0 against 0\.25"):
        assert_reduces_to(FORGOT_M, {"m": 4}, "hardt2016_convex", {"N": "m*n"})
    with pytest.raises(AssertionError, match=r"own is more than 1\.5 times dsgd_convex"):
        assert_dominates(FORGOT_M, "dsgd_convex", within=1.5)
    # A forgotten 1/m is still an upper bound, and invisible at one node.
    assert_dominates(FORGOT_M, "dsgd_convex")
    assert_reduces_to(FORGOT_M, {"m": 1}, "hardt2016_convex", {"N": "n"})


def test_a_closed_form_below_its_recursion() -> None:
    loose = bounds.one_step({"d": 0}, {"d": "d + 2*eta*L/(m*n)"}, "L*d", "dominates")
    assert_dominates(own("2*L**2*eta*T/n", recursion=loose))
    with pytest.raises(AssertionError, match="does not dominate its own recursion"):
        assert_dominates(own("2*L**2*eta*T/(m*n) - L**2*eta*min(T, 2)/(5*m*n)", recursion=loose))


def test_a_mistake_in_one_reading_or_one_form_only() -> None:
    atc = bounds.get("consensus_distance_atc")
    with pytest.raises(AssertionError, match="not increasing in mu"):
        assert_monotone(atc, "mu", "increasing")
    # Admissible for ATC up to 2/beta, for the consensus form only up to 2 w_min/beta.
    conditions = [bounds.assumptions.Condition("eta <= w_min/beta", forms=("consensus",)), "eta <= 2/beta"]
    late = bounds.define(
        id="late",
        expression="min(eta*beta, 2 - eta*beta)",
        required=["eta", "beta"],
        optional=["w_min"],
        conditions=conditions,
        update_forms=["consensus", "atc"],
    )
    assert_monotone(late, "eta", "increasing", update_form="consensus")
    with pytest.raises(AssertionError, match="not increasing in eta"):
        assert_monotone(late, "eta", "increasing")


def test_other_bounds_by_arguments() -> None:
    hardt = bounds.get("hardt2016_convex")
    assert_dominates(bounds.get("dsgd_convex"), hardt, arguments={"N": "m*n"})
    with pytest.raises(AssertionError, match="does not dominate hardt2016_convex"):
        assert_dominates(bounds.get("dsgd_convex"), hardt, arguments={"N": "n"})
    assert_dominates(bounds.get("consensus_distance_consensus"), "consensus_distance_atc")


def test_another_bound_is_asked_only_where_it_applies() -> None:
    mine, other = (
        bounds.define(id=name, expression=text, required=["eta", "beta"], conditions=[condition])
        for name, text, condition in (("mine", "eta", "eta <= 2/beta"), ("other", "eta*max(1, 10*(eta*beta - 1))", "eta <= 1/beta"))
    )
    assert_dominates(mine, other)
    assert_dominates(other, mine)
    with pytest.raises(AssertionError, match=r"mine does not dominate eta\*max"):
        assert_dominates(mine, "eta*max(1, 10*(eta*beta - 1))")


def test_the_box_is_kept() -> None:
    bound = own("2*L**2*eta*T/(m*n) + max(T - 1000, 0)*m")
    assert_monotone(bound, "m", "decreasing", {"T": (1, 1000)})
    with pytest.raises(AssertionError):
        assert_monotone(bound, "m", "decreasing", {"T": (1001, 2000)})


def test_the_same_call_says_the_same() -> None:
    code = "import bounds, sys; from bounds.testing import *\ntry: assert_monotone(bounds.get('dsgd_worst_node_convex'), 'gap', 'increasing')\n"
    code += "except AssertionError as error: print(error)"
    said = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(said) == 1
    assert re.match("dsgd_worst_node_convex is not increasing in gap", said.pop())


def test_check_direction_has_no_slack_and_no_false_alarm() -> None:
    pair = ({"eta": 1.0}, {"eta": 1.0 + 2**-40})
    rising = bounds.define(id="rising", expression="1 + eta*1e-3", required=["eta"])
    check_direction(rising, "eta", pair, Direction.INCREASING)
    for direction in (Direction.DECREASING, Direction.CONSTANT):
        with pytest.raises(AssertionError, match="rising is not"):
            check_direction(rising, "eta", pair, direction)


THIN = bounds.define(
    id="thin",
    expression="eta/mu",
    required=["eta", "mu", "beta", "b", "n", "Q", "gap"],
    conditions=["mu <= beta", "b <= n", "eta <= 2/(beta+mu)", "1 < 2*eta*mu", "99 <= Q*(1-gap)"],
)


def test_thin_admissible_sets_do_not_starve() -> None:
    """Counted over plain random points, because hypothesis also draws constants from whatever modules are loaded."""
    rng, box = random.Random(0), default_box(THIN)
    starts = [{name: between(name, *box[name], rng.random()) for name in THIN.formula.parameters} for _ in range(200)]
    points = [admissible(THIN, start, box) for start in starts]
    found = [point for point in points if point is not None]
    assert len(found) >= 60
    assert all(THIN.assess(point) == [] for point in found)
    assert sum(THIN.assess(start) == [] for start in starts) < 10


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_pairs_of_a_thin_set_are_admissible(data: st.DataObject) -> None:
    first, second = data.draw(admissible_pairs(THIN, "mu"))
    assert THIN.assess(first) == THIN.assess(second) == []


def test_mistakes_are_told_from_findings() -> None:
    with pytest.raises(DomainError, match="no admissible points"):
        assert_monotone(GOOD, "m", box={"eta": (10, 20), "beta": (10, 20)})
    with pytest.raises(DomainError, match="declares no direction"):
        assert_monotone(GOOD, "T")
    with pytest.raises(DomainError, match="declared mixed"):
        assert_monotone(own(directions={"m": "mixed"}), "m")
    with pytest.raises(MissingParameterError, match="has no recursion"):
        assert_dominates(own(recursion=None))
    with pytest.raises(MissingParameterError, match="needs N, which own has not"):
        assert_dominates(GOOD, "hardt2016_convex")
    with pytest.raises(UnknownParameterError, match="no parameter 'K'"):
        assert_dominates(GOOD, "hardt2016_convex", arguments={"N": "n", "K": "m"})
    with pytest.raises(ExpressionError, match="unknown symbol 'hardt2016_convx'"):
        assert_reduces_to(GOOD, {"m": 1}, "hardt2016_convx")
    with pytest.raises(UnknownParameterError, match="no parameter 'K'"):
        assert_reduces_to(GOOD, {"K": 1}, "1")
    with pytest.raises(DomainError, match="m=0"):
        assert_reduces_to(GOOD, {"m": 0}, "1")
    with pytest.raises(DomainError, match="give at="):
        assert_reduces_to(GOOD, {}, "1")


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"expression": "2*K"}, ExpressionError, "unknown symbol 'K'"),
        ({"required": ["L", "lr"]}, UnknownNameError, "unknown symbol 'lr'"),
        ({"expression": "eta*beta"}, MissingParameterError, "uses the optional beta"),
        ({"conditions": ["eta < 2/K"]}, ExpressionError, "unknown symbol 'K'"),
        ({"conditions": ["eta"]}, ExpressionError, "not a condition"),
        ({"properties": ["convxe"]}, UnknownNameError, "did you mean 'convex'"),
        ({"directions": {"K": "increasing"}}, UnknownParameterError, "direction in 'K'"),
        ({"directions": {"m": "up"}}, UnknownNameError, "unknown direction"),
        ({"recursion": bounds.one_step({"d": 0}, {"d": "d + K"}, "d")}, ExpressionError, "unknown symbol 'K'"),
        ({"quantity": "x"}, UnknownNameError, "unknown quantity"),
        ({"update_forms": ["x"]}, UnknownNameError, "unknown update form"),
    ],
)
def test_a_definition_is_checked_where_it_is_made(wrong: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        own(**wrong)


def test_a_definition_with_everything() -> None:
    bound = bounds.define(
        id="full",
        expression="x*eta*b",
        where={"y": "1 - gap", "x": "y**Q"},
        required=["eta", "gap", "Q"],
        optional=["b"],
        defaults={"b": 1},
        properties=["doubly_stochastic"],
        directions={"Q": "decreasing"},
        update_forms=["cta"],
        kind="exact",
    )
    assert bound.evaluate(eta=2, gap=0.5, Q=2) == 0.5
    assert bound.evaluate(eta=2, gap=0.5, Q=2, b=4) == 2.0
    assert bound.latex()
    assert bound.directions["eta"] is Direction.UNKNOWN
    assert_monotone(bound, "Q")
