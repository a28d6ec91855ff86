"""Claims on flatter minima and accuracy: planted truths come back as verdicts, planted nonsense does not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import spearmanr

from bounds.errors import DomainError
from verify.claims.core import Budget
from verify.claims.flatness.best_accuracy import diffusion_most_accurate, most_accurate
from verify.claims.flatness.landings import FORMS, Landings, Plan, joined, land, plans
from verify.claims.flatness.minima import flatter, flatter_minima
from verify.claims.flatness.two_factors import Runs, accuracy_two_factors, two_factors
from verify.statistics import contrast
from verify.statistics.regression import Within, rank_correlations
from verify.verdict import Verdict

TINY = Plan("network-digits", (("batch-16", 16, 4.0), ("full-batch", 32, 8.0)), 1, 2, 1e-3, 1e-3, 4, ("random",))
REPLICATES = 24


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def planted(seed: int, flatness: float = 0.0, loss: float = 0.0, gain: tuple[float, float] = (0.0, 0.0)) -> Landings:
    """Made-up ends: ATC's and CTA's logarithms of trace and loss shifted, accuracy made of both by ``gain``."""
    draw, shape = np.random.default_rng(seed), (REPLICATES, len(FORMS), 2)
    shift = np.array([0.0, 1.0, 1.0, 0.0])[:, None]
    level = draw.standard_normal((REPLICATES, 1, 1))
    trace = np.exp(level + flatness * shift + 0.02 * draw.standard_normal(shape))
    training = np.exp(level + loss * shift + 0.02 * draw.standard_normal(shape))
    accuracy = 0.8 - gain[0] * np.log(trace) - gain[1] * np.log(training) + 0.00005 * draw.standard_normal(shape)
    rest = np.ones(shape)
    return Landings(
        trace, 0.1 * trace, trace, training, training, accuracy, accuracy, rest, rest, rest == 1, np.ones((*shape, 2, 21)) * trace[..., None, None]
    )  # fmt: skip


@pytest.mark.parametrize(("shift", "verdict"), [(-0.05, Verdict.HOLDS), (0.05, Verdict.VIOLATED), (0.0, Verdict.UNDECIDED)])
def test_a_planted_flatness_is_found(shift: float, verdict: Verdict) -> None:
    found = flatter((planted(1, shift),), 0.01, rng(), TINY, "random", "atc", 1, "trace")
    assert found.verdict is verdict
    assert found.numbers.low is not None
    assert found.numbers.high is not None
    assert found.numbers.low <= shift <= found.numbers.high


def test_no_difference_is_shown_and_traces_that_are_not_positive_decide_nothing() -> None:
    alike = planted(1)
    close = dataclasses.replace(alike, top=1 + 1e-5 * alike.trace)
    told = flatter((close,), 0.01, rng(), TINY, "random", "consensus", 1, "top")
    assert told.verdict is Verdict.UNDECIDED
    assert "no difference beyond 1 %" in told.reason
    assert (
        flatter((dataclasses.replace(alike, trace=-alike.trace),), 0.01, rng(), TINY, "random", "atc", 0, "trace").verdict
        is Verdict.UNDECIDED
    )
    curves = flatter((planted(1, 0.1),), 0.01, rng(), TINY, "random", "consensus", 1, "top").curves
    assert [len(curve.companions) for curve in curves] == [2, 2]
    assert curves[0].x[-1] == 10 * curves[1].x[-1]


def test_contrast_keeps_its_level_and_its_sides() -> None:
    wrong = sum(contrast(np.random.default_rng(k).standard_normal(20), 0.1, 0.1, 999, rng()).side in ("below", "above") for k in range(200))
    # Nominally 20 of 200; 36 is exceeded once in a thousand times.
    assert wrong <= 36
    noise = 0.01 * np.random.default_rng(0).standard_normal(30)
    noise -= noise.mean()
    assert [contrast(noise + at, 0.1, 0.05, 999, rng()).side for at in (-0.05, 0.0, 0.05)] == ["below", "within", "above"]
    assert contrast(noise[:9] + 5, 0.1, 0.05, 999, rng()).side == "open"


def test_best_means_a_difference_and_only_a_difference_refutes_it() -> None:
    def against(other: str, found: Landings) -> Verdict:
        return most_accurate((found,), 0.01, rng(), TINY, 0, other, "network_mean").verdict

    assert against("centralized", planted(2, -1.0, 0.0, (0.02, 0.0))) is Verdict.HOLDS
    assert against("consensus", planted(2, 1.0, 0.0, (0.02, 0.0))) is Verdict.VIOLATED
    same = planted(2)
    assert against("consensus", same) is Verdict.UNDECIDED
    told = most_accurate((same,), 0.01, rng(), TINY, 0, "consensus", "network_mean").reason
    assert "equal within 0.5 points" in told


@pytest.mark.parametrize(
    ("gain", "verdicts"),
    [
        ((0.02, 0.02), ("HOLDS", "HOLDS", "HOLDS")),
        ((0.02, 0.0), ("HOLDS", "VIOLATED", "VIOLATED")),
        ((0.0, 0.02), ("VIOLATED", "HOLDS", "HOLDS")),
        ((0.02, -0.02), ("HOLDS", "VIOLATED", "HOLDS")),
    ],
)
def test_planted_factors_are_told_apart(gain: tuple[float, float], verdicts: tuple[str, ...]) -> None:
    ends = (planted(3, 0.02, -0.02, gain),)
    for part, verdict in zip(("flatness", "optimization", "not-flatness-alone"), verdicts, strict=True):
        for regime in ("all-runs", "same-batch"):
            assert two_factors(ends, 0.01, rng(), TINY, regime, part).verdict.name == verdict, (part, regime)


def test_coefficients_are_those_of_least_squares_with_a_level_for_every_group() -> None:
    draw, groups = rng(), np.array([0, 1, 0, 1, 0, 1, 1])
    first, second = draw.standard_normal((2, 12, 7))
    outcome = 2 * first - second + 5 * groups + draw.standard_normal((12, 1)) + 0.1 * draw.standard_normal((12, 7))
    within = Within.of(outcome, first, second, groups)
    found, pseudo = within.coefficients()
    levels = np.kron(np.eye(12), (groups[:, None] == [0, 1]).astype(float))
    design = np.column_stack([first.ravel(), second.ravel(), levels])
    exact = np.linalg.lstsq(design, outcome.ravel(), rcond=None)[0][:2]

    def spread(table: np.ndarray) -> float:
        return float(np.sqrt(((table.ravel() - levels @ np.linalg.lstsq(levels, table.ravel(), rcond=None)[0]) ** 2).mean()))

    units = np.array([spread(first), spread(second)]) / spread(outcome)
    assert found == pytest.approx(exact * units, rel=1e-9)
    assert pseudo.mean(axis=0) == pytest.approx(found, rel=1e-9)
    rest = outcome.ravel() - design @ np.linalg.lstsq(design, outcome.ravel(), rcond=None)[0]
    assert within.explained()[2] == pytest.approx(1 - (rest**2).mean() / spread(outcome) ** 2, rel=1e-9)
    assert rank_correlations(first, second)[3] == pytest.approx(spearmanr(first[3], second[3])[0], rel=1e-12)
    with pytest.raises(DomainError, match="collinear"):
        Within.of(outcome, first, first, groups).coefficients()
    with pytest.raises(DomainError, match="does not vary"):
        Within.of(outcome, np.ones((12, 7)), second, groups)


def test_permutations_know_an_empty_factor_from_a_real_one() -> None:
    draw, groups = np.random.default_rng(5), np.repeat([0, 1, 2], 4)
    chances = []
    for _ in range(60):
        first, second = draw.standard_normal((2, 6, 12))
        outcome = first + draw.standard_normal((6, 12))
        chances.append(Within.of(outcome, first, second, groups).permuted(1, groups, 99, draw))
    assert 0 < np.mean(np.array(chances) <= 0.2) < 0.4
    first, second = draw.standard_normal((2, 6, 12))
    assert Within.of(first + second, first, second, groups).permuted(1, groups, 99, draw) == 0.01


def test_a_landing_is_what_the_runs_end_at_and_its_blocks_join() -> None:
    found = land(TINY, "random", 3, range(2))
    assert (found.trace_error > 0).all()
    assert found.repeated[:, FORMS.index("cta")].all()
    assert not found.repeated[:, FORMS.index("consensus"), 0].any()
    assert (found.trace[:, 1] == found.trace[:, 2]).all()
    assert found.slices[..., 10] == pytest.approx(np.repeat(found.training[..., None], 2, axis=-1), rel=1e-12)
    # Along the top eigenvector the loss bends by the top eigenvalue.
    bend = (found.slices[..., 1, 11] - found.slices[..., 1, 10]) / (0.1**2 / 2)
    assert bend == pytest.approx(found.top, rel=0.02)
    again = joined([land(TINY, "random", 3, range(1)), land(TINY, "random", 3, range(1, 2))])
    assert again.top == pytest.approx(found.top, rel=1e-9)
    runs = Runs.of((found,), TINY, "same-batch")
    assert runs.trace.shape == (2, 6)
    assert runs.groups.tolist() == [0, 1] * 3


def test_cases_share_their_runs_and_a_quick_report_asks_a_part_of_the_default_one() -> None:
    quick, default = Budget("quick", 40, 2), Budget("default", 128, 4)
    builds = (flatter_minima, diffusion_most_accurate, accuracy_two_factors)
    tasks = {
        budget.name: {task for build in builds for case in build(budget, 0, "cpu") for task in case.tasks()} for budget in (quick, default)
    }
    assert {name: len(found) for name, found in tasks.items()} == {"quick": 4, "default": 16}
    names = {budget.name: {case.case for build in builds for case in build(budget, 0, "cpu")} for budget in (quick, default)}
    assert names["quick"] < names["default"]
    assert all(plan.replicates >= 30 for plan in plans(default))
