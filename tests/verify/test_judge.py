"""Verdicts about a bound or a margin: the right word, point, numbers and sentence."""

from __future__ import annotations

import math
import subprocess
import sys
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.errors import DomainError
from verify.statistics import MIN_REPLICATES, Judgement, equivalent, judge, split_level
from verify.verdict import Verdict

LEVEL, RESAMPLES = 0.05, 399
ORDER = {Verdict.VIOLATED: 0, Verdict.UNDECIDED: 1, Verdict.HOLDS: 2}


def _values(mean: list[float], replicates: int = 50, spread: float = 0.1, seed: int = 5) -> np.ndarray:
    """Replicates whose sample mean is ``mean`` up to rounding and whose sample standard deviation is ``spread``."""
    noise = np.random.default_rng(seed).standard_normal((replicates, len(mean)))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0, ddof=1)
    return np.asarray(np.array(mean) + spread * noise)


def _judge(values: np.ndarray, bound: list[float], deterministic: bool = False, level: float = LEVEL) -> Judgement:
    return judge(values, np.array(bound), level, RESAMPLES, np.random.default_rng(7), deterministic)


def _equivalent(values: np.ndarray, margin: list[float], deterministic: bool = False) -> Judgement:
    return equivalent(values, np.array(margin), LEVEL, RESAMPLES, np.random.default_rng(7), deterministic)


def _is_a_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and (text[0].isupper() or text[0].isdigit())


def test_holds_when_the_upper_band_is_below_the_bound_everywhere() -> None:
    found = _judge(_values([1.0, 2.0, 3.0]), [2.0, 2.5, 6.0])
    assert found.verdict is Verdict.HOLDS
    assert found.index == 1
    assert found.numbers.measured == pytest.approx(2.0)
    assert found.numbers.tightness == pytest.approx(1.25)
    assert (found.numbers.bound, found.numbers.replicates, found.more_replicates) == (2.5, 50, None)
    assert found.numbers.low == found.band.low[1]
    assert found.numbers.high == found.band.high[1]
    assert "2.5" in found.reason
    assert "at or below" in found.reason
    assert _is_a_sentence(found.reason)


def test_the_deciding_point_is_the_closest_in_ratio_not_in_distance() -> None:
    assert _judge(_values([1.0, 1000.0]), [3.0, 1010.0]).index == 1
    assert _judge(_values([1.0, 1000.0]), [1.001, 1000.0]).verdict is Verdict.UNDECIDED
    assert _judge(_values([1.0, 1000.0]), [1.001, 1000.0]).index == 0


def test_violated_when_the_lower_band_is_above_the_bound_at_one_point() -> None:
    found = _judge(_values([1.0, 2.0, 3.0]), [2.0, 1.5, 2.0])
    assert (found.verdict, found.index) == (Verdict.VIOLATED, 2)
    assert found.numbers.low is not None
    assert found.numbers.low > 2.0
    assert found.numbers.tightness == pytest.approx(2 / 3)
    assert "wholly above the bound 2" in found.reason
    assert _is_a_sentence(found.reason)


@pytest.mark.parametrize("bound", [1.001, 0.999])
def test_undecided_when_the_bound_lies_in_the_band(bound: float) -> None:
    found = _judge(_values([1.0, 2.0]), [bound, 9.0])
    assert (found.verdict, found.index) == (Verdict.UNDECIDED, 0)
    assert found.more_replicates is not None
    assert f"about {found.more_replicates} more" in found.reason
    assert _is_a_sentence(found.reason)


def test_edges_of_the_band_belong_to_holds_and_not_to_violated() -> None:
    values = _values([1.0])
    band = _judge(values, [5.0]).band
    assert _judge(values, [float(band.high[0])]).verdict is Verdict.HOLDS
    assert _judge(values, [float(np.nextafter(band.high[0], 0))]).verdict is Verdict.UNDECIDED
    assert _judge(values, [float(band.low[0])]).verdict is Verdict.UNDECIDED
    assert _judge(values, [float(np.nextafter(band.low[0], 0))]).verdict is Verdict.VIOLATED


@given(seed=st.integers(0, 200), small=st.floats(-2, 3), step=st.floats(0, 3))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_raising_a_bound_never_moves_towards_violated(seed: int, small: float, step: float) -> None:
    values = _values([1.0, 0.5], seed=seed, spread=1.0)
    lower, higher = _judge(values, [small, 1.0]), _judge(values, [small + step, 1.0 + step])
    assert ORDER[lower.verdict] <= ORDER[higher.verdict]


@given(seed=st.integers(0, 200), exponent=st.integers(-30, 30), factor=st.floats(0.5, 2))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_units_change_no_verdict(seed: int, exponent: int, factor: float) -> None:
    values = _values([1.0, 2.0], seed=seed, spread=1.0)
    # Powers of two scale without rounding, so even ties stay ties.
    bound, scale = [factor, 2.2], 2.0**exponent
    here, there = _judge(values, bound), _judge(values * scale, [scale * b for b in bound])
    assert (here.verdict, here.index, here.more_replicates) == (there.verdict, there.index, there.more_replicates)


def _by_hand(found: Judgement, quantile: float, distance: float, spread: float) -> int:
    """Smallest total number of replicates with (quantile + z) s / sqrt(R) below the distance, z the 80 % point of a normal, by counting up."""
    total = found.band.replicates
    while (quantile + NormalDist().inv_cdf(0.8)) * spread / math.sqrt(total) >= distance:
        total += 1
    return total - found.band.replicates


def test_more_replicates_towards_holds_is_set_by_the_hardest_point() -> None:
    found = _judge(_values([1.0, 2.0, 3.0]), [1.01, 2.005, 9.0])
    assert found.verdict is Verdict.UNDECIDED
    assert found.more_replicates == _by_hand(found, found.band.quantile_high, 0.005, 0.1)


def test_more_replicates_towards_violated_is_set_by_the_easiest_point() -> None:
    found = _judge(_values([1.0, 2.0, 3.0]), [0.99, 1.995, 3.001])
    assert found.verdict is Verdict.UNDECIDED
    assert found.more_replicates == _by_hand(found, found.band.quantile_low, 0.01, 0.1)


@pytest.mark.parametrize(("bound", "wanted"), [([1.01, 2.02], Verdict.HOLDS), ([0.985, 5.0], Verdict.VIOLATED)])
def test_that_many_more_replicates_do_decide(bound: list[float], wanted: Verdict) -> None:
    found = _judge(_values([1.0, 2.0]), bound)
    assert found.verdict is Verdict.UNDECIDED
    assert found.more_replicates is not None
    total = 50 + found.more_replicates
    assert _judge(_values([1.0, 2.0], replicates=total), bound).verdict is wanted


@pytest.mark.parametrize("bound", [1.0, np.nextafter(1.0, 0), np.nextafter(1.0, 2)])
def test_no_number_of_replicates_decides_when_mean_and_bound_agree(bound: float) -> None:
    values = np.tile([[0.0], [2.0]], (25, 1))
    found = _judge(values, [bound])
    assert (found.verdict, found.more_replicates) == (Verdict.UNDECIDED, None)
    assert "no number" in found.reason


@pytest.mark.parametrize("bound", [0.5, -0.5])
def test_events_never_seen_decide_nothing(bound: float) -> None:
    values = np.column_stack([np.zeros(50), _values([1.0])])
    found = _judge(values, [bound, 9.0])
    assert (found.verdict, found.index, found.more_replicates) == (Verdict.UNDECIDED, 0, None)
    assert (found.numbers.low, found.numbers.high, found.numbers.tightness) == (None, None, None)
    assert "replicates agree" in found.reason


def test_a_blind_point_does_not_hide_a_violation_elsewhere() -> None:
    values = np.column_stack([np.zeros(50), _values([1.0])])
    found = _judge(values, [0.5, 0.5])
    assert (found.verdict, found.index) == (Verdict.VIOLATED, 1)


@pytest.mark.parametrize(
    ("bound", "wanted", "index"),
    [([1.0, 2.0], Verdict.HOLDS, 0), ([np.nextafter(1.0, 0), 2.0], Verdict.VIOLATED, 0), ([2.0, 1.0], Verdict.HOLDS, 1)],
)
@pytest.mark.parametrize("replicates", [1, 3, 30])
def test_declared_deterministic_values_are_compared_exactly(bound: list[float], wanted: Verdict, index: int, replicates: int) -> None:
    found = _judge(np.ones((replicates, 2)), bound, deterministic=True)
    assert (found.verdict, found.index) == (wanted, index)
    assert found.numbers.low == found.numbers.high == 1.0
    assert "exact" in found.reason
    assert _is_a_sentence(found.reason)


def test_rounding_between_deterministic_replicates_is_not_decided() -> None:
    above = np.nextafter(1.0, 2)
    values = np.array([[1.0], [above], [np.nextafter(above, 2)]])
    found = _judge(values, [above], deterministic=True)
    assert (found.verdict, found.more_replicates) == (Verdict.UNDECIDED, None)
    assert "rounding" in found.reason


def test_declaring_noise_deterministic_does_not_turn_it_into_certainty() -> None:
    values = _values([1.0])
    assert _judge(values, [1.001], deterministic=True).verdict is Verdict.UNDECIDED
    mixed = np.column_stack([np.zeros(50), values])
    assert _judge(mixed, [0.0, 2.0], deterministic=True).verdict is Verdict.HOLDS
    assert _judge(mixed[:5], [0.0, 2.0], deterministic=True).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("replicates", [1, 2, MIN_REPLICATES - 1])
def test_few_replicates_decide_nothing(replicates: int) -> None:
    values = _data_far_below(replicates)
    found = _judge(values, [100.0])
    assert (found.verdict, found.more_replicates) == (Verdict.UNDECIDED, MIN_REPLICATES - replicates)
    assert "too few" in found.reason
    assert _is_a_sentence(found.reason)
    assert _judge(_data_far_below(MIN_REPLICATES), [100.0]).verdict is Verdict.HOLDS


def _data_far_below(replicates: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((replicates, 1))


def test_means_of_zero_or_less_have_no_tightness_and_still_a_verdict() -> None:
    found = _judge(_values([-1.0, -2.0]), [0.0, -1.0])
    assert (found.verdict, found.numbers.tightness) == (Verdict.HOLDS, None)
    assert _judge(_values([-1.0, -2.0]), [-2.0, 0.0]).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("shape", ["scalar", "long"])
def test_bounds_of_another_shape_are_refused(shape: str) -> None:
    bound = np.array(1.0) if shape == "scalar" else np.ones(3)
    with pytest.raises(DomainError, match=r"shape \(2,\)"):
        judge(_values([1.0, 2.0]), bound, LEVEL, RESAMPLES, np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [math.inf, -math.inf, math.nan])
def test_bounds_and_margins_that_are_not_finite_are_refused(wrong: float) -> None:
    for call in (_judge, _equivalent):
        with pytest.raises(DomainError, match="at point 1"):
            call(_values([1.0, 2.0]), [3.0, wrong])


def test_levels_are_checked_even_where_nothing_is_resampled() -> None:
    for replicates in (1, 50):
        with pytest.raises(DomainError, match="resamples"):
            _judge(np.ones((replicates, 1)), [2.0], level=0.001)


def test_the_level_is_split_evenly() -> None:
    assert split_level(0.05, 8) == pytest.approx(0.00625)
    for level, claims in ((0.05, 0), (0.0, 3), (0.9, 3)):
        with pytest.raises(DomainError):
            split_level(level, claims)


@pytest.mark.parametrize(
    ("mean", "wanted", "index"),
    [
        ([0.1, -0.2], Verdict.HOLDS, 1),
        ([0.1, 1.5], Verdict.VIOLATED, 1),
        ([-2.5, 1.5], Verdict.VIOLATED, 0),
        ([0.0, -0.99], Verdict.UNDECIDED, 1),
        ([1.01, 0.0], Verdict.UNDECIDED, 0),
    ],
)
def test_equivalence_is_judged_on_both_sides(mean: list[float], wanted: Verdict, index: int) -> None:
    found = _equivalent(_values(mean), [1.0, 1.0])
    assert (found.verdict, found.index) == (wanted, index)
    assert found.numbers.bound == 1.0
    assert found.numbers.tightness == pytest.approx(1 / abs(mean[index]))
    assert found.band.level == LEVEL / 2
    assert (found.more_replicates is not None) == (wanted is Verdict.UNDECIDED)
    assert "margin" in found.reason
    assert _is_a_sentence(found.reason)


def test_equivalence_does_not_care_about_signs_of_its_verdict() -> None:
    for mean in (0.97, 1.03):
        up, down = _equivalent(_values([mean]), [1.0]), _equivalent(-_values([mean]), [1.0])
        assert (up.verdict, up.more_replicates) == (down.verdict, down.more_replicates)


def test_equivalence_to_exactly_zero_needs_declared_determinism() -> None:
    assert _equivalent(np.zeros((20, 2)), [0.0, 0.0]).verdict is Verdict.UNDECIDED
    assert _equivalent(np.zeros((20, 2)), [0.0, 0.0], deterministic=True).verdict is Verdict.HOLDS
    assert _equivalent(np.full((20, 1), 1e-300), [0.0], deterministic=True).verdict is Verdict.VIOLATED


def test_negative_margins_are_refused() -> None:
    with pytest.raises(DomainError, match="margin -1"):
        _equivalent(_values([0.0]), [-1.0])


def test_statistics_need_neither_torch_nor_matplotlib() -> None:
    code = "import sys, verify.statistics; print([n for n in ('torch', 'matplotlib', 'sympy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
