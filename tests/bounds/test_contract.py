"""The contract that every catalogue entry passes."""

import math

import pytest
from flint import arb
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import bounds
from bounds.bound import Bound
from bounds.expression import enclose, parse
from bounds.symbols import REGISTRY
from bounds.testing import admissible_pairs, admissible_points, check_direction
from bounds.vocabulary import Direction, Kind

ENTRIES = list(bounds.entries().values())
CASES = [(b, p) for b in ENTRIES for p in b.formula.parameters]
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def readings(bound: Bound) -> list[tuple[str, ...]]:
    """Every single optional parameter that switches a reading, and none."""
    choices = {name for let in bound.formula.lets for name in let.given}
    return [(), *((name,) for name in sorted(choices)), tuple(sorted(choices))]


@pytest.mark.parametrize("bound", ENTRIES, ids=lambda b: b.id)
def test_is_complete(bound: Bound) -> None:
    assert set(bound.directions) == set(bound.formula.parameters)
    assert all(name in REGISTRY for name in bound.formula.parameters)
    assert bound.recursion is not None
    assert bound.update_forms
    assert bound.readouts
    assert bound.source.derivation
    assert all(target.to is None or target.to in bounds.entries() for target in bound.reductions)
    assert bound.latex()


@pytest.mark.parametrize("bound", ENTRIES, ids=lambda b: b.id)
@quick
@given(data=st.data())
def test_closed_form_against_unrolled_recursion(bound: Bound, data: st.DataObject) -> None:
    assert bound.recursion is not None
    given_names = data.draw(st.sampled_from(readings(bound)))
    # A recursion minimised over its start is unrolled once per start.
    steps = data.draw(st.integers(1, 12 if bound.recursion.least else 60))
    point = data.draw(admissible_points(bound, given=given_names))
    if "T" in point:
        point["T"] = steps
    assume(not any(outcome.holds is False for outcome in bound.assess(point)))
    unrolled = bound.recursion.unroll(bound.formula, point, steps)[-1]
    closed = bound.enclosure(point)
    slack = abs(unrolled) * arb(2) ** -50
    if bound.recursion.relation == "equals":
        assert abs(closed - unrolled) <= slack
    else:
        assert not closed < unrolled - slack
        if "T" in bound.formula.required:
            assert not unrolled * 4 < closed, "dominates by more than the factor that the two parts of the closed form can cost"


@pytest.mark.parametrize("bound", ENTRIES, ids=lambda b: b.id)
@quick
@given(data=st.data())
def test_is_positive_and_rounded_outwards(bound: Bound, data: st.DataObject) -> None:
    point = data.draw(admissible_points(bound, given=data.draw(st.sampled_from(readings(bound)))))
    value, ball = bound.evaluate(**point), bound.enclosure(point)
    assert value >= 0
    assert math.isfinite(value) or bound.log_value(point) > math.log(1.7e308)
    if bound.kind is Kind.UPPER:
        assert arb(value) >= ball.lower()
        assert not arb(value) < ball.upper()
    assert value <= float(ball.mid()) * (1 + 1e-15) or value == math.nextafter(float(ball.mid()), math.inf)
    if 1e-300 < value < math.inf:
        assert bound.log_value(point) == pytest.approx(math.log(value), abs=1e-12)


@pytest.mark.parametrize(("bound", "parameter"), CASES, ids=lambda x: x if isinstance(x, str) else x.id)
@quick
@given(data=st.data())
def test_declared_directions(bound: Bound, parameter: str, data: st.DataObject) -> None:
    direction = bound.directions[parameter]
    assert direction is not Direction.UNKNOWN
    forms = [form.value for form in bound.update_forms]
    reading = data.draw(st.sampled_from(readings(bound)))
    pair = data.draw(admissible_pairs(bound, parameter, update_form=data.draw(st.sampled_from(forms)), given=reading))
    check_direction(bound, parameter, pair, direction)


REDUCTIONS = [(b, r) for b in ENTRIES for r in b.reductions]


@pytest.mark.parametrize(("bound", "reduction"), REDUCTIONS, ids=lambda x: x.id if isinstance(x, Bound) else str(x.at))
@quick
@given(data=st.data())
def test_reductions(bound: Bound, reduction: bounds.Reduction, data: st.DataObject) -> None:
    at = {name: value for name, value in reduction.at if name in bound.formula.required}
    point = data.draw(admissible_points(bound, given=tuple(n for n, _ in reduction.at))) | at
    point |= {name: value for name, value in reduction.at if name in point}
    assume(not any(outcome.holds is False for outcome in bound.assess(point)))
    known = dict.fromkeys((*bound.formula.parameters,))
    complete = dict(bound.formula.defaults) | point
    if reduction.to is None:
        assert reduction.value is not None
        target = enclose(parse(reduction.value, known), complete)
    else:
        arguments = {name: float(enclose(parse(text, known), complete).mid()) for name, text in reduction.arguments}
        target = bounds.get(reduction.to).enclosure(arguments)
    value = bound.enclosure(point)
    slack = abs(target) * arb(2) ** -48
    if reduction.relation == "equals":
        assert abs(value - target) <= slack
    else:
        assert value >= target - slack
