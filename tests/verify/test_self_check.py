"""The published calibration: the problem is exactly tight, and the rates are what they should be."""

import numpy as np
import pytest

import bounds
from bounds.vocabulary import Quantity, Readout
from empirical import measure
from verify.self_check import FACTORS, run_self_check, tight_run
from verify.verdict import Verdict


def test_theory_is_exactly_tight_on_the_calibration_problem() -> None:
    """The expected twin distance is the bound: 10,000 replicates agree with it within 4 standard errors at every step."""
    found = measure(tight_run(250, 40, 7), [(Quantity.L1_STABILITY, Readout.NODE_AVERAGE)], device="cpu")
    for one in found:
        bound = bounds.get("l1_stability_convex")
        assert bound.supports(one.setting) == []
        error = one.values.std(ddof=1) / np.sqrt(len(one.values))
        assert abs(one.values.mean() - bound.at(one.setting)) <= 4 * error


@pytest.mark.slow
def test_false_alarms_and_power() -> None:
    check = run_self_check(100, 40, 0)
    assert check.tight_violated.low <= 0.05
    assert check.tight_holds.low <= 0.05
    rates = [point.violated.rate for point in check.power]
    assert [point.factor for point in check.power] == list(FACTORS)
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(1.0)
    assert rates[0] == check.tight_violated.rate or abs(rates[0] - check.tight_violated.rate) < 0.05
    assert {row.noise for row in check.noise} == {"gaussian", "right_skewed", "left_skewed", "bounded", "heavy_tailed"}


def test_is_deterministic() -> None:
    assert run_self_check(20, 20, 5) == run_self_check(20, 20, 5)


def test_verdict_sentences_differ() -> None:
    assert len({verdict.value for verdict in Verdict}) == 4
