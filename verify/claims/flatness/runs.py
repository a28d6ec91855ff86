"""Excess risks measured on the engine's quadratic problem, each replicate beside the exact value of its own training set.

The loss (h/2) |w - z|^2 has one Hessian h I and gradient noise that does not depend on the model, so the training risk of a replicate is
the local quadratic model exactly, its minimum known. A replicate's value is the mean over the second half of the run, long after the start is
forgotten; the runs of one seed share their training sets and draws, so that their differences are judged as pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.setting import Fact
from bounds.symbols import symbol
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import Quantity, UpdateForm, word
from empirical import Run, trajectory
from empirical.oracles import affine_gradients, method_of, steady_state
from empirical.problems import problem
from empirical.problems.quadratic import QuadraticLoss
from empirical.samples import draw_samples
from verify.case import RESAMPLES
from verify.claims.core import Budget
from verify.statistics import max_t_band, resamples_for
from verify.verdict import Curve

Values = NDArray[np.float64]
STEPS, READINGS = 2000, 50
NODES = 8
_LOOK = 24
_FORMS = {"atc": "ATC", "cta": "CTA", "consensus": "the consensus form", "centralized": "centralized SGD"}
WHERE = {
    "node_average": "node average",
    "gradient_point": "gradient point",
    "network_mean": "network mean",
    "combined": "one more combination",
}


def lazy_ring() -> MixingMatrix:
    """A ring of eight in which half of every model stays at home: every eigenvalue is at least 1/3."""
    return MixingMatrix((topology("ring", NODES).matrix + np.eye(NODES)) / 2, "lazy ring")


LAZY = lazy_ring()


def replicates(budget: Budget) -> int:
    """The budget's own, but few where only a look is wanted."""
    return _LOOK if budget.name == "quick" else budget.replicates


def run(form: str, seed: int, replicates: int, eta: float, b: int = 1, data: str = "split") -> Run:
    """A run on the lazy ring, or centralized SGD on the same draws."""
    central: dict[str, Any] = {"sampling": "stratified"} if form == "centralized" else {"topology": LAZY}
    gap = STEPS // (2 * READINGS)
    return Run(
        problem="quadratic", update_form=word(UpdateForm, form), m=NODES, n=16, T=STEPS, eta=eta, b=b, data="shared" if data == "shared" else "split",
        checkpoints=tuple(range(STEPS // 2 + gap, STEPS + 1, gap)), replicates=replicates, seed=seed, **central,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Excess:
    """By readout the measured and the exact excess training risk, each (replicates,), and at the network mean's whole path.

    ``path`` (replicates, readings, d) is the network mean itself.
    """

    run: Run
    measured: Mapping[str, Values]
    exact: Mapping[str, Values]
    path: Values


def read_excess(one: Run, requests: tuple[Any, ...], device: str) -> Excess:
    """Measure one run at every readout (the ``read`` of a case).

    Raises:
        DomainError: when the run's problem is no quadratic.
    """
    described = problem(one.problem)
    if not isinstance(described, QuadraticLoss):
        raise DomainError(f"got problem {one.problem!r}; excess risks are exact on 'quadratic' only")
    training = draw_samples(one, described).training
    models = trajectory(one, device=device)
    least = described.features[training].mean(axis=(1, 2))
    away = models - least[:, None, None, : models.shape[-1]]
    measured = {name: described.curvature / 2 * (at**2).sum(-1).mean(axis=(1, 2)) for name, at in _readouts(one, away).items()}
    return Excess(one, measured, _exact(one, described, training), away.mean(axis=2))


def _readouts(one: Run, models: Values) -> dict[str, Values]:
    """By readout the models (replicates, readings, models, d)."""
    found = {"node_average": models, "gradient_point": models, "network_mean": models.mean(axis=2, keepdims=True)}
    if one.update_form is not UpdateForm.CENTRALIZED:
        combined = np.einsum("kl,rtld->rtkd", one.mixing().power(one.Q), models)
        found["combined"] = combined
        if one.update_form is UpdateForm.CTA:
            found["gradient_point"] = combined
    return found


def _exact(one: Run, described: QuadraticLoss, training: NDArray[np.int64]) -> dict[str, Values]:
    """By readout the steady state of each replicate's training set, by the moment recursions."""
    rows: list[dict[str, float]] = []
    for indices in training:
        gradients = affine_gradients(described, indices)
        objective, state = gradients.objective(), steady_state(method_of(one), gradients)
        row = {name: state.excess_risk(objective, name) for name in ("node_average", "gradient_point", "network_mean")}
        if one.update_form is not UpdateForm.CENTRALIZED:
            row["combined"] = float(state.models.combine(one.mixing().power(one.Q)).excesses(objective).mean())
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def table_of(found: tuple[Excess, ...], where: str) -> Values:
    """(replicates, runs): one readout of several runs."""
    return np.stack([one.measured[where] for one in found], axis=1)


def exact_of(found: tuple[Excess, ...], where: str) -> Values:
    """(runs,): the exact values' mean over the replicates' training sets."""
    return np.array([one.exact[where].mean() for one in found])


def agreement(found: tuple[Excess, ...], where: str) -> str:
    """A sentence: measured over exact, at the extreme points."""
    ratios = table_of(found, where).mean(axis=0) / exact_of(found, where)
    return f" Measured over exact lies between {ratios.min():.4g} and {ratios.max():.4g} at the {len(found)} points."


def curve(
    found: tuple[Excess, ...], where: str, x: tuple[float, ...], name: str, level: float, rng: np.random.Generator,
    others: Mapping[str, tuple[tuple[Excess, ...], str]],
) -> Curve:  # fmt: skip
    """The measured excess risk of one form with its band, on its exact line; ``others`` are exact lines of other forms or readouts."""
    values = table_of(found, where)
    band = max_t_band(values, level, resamples_for(level, RESAMPLES), rng)
    form = _FORMS[found[0].run.update_form.value]
    lines = tuple((label, exact_of(*one)) for label, one in others.items())
    return Curve(
        symbol(name), Quantity.EXCESS_RISK, np.array(x, dtype=np.float64), band.mean, band.low, band.high, exact_of(found, where), None,
        level, len(values), values, f"excess risk, {WHERE[where]}", f"exact, {form}", lines,
    )  # fmt: skip


def conditions(found: tuple[Excess, ...]) -> dict[str, Fact]:
    """What the runs have in common."""
    one = found[0].run
    graph = "complete average" if one.update_form is UpdateForm.CENTRALIZED else one.mixing().name
    alike = {name: getattr(one, name) for name in ("eta", "b", "data") if len({getattr(each.run, name) for each in found}) == 1}
    return {
        "problem": one.problem,
        "topology": graph,
        "m": one.m,
        "n": one.n,
        "Q": one.Q,
        "steps read": f"{STEPS // 2} to {STEPS}",
        **alike,
    }
