"""Bounds held against runs of networks whose constants nobody has proved: estimated from what the runs met, and said to be.

An estimate is the largest value met, hence at most the true constant. A bound that increases in it can then only be too small: that
it holds anyway is evidence, that it is exceeded is none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import bounds
from bounds.setting import Constant
from bounds.vocabulary import Direction
from empirical import Run, trajectory
from empirical.constants import constants_met
from empirical.optimisation import Optimisation, optimise
from empirical.problems import problem
from empirical.samples import draw_samples
from verify.claims.multigossip.descent import Held, hold
from verify.finding_case import Finding
from verify.verdict import Verdict

#: Training sets on which constants are estimated.
_SETS = 2
#: Constants for which no largest value met stands in, and why.
_NOT_MET = {
    "mu": "no mu is known, for which a largest value met says nothing",
    "M": "without projection the loss has no M",
    "r0": "no minimiser is known, hence no r0",
}


def read_estimated(run: Run, wanted: tuple[str, ...], device: str) -> Optimisation:
    """What :func:`empirical.optimisation.optimise` reads, its settings with constants estimated at the start and at the checkpoints."""
    found = optimise(run, wanted, device)
    known: dict[str, Any] = dict(estimates(run, device))
    settings = tuple(replace(one, loss=replace(one.loss, **known)) for one in found.settings)
    return replace(found, settings=settings)


def estimates(run: Run, device: str) -> dict[str, Constant]:
    """The largest of L, beta, sigma2 and zeta2 that the first training sets met."""
    few, described = replace(run, replicates=min(run.replicates, _SETS), twins=0), problem(run.problem)
    models = trajectory(few, device).reshape(few.replicates, len(run.read_at), run.m, -1)
    start = np.zeros(described.width) if described.start is None else described.start
    training = draw_samples(few, described).training
    found: dict[str, Constant] = {}
    for r in range(few.replicates):
        places = np.concatenate([np.broadcast_to(start, (1, *models.shape[2:])), models[r]])
        for name, one in constants_met(described, places, training[r]).items():
            found[name] = one if name not in found or one.value > found[name].value else found[name]
    return {name: replace(one, source=f"{one.source} (the largest over {few.replicates} sets)") for name, one in found.items()}


def hold_estimated(measured: tuple[Optimisation, ...], level: float, rng: np.random.Generator, held: Held, note: str = "") -> Finding:
    """:func:`verify.claims.multigossip.descent.hold` with estimated constants, which refute nothing; ``note`` follows them."""
    finding, setting = hold(measured, level, rng, held), measured[0].settings[-1]
    bound = bounds.get(held.bound_id)
    constants = {name: one for name, one in setting.loss.constants().items() if name in bound.formula.parameters}
    assert all(bound.directions[name] is Direction.INCREASING for name in constants if name in setting.estimated())
    values = ", ".join(f"{name} >= {one.value:.3g}" for name, one in constants.items())
    if finding.verdict is Verdict.NOT_APPLICABLE:
        return replace(finding, reason=f"{finding.reason} Estimated: {values}.{note}", constants=constants)
    words = f" Estimated, not proved: {values}; the bound increases in each, and its conditions are met by these values.{note}"
    if finding.verdict is Verdict.VIOLATED:
        words += " The true constants may be larger, and so may the bound: this refutes nothing."
    return replace(finding, verdict=_weaker(finding.verdict), reason=finding.reason + words, constants=constants)


def _weaker(verdict: Verdict) -> Verdict:
    return Verdict.UNDECIDED if verdict is Verdict.VIOLATED else verdict


def outside(name: str, bound_ids: tuple[str, ...]) -> Finding:
    """Why bounds that need a minimum, or losses in [0, M], do not speak about a network without projection."""
    loss = problem(name).loss_class()
    told = []
    for bound in map(bounds.get, bound_ids):
        false = [one.text for one in bound.assess({"convex": int(loss.convex)}) if one.holds is False]
        missing = [why for constant, why in _NOT_MET.items() if constant in bound.formula.required and constant not in loss.constants()]
        told.append(f"{bound.id} does not speak about this network: {'; '.join([*false, *missing])}")
    return Finding(Verdict.NOT_APPLICABLE, ". ".join(told) + ".", conditions={"problem": name, "loss": loss.name})
