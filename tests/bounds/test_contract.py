"""The contract that every catalogue entry passes."""

import math

import pytest
from flint import arb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bounds
from bounds.bound import Bound
from bounds.box import readings
from bounds.symbols import REGISTRY
from bounds.testing import admissible_points, assert_dominates, assert_monotone, assert_reduces_to
from bounds.vocabulary import Direction, Kind, Quantity

ENTRIES = list(bounds.entries().values())
CASES = [(b, p) for b in ENTRIES for p in b.formula.parameters if b.directions[p] is not Direction.UNKNOWN]
MONOTONE = [(b, p) for b, p in CASES if b.directions[p] is not Direction.MIXED]
#: A third of the time of all declared directions together: searched more thoroughly by ``make test-all``.
COSTLY = ("mgs_generalization", "mgs_excess_pl")
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("bound", ENTRIES, ids=lambda b: b.id)
def test_is_complete(bound: Bound) -> None:
    assert set(bound.directions) == set(bound.formula.parameters)
    assert all(name in REGISTRY for name in bound.formula.parameters)
    assert bound.recursion is not None or bound.reductions
    assert bound.update_forms
    assert bound.source.latex
    assert bound.readouts
    assert bound.source.derivation
    assert all(target.to is None or target.to in bounds.entries() for target in bound.reductions)
    assert bound.latex()


@pytest.mark.parametrize("bound", [b for b in ENTRIES if b.recursion is not None], ids=lambda b: b.id)
def test_closed_form_against_unrolled_recursion(bound: Bound) -> None:
    assert bound.recursion is not None
    # A closed form in two parts costs at most a factor 4 where both are summed over the same T steps.
    loose = bound.recursion.relation == "dominates" and "T" in bound.formula.required
    assert_dominates(bound, within=4 if loose else None)


@pytest.mark.parametrize("bound", ENTRIES, ids=lambda b: b.id)
@quick
@given(data=st.data())
def test_is_positive_and_rounded_outwards(bound: Bound, data: st.DataObject) -> None:
    point = data.draw(admissible_points(bound, given=data.draw(st.sampled_from(readings(bound)))))
    value, ball = bound.evaluate(**point), bound.enclosure(point)
    # Only a difference of two quantities may be negative.
    assert value >= 0 or bound.quantity is Quantity.OTHER
    assert math.isfinite(value) or bound.log_value(point) > math.log(1.7e308)
    if bound.kind is Kind.UPPER:
        assert not arb(value) < ball.upper()
    middle = float(ball.mid())
    assert abs(value - middle) <= abs(middle) * 1e-12 or value == math.nextafter(middle, math.inf)
    if 1e-300 < value < math.inf:
        assert bound.log_value(point) == pytest.approx(math.log(value), abs=1e-12)


@pytest.mark.parametrize(("bound", "parameter"), CASES, ids=lambda x: x if isinstance(x, str) else x.id)
def test_declared_directions(bound: Bound, parameter: str) -> None:
    if bound.directions[parameter] is Direction.MIXED:
        assert bounds.certify(bound, parameter).status == "proved"
    else:
        assert_monotone(bound, parameter, examples=10 if bound.id in COSTLY else 25)


@pytest.mark.slow
@pytest.mark.parametrize(("bound", "parameter"), MONOTONE, ids=lambda x: x if isinstance(x, str) else x.id)
def test_declared_directions_more_thoroughly(bound: Bound, parameter: str) -> None:
    assert_monotone(bound, parameter, examples=200)


REDUCTIONS = [(b, r) for b in ENTRIES for r in b.reductions]


@pytest.mark.parametrize(("bound", "reduction"), REDUCTIONS, ids=lambda x: x.id if isinstance(x, Bound) else str(x.at))
def test_reductions(bound: Bound, reduction: bounds.Reduction) -> None:
    target = reduction.to or reduction.value
    assert target is not None
    assert_reduces_to(bound, dict(reduction.at), target, dict(reduction.arguments), reduction.relation, examples=25)


def test_every_open_question_has_a_reason_and_there_are_few() -> None:
    pairs = [(b, p) for b in ENTRIES for p in b.formula.parameters]
    unknown = [(b, p) for b, p in pairs if b.directions[p] is Direction.UNKNOWN]
    assert all(b.open_questions[p] for b, p in unknown)
    assert sum(len(b.open_questions) for b in ENTRIES) == len(unknown)
    assert len(unknown) <= 0.05 * len(pairs)
