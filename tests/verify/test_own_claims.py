"""Theorems of one's own as claims, and the kinds of bound that never decide a verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bounds
import verify.suite as suite
from bounds.errors import DomainError, UnknownNameError
from bounds.registry import add, nothing_kept
from bounds.vocabulary import Kind, Quantity, Readout, UpdateForm
from empirical import Run
from verify.case import Context
from verify.claims.core import Budget
from verify.curve_case import CurveCase, Point
from verify.plan import execute
from verify.verdict import Verdict

REQUEST = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
RUN = Run(problem="softmax-digits", update_form=UpdateForm.ATC, m=4, n=8, T=20, eta=0.5, radius=10.0, replicates=24, twins=0)
BUDGET, CONTEXT = Budget("quick", 24, 2), Context(0.05, 0)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    with nothing_kept():
        yield


def own(expression: str, **more: Any) -> bounds.Bound:
    bound = bounds.define(id="own", expression=expression, required=["L", "eta", "T", "m", "n"], **more)
    add(bound, "here")
    return bound


@pytest.fixture(scope="module")
def results() -> Any:
    case = CurveCase("claim", "case", "paper", "statement", "dsgd_convex", *REQUEST, "T", (Point(RUN, 20, 20.0),), (REQUEST,))
    return case, execute(case.tasks(), jobs=1)


@pytest.mark.parametrize("expression", ["1e6*L*eta*T*m*n", "1e-9*L*eta*T/(m*n)"])
@pytest.mark.parametrize("kind", list(Kind))
def test_only_a_theorem_about_runs_decides(kind: Kind, expression: str, results: Any) -> None:
    case, found = results
    bound = own(expression, kind=kind.value)
    result = dataclasses.replace(case, bound_id=bound.id).decide(found, CONTEXT)
    if kind in (Kind.UPPER, Kind.EXACT):
        assert result.verdict is (Verdict.HOLDS if "1e6" in expression else Verdict.VIOLATED)
    else:
        assert result.verdict is Verdict.NOT_APPLICABLE
        assert "own is no theorem about a run" in result.reason
        assert kind.label in result.reason
        assert result.numbers.bound is None
        assert result.curves == ()


def test_every_form_and_readout_that_a_run_measures_is_a_case() -> None:
    own("2*L**2*eta*T/(m*n)", update_forms=["atc", "cta"], readouts=["node_average", "worst_node"], properties=["convex"])
    assert suite.select(["own"]) == suite.select(["own-own"]) == ["own-own"]
    assert "own-own" in suite.select([])
    found = suite.cases(dict.fromkeys(suite.select(["own"]), BUDGET), 0, "auto")
    assert [case.case for case in found] == ["atc-node-average-T", "atc-worst-node-T", "cta-node-average-T", "cta-worst-node-T"]
    assert all(isinstance(case, CurveCase) and case.bound_id == "own" for case in found)
    assert len({task for case in found for task in case.tasks()}) == 2


def test_a_quantity_that_no_run_measures_is_said() -> None:
    own("eta", quantity="exit_time")
    with pytest.raises(DomainError, match="own speaks about the exit time, which no run measures"):
        suite.cases(dict.fromkeys(suite.select(["own"]), BUDGET), 0, "auto")


def test_a_wrong_theorem_of_ones_own_is_refuted() -> None:
    own("1e-9*L*eta*T/(m*n)", update_forms=["atc"], title="Far too small")
    (case,) = suite.cases(dict.fromkeys(suite.select(["own"]), BUDGET), 0, "auto")
    assert isinstance(case, CurveCase)
    small = dataclasses.replace(case, points=tuple(Point(RUN, 20, 20.0) for _ in range(1)))
    result = small.decide(execute(small.tasks(), jobs=1), CONTEXT)
    assert result.verdict is Verdict.VIOLATED
    assert result.statement == "Far too small"
    assert np.isfinite(result.numbers.tightness or 0)


def test_without_a_file_there_is_no_such_claim() -> None:
    with pytest.raises(UnknownNameError, match="unknown claim"):
        suite.select(["own"])
