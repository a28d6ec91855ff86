"""The number of gossip steps needed against brute force over Q."""

import math

import numpy as np
import pytest

import bounds
from bounds.topology import topology

NEEDED = bounds.get("mgs_gossip_needed")
POINTS, MOST = 1000, 20_000


def brute(eta: float, m: int, beta: float, sigma2: float, zeta2: float, gap: float, sbar2: float) -> float:
    """The least Q whose map of the consensus distance contracts and does not raise the target: its fixed point is not above it."""
    x, sbar = (1 - gap) ** np.arange(1, MOST + 1), math.sqrt(sbar2)
    raised = (x * ((1 + eta * beta) * sbar + eta * math.sqrt(zeta2))) ** 2 + (x * eta) ** 2 * sigma2 * (1 - 1 / m)
    good = np.flatnonzero((raised <= sbar2) & (x * (1 + eta * beta) < 1))
    return float(good[0] + 1)


@pytest.mark.slow
def test_is_the_least_number_by_brute_force() -> None:
    rng = np.random.default_rng(1)
    counts = []
    for _ in range(POINTS):
        eta, beta, sigma2, zeta2, theta = np.exp(rng.uniform([-6, -3, -3, -3, -4], [1, 2, 2, 2, 1])).tolist()
        zeta2, m, gap, b = (
            zeta2 * int(rng.integers(2)),
            int(rng.integers(2, 100)),
            math.exp(rng.uniform(-6, -0.01)),
            int(rng.integers(1, 9)),
        )
        T, D0, r0 = int(rng.integers(1, 10**4)), math.exp(rng.uniform(-3, 2)), math.exp(rng.uniform(-3, 2))
        variance = eta * sigma2 / (b * m)
        targets = {
            (): theta * variance / beta,
            ("D0", "T"): theta * (2 * D0 / (eta * T) + beta * variance) / beta**2,
            ("r0", "T"): theta * (r0**2 / (eta * T) + variance) / (1.5 * beta),
        }
        for given, sbar2 in targets.items():
            optional = {name: {"D0": D0, "r0": r0, "T": T}[name] for name in given}
            value = NEEDED.evaluate(eta=eta, m=m, beta=beta, sigma2=sigma2, zeta2=zeta2, gap=gap, theta=theta, b=b, **optional)
            assert value == brute(eta, m, beta, sigma2 / b, zeta2, gap, sbar2)
            counts.append(value)
    assert min(counts) == 1
    assert max(counts) > 100


def test_rings_need_quadratically_many() -> None:
    for m, expected in ((8, 6), (16, 30), (32, 145), (64, 675)):
        gap = topology("ring", m).gap
        assert NEEDED.evaluate(eta=0.05, m=m, beta=1, sigma2=1, zeta2=1, gap=gap, theta=0.1) == expected


def test_the_consensus_term_then_has_its_share() -> None:
    """mgs_stationarity, mgs_pl and mgs_convex with as many gossip steps: at most (1 + theta) times themselves without a spread."""
    rng, theta = np.random.default_rng(2), 0.3
    for _ in range(POINTS):
        beta, sigma2, zeta2, start = np.exp(rng.uniform(-2, 2, 4)).tolist()
        eta, m, T, gap = (
            float(rng.uniform(0.01, 0.25)) / beta,
            int(rng.integers(2, 50)),
            int(rng.integers(1, 5000)),
            float(rng.uniform(0.01, 0.9)),
        )
        problem = {"eta": eta, "m": m, "beta": beta, "sigma2": sigma2, "zeta2": zeta2, "gap": gap}
        for bound, target, more in (
            ("mgs_stationarity", {"D0": start, "T": T}, {"D0": start}),
            ("mgs_pl", {}, {"D0": start, "mu": beta / 3}),
            ("mgs_convex", {"r0": start, "T": T}, {"r0": start}),
        ):
            Q = int(NEEDED.evaluate(theta=theta, **problem, **target))
            value = bounds.get(bound).evaluate(Q=Q, T=T, **problem, **more)
            alone = bounds.get(bound).evaluate(Q=1, T=T, **(problem | {"gap": 1}), **more)
            assert value <= alone * (1 + theta) * (1 + 1e-9)


def test_ends() -> None:
    values = dict(eta=0.05, m=16, beta=1, theta=0.1)
    assert NEEDED.evaluate(sigma2=1, zeta2=1, gap=1, **values) == 1
    assert NEEDED.evaluate(sigma2=0, zeta2=1, gap=1, **values) == 1
    assert NEEDED.evaluate(sigma2=0, zeta2=1, gap=0.5, **values) == math.inf
    assert NEEDED.evaluate(sigma2=0, zeta2=0, gap=0.5, **values) == 1
    assert NEEDED.evaluate(sigma2=0, zeta2=1, gap=0.5, D0=1, T=100, **values) < math.inf
    assert NEEDED.assess(values | {"sigma2": 1, "zeta2": 1, "gap": 0.5, "D0": 1})
