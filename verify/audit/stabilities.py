"""Exact stabilities and generalization errors of affine gradients, where the distance of the twins grows as fast as it may."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Schedule
from bounds.topology import topology
from bounds.vocabulary import UpdateForm, word
from empirical.oracles import Method, SampledGradients, evolve, evolve_twins, l2_stability
from verify.audit.spreads import modes, one_eigenvalue
from verify.audit.witness import Collector, Witness

Array = NDArray[np.float64]
_FORMS = ("atc", "cta", "consensus")
_STEPS = (3, 17)
#: L, eta, m, n, b: everything below and above 1.
_SIZES = ((1 / 8, 1 / 64, 2, 5, 1), (8.0, 16.0, 5, 2, 2))


def signed(m: int, n: int, curvature: float, slope: float) -> tuple[SampledGradients, SampledGradients]:
    """Losses curvature w^2/2 + z w with z = slope or -slope in turn, and the same with z' = -z.

    ``slope`` is half of what replacing a sample changes its gradient by, which is all that stability theory uses L for.
    """
    signs = slope * np.where((np.arange(m)[:, None] + np.arange(n)) % 2, -1.0, 1.0)[:, :, None]
    curved = np.full((m, n, 1, 1), curvature)
    return SampledGradients(curved, -signs), SampledGradients(curved, signs)


def _twins(
    form: str, matrix: Array | None, sizes: tuple[int, int, int], schedule: Schedule, curvature: float, slope: float
) -> Iterator[Array]:
    """Exact mean twin distances of all models after each of the steps: the difference of the twins never changes its sign."""
    m, n, b = sizes
    ours, theirs = signed(m, n, curvature, slope)
    method = Method(update_form=word(UpdateForm, form), mixing=matrix, schedule=schedule, b=b)
    for state in evolve_twins(method, ours, theirs, 0, 0, _STEPS):
        yield np.abs(state.difference.models.mean[:, 0])


def l1_stabilities() -> list[Witness]:
    """The l1 bounds are attained: by linear losses, by mu w^2/2 plus one, and by -beta w^2/2 plus one."""
    names = ("l1_stability_convex", "l1_stability_strongly_convex", "l1_stability_nonconvex")
    convex, strong, bent = (Collector(name, "affine gradients, z' = -z", "attained") for name in names)
    for form, (L, eta, m, n, b) in product(_FORMS, _SIZES):
        matrix = topology("lazy_ring" if form == "consensus" else "ring", m).matrix
        for T, apart in zip(_STEPS, _twins(form, matrix, (m, n, b), Schedule(eta=eta), 0.0, L), strict=True):
            convex.add(form, "node_average", apart.mean(), L=L, eta=eta, T=T, m=m, n=n, b=b)
        mu = 0.3 / eta
        for T, apart in zip(_STEPS, _twins(form, matrix, (m, n, b), Schedule(eta=eta), mu, L), strict=True):
            strong.add(form, "node_average", apart.mean(), L=L, eta=eta, T=T, m=m, n=n, mu=mu, b=b)
        for c, tau, beta in ((eta, 0, 0.5 / eta), (eta, 2, 3 / eta)):
            for T, apart in zip(_STEPS, _twins(form, matrix, (m, n, b), Schedule(c=c, tau=tau), -beta, L), strict=True):
                bent.add(form, "node_average", apart.mean(), L=L, c=c, t0=0, beta=beta, T=T, m=m, n=n, b=b, tau=tau)
    return [convex.witness(), strong.witness(), bent.witness()]


def late_stabilities() -> list[Witness]:
    """l1_stability_nonconvex with t0 > 0: the replaced sample is not drawn before, and then the twins part as from the start."""
    found = Collector("l1_stability_nonconvex", "-beta w^2/2 plus a linear loss, sample not drawn at first", "dominates")
    for form, (L, c, m, n, _), t0 in product(_FORMS, ((1 / 8, 1 / 64, 2, 64, 1), (8.0, 16.0, 5, 64, 1)), (1, 4)):
        matrix = topology("complete", m).matrix
        for T, apart in zip(_STEPS, _twins(form, matrix, (m, n, 1), Schedule(c=c, tau=t0), -1 / c, L), strict=True):
            found.add(form, "node_average", (1 - 1 / n) ** t0 * apart.mean(), L=L, c=c, t0=t0, beta=1 / c, T=T + t0, m=m, n=n)
    return [found.witness()]


def worst_nodes() -> list[Witness]:
    """L times the largest expected twin distance of any node: the uniform stability that the worst-node bounds are derived for."""
    found = []
    for form, suffix in (("atc", ""), ("consensus", "_consensus")):
        here = Collector(f"dsgd_worst_node_convex{suffix}", "uniform stability, linear losses, one eigenvalue", "attained")
        for (L, eta, m, n, _), (gap, Q) in product(_SIZES, ((1 / 8, 1), (1 / 2, 3), (63 / 64, 1))):
            matrix = np.linalg.matrix_power(one_eigenvalue(m, gap), Q)
            for T, apart in zip(_STEPS, _twins(form, matrix, (m, n, 1), Schedule(eta=eta), 0.0, L), strict=True):
                here.add(form, "worst_node", L * apart.max(), L=L, eta=eta, T=T, m=m, n=n, gap=gap, Q=Q)
        found.append(here.witness())
    return found


def l2_stabilities() -> list[Witness]:
    """Both l2 bounds are attained by linear losses with z' = -z; that of the gap where the deviations have one eigenvalue."""
    whole, gapped = (Collector(name, "linear losses, z' = -z", "attained") for name in ("l2_stability_atc", "l2_stability_atc_gap"))
    for (L, eta, m, n, b), Q in product(_SIZES, (1, 2)):
        ours, theirs = signed(m, n, 0.0, L)
        for gap, matrix in ((None, topology("ring", m).matrix), (1 / 4, one_eigenvalue(m, 1 / 4)), (3 / 4, one_eigenvalue(m, 3 / 4))):
            method = Method(update_form=UpdateForm.ATC, mixing=matrix, Q=Q, b=b, schedule=Schedule(eta=eta))
            for T, truth in zip(_STEPS, l2_stability(method, ours, theirs, _STEPS, "node_average"), strict=True):
                whole.add("atc", "node_average", truth, L=L, eta=eta, T=T, n=n, Q=Q, b=b, spectrum=modes(matrix)[0])
                if gap is not None:
                    gapped.add("atc", "node_average", truth, L=L, eta=eta, T=T, m=m, n=n, Q=Q, gap=gap, b=b)
    return [whole.witness(), gapped.witness()]


def generalization_error(
    form: str, matrix: Array | None, sizes: tuple[int, int], schedule: Schedule, curvature: float, slope: float, T: int
) -> float:
    """E[R - R_S] at the node average for losses curvature w^2/2 + z w, z = slope or -slope: a mean over every training set."""
    m, n = sizes
    total = 0.0
    for signs in product((-slope, slope), repeat=m * n):
        z = np.array(signs).reshape(m, n, 1)
        gradients = SampledGradients(np.full((m, n, 1, 1), curvature), -z)
        method = Method(update_form=word(UpdateForm, form), mixing=matrix, schedule=schedule)
        (state,) = evolve(method, gradients, [T])
        # The curved parts of R and R_S are the same, and the population's mean of z is 0.
        total += -float(z.mean() * state.models.mean.mean())
    return float(total / 2 ** (m * n))


def generalization_errors() -> list[Witness]:
    """Generalization errors of convex losses; half of what the bounds allow, since an independent copy is the same every other time."""
    ids = ("hardt2016_convex", "hardt2016_strongly_convex", "dsgd_convex", "dsgd_strongly_convex")
    alone, alone_strong, convex, strong = (Collector(name, "affine gradients, every training set", "dominates") for name in ids)
    for (L, eta), T in product(((1 / 8, 1 / 64), (8.0, 16.0)), (2, 40)):
        mu, schedule = 1 / (100 * eta), Schedule(eta=eta)
        alone.add(
            "centralized", "node_average", generalization_error("centralized", None, (1, 4), schedule, 0.0, L, T), L=L, eta=eta, T=T, N=4
        )
        truth = generalization_error("centralized", None, (1, 4), schedule, mu, L, T)
        alone_strong.add("centralized", "node_average", truth, L=L, eta=eta, T=T, N=4, mu=mu)
        for form in _FORMS:
            matrix, point = topology("complete", 2).matrix, {"L": L, "eta": eta, "T": T, "m": 2, "n": 2}
            convex.add(form, "node_average", generalization_error(form, matrix, (2, 2), schedule, 0.0, L, T), **point)
            strong.add(form, "node_average", generalization_error(form, matrix, (2, 2), schedule, mu, L, T), mu=mu, **point)
    return [alone.witness(), alone_strong.witness(), convex.witness(), strong.witness()]
