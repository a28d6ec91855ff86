"""Problems on which a stability bound is attained: there runs, or exact moments, must show the exponents that the bound has."""

from __future__ import annotations

import math

import numpy as np

import bounds
from bounds.setting import Schedule
from bounds.topology import topology
from bounds.vocabulary import UpdateForm
from empirical.oracles import Method, SampledGradients, evolve_twins
from verify.finding_case import Finding
from verify.verdict import Numbers, Table, Verdict

_BETA = 1.0
_C = 1.0
_EXACT = 1e-9
_MARGIN = 0.01
_LONG = (250, 500, 1000)


def expansive_twins(m: int, n: int, steps: tuple[int, ...]) -> list[float]:
    """Exact l1 stability on l = -(beta/2) w^2 + z w with z = 1 or -1 in turn and z' = -z: E|x_k - x'_k|, averaged over the nodes k.

    The difference of the twins never changes its sign, so E|x - x'| = |E(x - x')|, which the moment recursion has. beta = 1,
    steps 1/t, ATC on the complete graph; every graph gives the same average over nodes and replaced samples.
    """
    signs = np.where((np.arange(m)[:, None] + np.arange(n)) % 2, -1.0, 1.0)[:, :, None]
    curved = np.full((m, n, 1, 1), -_BETA)
    ours, replaced = SampledGradients(curved, -signs), SampledGradients(curved, signs)
    mixing = topology("complete", m)
    method = Method(update_form=UpdateForm.ATC, mixing=mixing, schedule=Schedule(c=_C))
    states = evolve_twins(method, ours, replaced, 0, 0, steps)
    return [float(np.abs(state.difference.models.mean[:, 0]).mean()) for state in states]


def attained() -> Finding:
    """The exact stability equals the bound, and its exponents in T, n and m are the proved ones."""
    bound = bounds.get("l1_stability_nonconvex")
    rows, worst = [], 0.0
    at = {(m, n): expansive_twins(m, n, (50,))[0] for m, n in ((2, 4), (4, 4), (8, 4), (4, 2), (4, 8))}
    long = dict(zip(_LONG, expansive_twins(2, 2, _LONG), strict=True))
    for m, n, T, found in [(m, n, 50, value) for (m, n), value in at.items()] + [(2, 2, T, value) for T, value in long.items()]:
        expected = float(bound.evaluate(L=1.0, c=_C, t0=0, beta=_BETA, m=m, n=n, T=T))
        worst = max(worst, abs(found / expected - 1))
        rows.append((m, n, T, found, expected))
    slopes = {
        "m": math.log(at[8, 4] / at[2, 4]) / math.log(4),
        "n": math.log(at[4, 8] / at[4, 2]) / math.log(4),
        "T": math.log(long[_LONG[-1]] / long[_LONG[0]]) / math.log(_LONG[-1] / _LONG[0]),
    }
    proved = {"m": -1.0, "n": -1.0, "T": _BETA * _C}
    table = Table("Exact stability and the bound", ("m", "n", "T", "exact", "l1_stability_nonconvex"), tuple(rows))
    return Finding(*decide(slopes, proved, worst), numbers=Numbers(measured=slopes["T"], bound=proved["T"]), tables=(table,))


def decide(slopes: dict[str, float], proved: dict[str, float], worst: float) -> tuple[Verdict, str]:
    """HOLDS where values agree to 1e-9 and exponents to 0.01; anything else refutes that the bound is attained."""
    apart = max(abs(slopes[name] - proved[name]) for name in proved)
    told = ", ".join(f"{slopes[name]:.4f} in {name} (proved {proved[name]:g})" for name in proved)
    reason = (
        f"On -(beta/2) w^2 + z w, where every step of the l1 recursion is attained, the exact stability differs from the bound by {worst:.1g} "
        f"relatively, and its exponents are {told}: without a burn-in the order is T^(beta c)/(m n)."
    )
    return (Verdict.HOLDS if worst <= _EXACT and apart <= _MARGIN else Verdict.VIOLATED), reason
