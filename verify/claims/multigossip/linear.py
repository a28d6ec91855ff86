"""The l1 stability on the linear loss, exactly: the same number for every graph, every Q and every update form."""

from __future__ import annotations

import numpy as np

import bounds
from bounds.setting import Schedule
from bounds.symbols import symbol
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import Quantity, UpdateForm
from empirical.oracles import Method, SampledGradients, evolve_twins
from verify.finding_case import Finding
from verify.verdict import Curve, Numbers, Table, Verdict

_NODES, _SAMPLES, _STEPS, _RATE = 4, 2, 8, 0.1
_GOSSIP = (1, 2, 8)
_FORMS = (UpdateForm.ATC, UpdateForm.CTA, UpdateForm.CONSENSUS)
_TOLERANCE = 1e-12


def l1_stability(form: UpdateForm, mixing: MixingMatrix | np.ndarray, Q: int, seed: int = 0) -> float:
    """(1/(m n)) sum_ij (1/m) sum_k E norm(x_k - x_k^(ij)) for l = <z, w>, norm z = 1, where (i, j)'s sample z becomes -z.

    Every hit moves a twin along one fixed direction by a weight >= 0, so the norm of the expected difference is the expected norm.
    """
    directions = np.random.default_rng(seed).standard_normal((_NODES, _SAMPLES, 2))
    pulls = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    flat = np.zeros((_NODES, _SAMPLES, 2, 2))
    ours, theirs = SampledGradients(flat, -pulls), SampledGradients(flat, pulls)
    method = Method(update_form=form, schedule=Schedule(_RATE, None, 0.0), mixing=mixing, Q=Q)
    total = 0.0
    for node in range(_NODES):
        for place in range(_SAMPLES):
            (state,) = evolve_twins(method, ours, theirs, node, place, (_STEPS,))
            total += float(np.linalg.norm(state.difference.models.mean, axis=1).mean())
    return total / (_NODES * _SAMPLES)


def linear_stability() -> Finding:
    """VIOLATED where the l1 stability is the same number for all Q and all graphs, and equal to its bound (exact)."""
    expected = bounds.get("l1_stability_convex").evaluate(L=1, eta=_RATE, T=_STEPS, m=_NODES, n=_SAMPLES)
    graphs: dict[str, MixingMatrix | np.ndarray] = {
        "ring": topology("ring", _NODES),
        "complete": topology("complete", _NODES),
        "no gossip (W = I)": np.eye(_NODES),
    }
    names = [(form, name) for form in _FORMS for name in graphs]
    values = np.array([[l1_stability(form, graphs[name], Q) for Q in _GOSSIP] for form, name in names])
    rows = tuple((form.value, name, *line) for (form, name), line in zip(names, values.tolist(), strict=True))
    largest = float(np.abs(values / expected - 1).max())
    verdict = Verdict.VIOLATED if largest <= _TOLERANCE else Verdict.HOLDS if (np.diff(values, axis=1) < 0).all() else Verdict.UNDECIDED
    reason = (
        f"On the linear loss with antithetic twins (m = {_NODES}, n = {_SAMPLES}, T = {_STEPS}) the exact l1 stability is "
        f"2 L eta T/(m n) = {expected:.6g} for Q = 1 to {_GOSSIP[-1]}, on the ring, the complete graph and without any gossip, for all three "
        f"update forms (largest relative deviation {largest:.1g}): gossip changes nothing."
    )
    heads = ("update form", "graph", *(f"Q = {Q}" for Q in _GOSSIP))
    return Finding(
        verdict,
        reason,
        Numbers(measured=float(values.max()), bound=expected, tightness=float(expected / values.max())),
        tables=(Table("Exact l1 stability on the linear loss", heads, rows),),
        curves=(_curve(values[0], expected),),
    )


def _curve(values: np.ndarray, expected: float) -> Curve:
    return Curve.exact(
        symbol("Q"),
        Quantity.L1_STABILITY,
        np.array(_GOSSIP, dtype=float),
        values,
        np.full(len(values), expected),
        "l1_stability_convex",
    )
