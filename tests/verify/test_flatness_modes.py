"""One mode as algebra: signs that are proved hold at random points, wrong ones are not proved, and the factors are those of the recursions."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from bounds.setting import Schedule
from bounds.topology import MixingMatrix
from empirical.oracles import Method, Quadratic, steady_state
from verify.claims.flatness import modes


def at(expression: object, eigenvalue: float, x: float) -> float:
    return float(sympy.lambdify((modes.L, modes.X), expression)(eigenvalue, x))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
@pytest.mark.parametrize("readout", ["node_average", "gradient_point"])
@pytest.mark.parametrize(("eigenvalue", "x"), [(0.6, 0.1), (0.2, 0.9), (-0.4, 0.3)])
def test_two_nodes_have_one_mode_with_these_shares(form: str, readout: str, eigenvalue: float, x: float) -> None:
    keep = (1 + eigenvalue) / 2
    method = Method(update_form=form, schedule=Schedule(x), mixing=MixingMatrix([[keep, 1 - keep], [1 - keep, keep]]))  # type: ignore[arg-type]
    problem = Quadratic([[1.0]], [[0.3], [-0.3]], [[2.0]])
    state = steady_state(method, problem)
    spread = state.excess_risk(problem.objective(), readout) - state.excess_risk(problem.objective(), "network_mean")
    # m = 2, b = 1, h = 1, r = 2; the pull along (1, -1)/sqrt(2) is 0.3 sqrt(2).
    expected = x**2 / 4 * (2.0 * at(modes.noise(form, readout), eigenvalue, x) + 0.18 * at(modes.bias(form, readout), eigenvalue, x))
    assert spread == pytest.approx(expected, rel=1e-10)


def test_proved_signs_hold_at_random_points() -> None:
    rng = np.random.default_rng(0)
    gap = modes.noise("consensus") - modes.noise("cta")
    values = sympy.lambdify((modes.L, modes.X), [gap, modes.noise("consensus") - modes.noise("atc")])
    assert modes.proved(gap, modes.SMALL_STEPS, (-1,))
    assert modes.proved(gap, modes.LARGE_STEPS, (1,))
    for eigenvalue in rng.uniform(-1, 1, 500):
        x = rng.uniform(0, 1 + eigenvalue)
        against_cta, against_atc = values(eigenvalue, x)
        assert against_atc > 0
        assert (against_cta < 0) == (eigenvalue > 0 and x < 2 * eigenvalue / (1 + eigenvalue))


def test_regions_cover_what_their_words_say() -> None:
    rng = np.random.default_rng(1)
    for region, inside in zip(
        modes.SMALL_STEPS + modes.LARGE_STEPS[:1], (lambda x, edge, top: x < edge, lambda x, edge, top: edge < x < top), strict=True
    ):
        place = sympy.lambdify((modes.U, modes.T), [region.eigenvalue, region.x])
        for u, t in np.exp(rng.normal(0, 3, (200, 2))):
            eigenvalue, x = place(u, t)
            assert 0 < eigenvalue < 1
            assert inside(x, 2 * eigenvalue / (1 + eigenvalue), 1 + eigenvalue)


@pytest.mark.parametrize(
    "wrong",
    [
        modes.noise("cta") - modes.noise("consensus"),
        modes.noise("atc") - modes.noise("consensus"),
        modes.noise("consensus") - 2 * modes.noise("atc"),
        modes.X - sympy.Rational(1, 100),
    ],
)
def test_a_wrong_sign_is_not_proved(wrong: object) -> None:
    assert not modes.proved(wrong, modes.STABLE, (1,))


def test_the_leading_gap_is_one_in_every_mode_and_the_gap_is_the_published_fraction() -> None:
    assert modes.leading_gap() == 1
    lam, x = modes.L, modes.X
    fraction = (1 - lam) * ((1 + lam) ** 2 * (1 - lam) + 2 * x * lam**2) / ((1 - (lam - x) ** 2) * (1 - lam**2 * (1 - x) ** 2))
    assert modes.same(modes.noise("consensus") - modes.noise("atc"), fraction)
    assert not modes.same(modes.noise("consensus") - modes.noise("cta"), fraction)
