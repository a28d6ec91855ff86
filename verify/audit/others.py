"""Exact values for the rest: gossip steps by trying them, exits by quadrature, smoothing and averaging in one dimension."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Schedule
from bounds.topology import topology
from bounds.vocabulary import UpdateForm, word
from empirical.oracles import Method, evolve
from verify.audit.spreads import Pulled, modes
from verify.audit.witness import Collector, Witness

Array = NDArray[np.float64]
_LEADING = 0.2


def one_sample() -> list[Witness]:
    """lei2020_on_average for one sample z and the model a z, loss beta (w - z)^2/2: every term is a second moment of z."""
    found = Collector("lei2020_on_average", "the model a z of one sample z", "dominates")
    for beta, size, a in product((1 / 8, 8.0), (1 / 8, 8.0), (1.0, 1 / 8, 3.0)):
        training, stability, truth = beta * size * (a - 1) ** 2 / 2, 2 * a**2 * size, beta * a * size
        found.add("centralized", "node_average", truth, beta=beta, R_S=training, D=stability)
        best = beta * abs(a - 1) / (math.sqrt(2) * a)
        for gam in filter(None, (best, 4 * best)):
            found.add("centralized", "node_average", truth, beta=beta, R_S=training, D=stability, gam=gam)
    return [found.witness()]


def gossip_steps() -> list[Witness]:
    """mgs_gossip_needed: the least Q for which the recursion of the consensus distance settles at or below the target."""
    found = Collector("mgs_gossip_needed", "gossip steps tried in turn", "equals")
    for gap, eta, m, sigma2, b, theta in product((1 / 16, 1 / 512), (1 / 64, 16.0), (3, 40), (1 / 32, 32.0), (1, 5), (1 / 8, 4.0)):
        beta, zeta2 = 1 / (6 * eta), 2.0
        base = {"eta": eta, "m": m, "beta": beta, "sigma2": sigma2, "zeta2": zeta2, "gap": gap, "theta": theta, "b": b}
        noise = beta * eta * sigma2 / (2 * b * m)
        starts = (("D0", 2 * (1 / (eta * 50) + noise) / beta**2), ("r0", (1 / (eta * 50) + 2 * noise / beta) / (1.5 * beta)))
        for name, room in ((None, 2 * noise / beta**2), *starts):
            truth = _least_gossip(theta * room, gap, eta, m, sigma2 / b, zeta2, beta)
            found.add("atc", "network_mean", truth, **base, **({name: 1.0, "T": 50} if name else {}))
    return [found.witness()]


def _least_gossip(target: float, gap: float, eta: float, m: int, variance: float, zeta2: float, beta: float) -> int:
    def fits(Q: int) -> bool:
        x = math.exp(Q * math.log1p(-gap))
        ratio, pull, noise = x * (1 + eta * beta), x * eta * math.sqrt(zeta2), x**2 * eta**2 * variance * (1 - 1 / m)
        spread = 0.0
        for _ in range(400):
            spread = math.sqrt((ratio * spread + pull) ** 2 + noise)
            if spread**2 > target:
                return False
        return True

    low, high = 0, 1
    while not fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _first_passage(slope: Callable[[Array], Array], start: float, end: float, left: float, temperature: float) -> float:
    """Mean time of dx = -J'(x) dt + sqrt(2 temperature) dW from ``start`` to ``end`` with a wall at ``left``, by quadrature."""
    x = np.linspace(left, end, 40_001)
    step = x[1] - x[0]
    force = slope(x)
    height = np.concatenate([[0.0], np.cumsum((force[1:] + force[:-1]) / 2)]) * step
    density = np.exp(-(height - height.min()) / temperature)
    inside = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * step
    rate = np.exp((height - height.min()) / temperature) * inside / temperature
    chosen = x >= start
    return float(np.trapezoid(rate[chosen], x[chosen]))


def exits() -> list[Witness]:
    """Exit times to leading order: of a cubic basin by quadrature, and for the ratio by the exact spread of weakly curved nodes."""
    alone = Collector("exit_time_centralized", "a cubic basin, by quadrature", "equals", _LEADING)
    # J = barrier (3 x^2 - 2 x^3): both curvatures are 6 barrier, in units of the basin's width.
    for barrier, eta, (m, b), width in product((1 / 8, 8.0), (1 / 64, 1 / 4), ((1, 1), (8, 1), (4, 3)), (1 / 4, 4.0)):
        temperature = barrier / 12
        r = 2 * m * b * temperature / eta
        time = _first_passage(lambda x, barrier=barrier: 6 * barrier * x * (1 - x), 0.0, 1.6, -1.0, temperature) * width**2  # type: ignore[misc]
        curvature = 6 * barrier / width**2
        alone.add("centralized", "network_mean", time / eta, eta=eta, b=b, m=m, r=[r], barrier=barrier, curvatures=[curvature, curvature])
    return [alone.witness(), _exit_ratios()]


def _exit_ratios() -> Witness:
    found = Collector("exit_time_ratio", "the exact spread of weakly curved nodes", "equals", 1e-4)
    matrix = topology("lazy_ring", 5)
    spectrum, vectors = modes(matrix.matrix)
    for form, (eta, b), Q, apart in product(("atc", "cta", "consensus"), ((1 / 64, 3), (16.0, 1)), (1, 2), (0.0, 1.0)):
        noise, curvatures = 1 / 8 if b > 1 else 8.0, [0.02 / eta, 0.005 / eta]
        rows = apart * np.array([0.0, 0.3, 0.2, 0.1, 0.4])[:, None]
        gradients = Pulled(np.zeros((1, 1)), vectors @ rows, np.array([[noise]]))
        method = Method(update_form=word(UpdateForm, form), mixing=matrix, Q=Q, b=b, schedule=Schedule(eta=eta))
        (state,) = evolve(method, gradients, [400])
        lowered = state.consensus_distance("gradient_point") * sum(curvatures) / 2
        truth = math.exp(-lowered / (eta * noise / (2 * 5 * b)))
        pulled = {"heterogeneity": rows.tolist(), "b": b, "r": [noise]} if apart else {}
        found.add(form, "network_mean", truth, eta=eta, curvatures=curvatures, spectrum=spectrum, Q=Q, **pulled)
    return found.witness()


def smoothings() -> list[Witness]:
    """A Huber loss smoothed by a Gaussian, by quadrature; and the step of a mean of nodes on a quartic, one node far from the others."""
    smooth = Collector("smoothing_lipschitz", "a Huber loss, by quadrature", "attained", 1e-5)
    for alpha, beta, width in product((1 / 8, 8.0), (1 / 8, 8.0), (1 / 4, 1.0, 4.0)):
        edge = alpha / beta
        sigma = width * edge
        e = np.linspace(-edge, edge, 20_001)
        truth = beta * float(np.trapezoid(np.exp(-(e**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi)), e))
        smooth.add("centralized", "network_mean", truth, alpha=alpha, beta=beta, xi_min=sigma**2)
    steps = Collector("sam_residual", "a quartic, one node far from the others", "dominates")
    for eta, fourth, size in product((1 / 64, 16.0), (1 / 8, 8.0), (1 / 8, 8.0)):
        apart = size * (np.eye(40)[0] - 1 / 40)
        mean = 0.3
        slope = float((fourth / 6 * (mean + apart) ** 3).mean())
        penalised = fourth / 6 * mean**3 + fourth * mean * float((apart**2).mean()) / 2
        rho3 = float((np.abs(apart) ** 3).mean())
        steps.add("atc", "network_mean", eta * abs(slope - penalised), eta=eta, M4=fourth, rho3=rho3)
    return [smooth.witness(), steps.witness()]
