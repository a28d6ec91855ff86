"""``li2025-excess-risk``: upper bounds on optimization error and excess risk of D-SGD with multiple gossip steps, held against runs.

The paper's theorem bodies were not read; what is held against the runs are the bounds of the catalogue, derived for the same algorithm
from the same assumptions. Their constants are proved, and nothing is projected, because a node-wise projection moves the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import bounds
from bounds.setting import Fact
from bounds.symbols import symbol
from bounds.vocabulary import Quantity, Readout, UpdateForm, word
from empirical import Run
from empirical.minimisers import minima
from empirical.oracles import affine_gradients, evolve, method_of
from empirical.problems import problem
from empirical.samples import draw_samples
from verify.case import Case
from verify.claims.core import Budget
from verify.claims.images import absent, image_problems
from verify.claims.multigossip.common import PAPER, Build
from verify.claims.multigossip.descent import Held, best_step, exact_numbers, hold, read_descent
from verify.claims.multigossip.estimated import hold_estimated, outside, read_estimated
from verify.claims.multigossip.training import word as word_of
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.verdict import Curve, Evidence, Table, Verdict

CLAIM = "li2025-excess-risk"
_RISK = (
    "The expected excess risk of D-SGD with multiple gossip steps is at most a generalization term (by stability) plus an "
    "optimization term, in which only the consensus distance depends on the graph and on the number of gossip steps."
)
_TRAINING = (
    "The training loss of D-SGD with multiple gossip steps comes as close to its minimum as the optimization part of the excess-risk bound "
    "says: initial condition, gradient noise divided by the number of nodes, and consensus distance."
)
_STATIONARY = (
    "For smooth non-convex losses the mean squared gradient norm of D-SGD with multiple gossip steps obeys its optimization bound."
)
_MEAN, _NODES = Readout.NETWORK_MEAN.value, Readout.NODE_AVERAGE.value
_FORMS = (UpdateForm.ATC, UpdateForm.CTA, UpdateForm.CONSENSUS)
_STEPS = (10, 20, 40, 80, 160)
#: Bound and measurement lie far enough apart that few replicates decide.
_QUICK_REPLICATES = 16
_KINKS = " Its units are rectified linear: at their kinks the loss has no beta, and curvature does not see them."
_RISKS = (f"averaged risk {_MEAN}", f"averaged training {_MEAN}", f"training {_MEAN}", f"training {_NODES}")


def _base(budget: Budget, seed: int, name: str, **change: Any) -> Run:
    replicates = _QUICK_REPLICATES if budget.name == "quick" else budget.replicates
    common: dict[str, Any] = {"m": 8, "n": 64, "T": 160, "eta": 0.2, "Q": 4, "replicates": replicates, "seed": seed}
    return Run(problem=name, update_form=UpdateForm.ATC, **(common | change))


def _case(case: str, statement: str, runs: tuple[Run, ...], held: Held, device: str, find: Callable[..., Finding] = hold) -> RunsCase:
    heading = Heading(CLAIM, case, PAPER, statement, runs[0].update_form.value, held.readout)
    wanted = _RISKS if held.reading in _RISKS and runs[0].eta is not None else (held.reading,)
    return RunsCase(heading, runs, wanted, find, (held,), device, read=read_descent)


def _along_steps(steps: tuple[int, ...] = _STEPS) -> dict[str, Any]:
    return {"parameter": "T", "places": tuple((0, T) for T in steps), "x": tuple(map(float, steps))}


def _along(name: str, values: tuple[float, ...], T: int) -> dict[str, Any]:
    return {"parameter": name, "places": tuple((k, T) for k in range(len(values))), "x": values}


def _excess_risk(budget: Budget, seed: int, device: str) -> list[Case]:
    """Excess risk of the averaged iterate against mgs_excess_convex: along T, eta, Q and n."""
    common: dict[str, Any] = {"bound_id": "mgs_excess_convex", "reading": _RISKS[0], "readout": _MEAN, "quantity": Quantity.EXCESS_RISK}
    common |= {"label": "excess risk of the averaged iterate", "in_ball": True}
    cases: list[Case] = []
    for name, short, change in (("softmax-l2-digits", "digits", {}), ("quadratic", "quadratic", {"n": 256, "eta": 0.1})):
        base = _base(budget, seed, name, checkpoints=_STEPS, **change)
        cases.append(_case(f"convex-{short}-T", _RISK, (base,), Held(**common, **_along_steps()), device, best_step))
    digits = _base(budget, seed, "softmax-l2-digits", T=80)
    for parameter, values in {"eta": (0.0125, 0.025, 0.05, 0.1, 0.2, 0.4), "Q": (1, 2, 4, 8, 16), "n": (16, 32, 64, 128)}.items():
        runs = tuple(replace(digits, **{parameter: value}) for value in values)  # type: ignore[arg-type]
        find = best_step if parameter == "eta" else hold
        held = Held(**common, **_along(parameter, tuple(map(float, values)), 80))
        cases.append(_case(f"convex-digits-{parameter}", _RISK, runs, held, device, find))
    return cases


def _excess_pl(budget: Budget, seed: int, device: str) -> list[Case]:
    """Excess risk under PL, steps c/(t+tau) with mu c > 1."""
    common: dict[str, Any] = {"bound_id": "mgs_excess_pl", "reading": f"risk {_MEAN}", "readout": _MEAN, "quantity": Quantity.EXCESS_RISK}
    common |= {"label": "excess risk of the last iterate", "in_ball": True}
    cases: list[Case] = []
    for name, short, change in (
        ("softmax-l2-digits", "digits", {"c": 15.0, "tau": 10.0}),
        ("quadratic", "quadratic", {"c": 1.5, "tau": 4.0}),
    ):
        run = _base(budget, seed, name, eta=None, Q=8, checkpoints=_STEPS, **change)
        cases.append(_case(f"pl-{short}-T", _RISK, (run,), Held(**common, **_along_steps()), device))
    return cases


def _training(budget: Budget, seed: int, device: str) -> list[Case]:
    """Training loss above its minimum against mgs_convex (averaged iterate, along Q) and mgs_pl (last iterate, along T)."""
    cases: list[Case] = []
    common: dict[str, Any] = {"readout": _MEAN, "quantity": Quantity.OTHER}
    averaged = common | {"bound_id": "mgs_convex", "reading": _RISKS[1], "label": "training loss of the averaged iterate above its minimum"}
    last = common | {"bound_id": "mgs_pl", "reading": _RISKS[2], "label": "training loss above its minimum"}
    gossip = (1, 2, 4, 8, 16)
    for form in _FORMS:
        base = replace(_base(budget, seed, "softmax-l2-digits", T=80), update_form=form)
        runs = tuple(replace(base, Q=Q) for Q in gossip)
        held = Held(**averaged, **_along("Q", tuple(map(float, gossip)), 80))
        cases.append(_case(f"training-convex-{form.value}-Q", _TRAINING, runs, held, device))
        run = replace(base, T=160, checkpoints=_STEPS)
        cases.append(_case(f"training-pl-{form.value}-T", _TRAINING, (run,), Held(**last, **_along_steps()), device))
    nodes = Held(**(last | {"reading": _RISKS[3], "readout": _NODES}), **_along_steps())
    run = _base(budget, seed, "softmax-l2-digits", checkpoints=_STEPS)
    return [*cases, _case("training-pl-atc-nodes-T", _TRAINING, (run,), nodes, device)]


def _stationarity(budget: Budget, seed: int, device: str) -> list[Case]:
    """Mean squared gradient norm at the network mean: bounded non-convex losses, a network, and softmax regression."""
    cases: list[Case] = []
    steps = (20, 50, 100)
    common: dict[str, Any] = {"bound_id": "mgs_stationarity", "reading": "gradient", "readout": _MEAN, "quantity": Quantity.GRADIENT_NORM}
    for name, short, eta in (("softmax-digits", "softmax", 0.5), ("sigmoid-digits", "sigmoid", 2.0), ("network-digits", "network", 2.0)):
        for form in _FORMS if short == "sigmoid" else _FORMS[:1]:
            run = replace(_base(budget, seed, name, n=16, T=100, eta=eta, checkpoints=steps), update_form=form)
            held = Held(**common, **_along_steps(steps), label="mean squared gradient norm of the training loss")
            cases.append(_case(f"stationarity-{short}-{form.value}-T", _STATIONARY, (run,), held, device))
    return cases


def _images(budget: Budget, seed: int, device: str) -> list[Case]:
    """Networks on images: gradients with estimated constants, and why the other bounds do not apply to them."""
    cases: list[Case] = []
    for name in image_problems(budget):
        eta, steps, replicates, note = (0.1, (20, 50, 100), 16, "") if name.startswith("mlp") else (0.005, (5, 10, 20), 12, _KINKS)
        run = _base(budget, seed, name, n=16, T=steps[-1], eta=eta, checkpoints=steps, replicates=replicates)
        held = Held(
            "mgs_stationarity", "gradient", _MEAN, **_along_steps(steps), quantity=Quantity.GRADIENT_NORM,
            label="mean squared gradient norm of the training loss",
        )  # fmt: skip
        about = Heading(CLAIM, f"stationarity-{word_of(name)}-atc-T", PAPER, _STATIONARY, "atc", _MEAN)
        cases.append(RunsCase(about, (run,), ("gradient",), hold_estimated, (held, note), device, read=read_estimated))
        for part, statement, bound_ids in (
            ("training", _TRAINING, ("mgs_convex", "mgs_pl")),
            ("risk", _RISK, ("mgs_excess_convex", "mgs_excess_pl")),
        ):
            about = Heading(CLAIM, f"{part}-{word_of(name)}", PAPER, statement, "atc", _MEAN)
            cases.append(ExactCase(about, outside, (name, bound_ids), Evidence.EXACT))
    return cases + absent(CLAIM, PAPER, _RISK, budget)


def exact_training(form: str, seed: int, Q: int, steps: tuple[int, ...], sets: int) -> Finding:
    """The exact expected training loss above its minimum on quadratics (moment recursion) against mgs_pl, training set by training set."""
    run = Run(problem="quadratic", update_form=word(UpdateForm, form), m=6, n=8, T=max(steps), eta=0.3, Q=Q, replicates=sets, seed=seed)
    described = problem(run.problem)
    training, bound = draw_samples(run, described).training, bounds.get("mgs_pl")
    found, ceilings = np.empty((sets, len(steps))), np.empty((sets, len(steps)))
    network = run.mixing().network(Q)
    for r, indices in enumerate(training):
        gradients, loss = affine_gradients(described, indices), described.loss_class(None, indices[None])
        known = loss.constants()
        constants: dict[str, Any] = {name: known[name].value for name in ("beta", "mu", "sigma2", "zeta2")}
        constants |= {"m": 6, "gap": network.gap, "Q": Q, "eta": 0.3, "D0": float(minima(described, indices.reshape(1, -1)).above[0])}
        objective = gradients.objective()
        for k, state in enumerate(evolve(method_of(run), gradients, steps)):
            found[r, k] = state.excess_risk(objective, _NODES)
            ceilings[r, k] = bound.evaluate(update_form=form, readout=_NODES, T=steps[k], **constants)
    ratios = ceilings / found
    r, k = divmod(int(ratios.argmin()), len(steps))
    verdict = Verdict.HOLDS if ratios.min() >= 1 else Verdict.VIOLATED
    reason = (
        f"On {sets} training sets of a quadratic the exact expectation is at most the bound at every T; bound over exact value lies between "
        f"{ratios.min():.4g} and {ratios.max():.4g}, closest at T = {steps[k]}."
        if verdict is Verdict.HOLDS
        else f"At T = {steps[k]} the exact expectation {found[r, k]:.6g} exceeds the bound {ceilings[r, k]:.6g}."
    )
    x, label = np.asarray(steps, dtype=np.float64), "training loss of the nodes above its minimum"
    curve = Curve.exact(symbol("T"), Quantity.OTHER, x, found[r], ceilings[r], "mgs_pl", label=label)
    conditions: dict[str, Fact] = {"loss": "quadratic", "topology": "ring", "m": 6, "n": 8, "eta": 0.3, "Q": Q, "projection": "none"}
    numbers = exact_numbers(float(found[r, k]), float(ceilings[r, k]))
    return Finding(verdict, reason, numbers, None, conditions, curves=(curve,))


def projected_witness(T: int, eta: float) -> Finding:
    """Two nodes, losses (0.2 +- 1) x on [-1, 1], exact gradients, W^Q = J: projecting each node moves the mean."""
    x, total = 0.0, 0.0
    for _ in range(T):
        total += x
        x = float(np.mean([np.clip(x - eta * slope, -1, 1) for slope in (1.2, -0.8)]))
    excess, bound = 0.2 * (total / T + 1), 1 / (eta * T)
    reason = (
        f"The bounds follow the mean over nodes, which a node-wise projection moves: two nodes with losses (0.2 +- 1) x on [-1, 1], exact "
        f"gradients and W^Q = J end {excess:.4f} above the minimum after {T} steps of {eta:g}, and the convex bound's formula, r0^2/(eta T), "
        f"says {bound:.4f}. With an active projection these bounds do not apply; they need unprojected iterates."
    )
    rows = (("averaged iterate, exact", float(excess)), ("r0^2/(eta T) + 0 + 0", float(bound)))
    table = Table("What projecting every node does to the mean", ("training loss above its minimum", "value"), rows)
    return Finding(Verdict.NOT_APPLICABLE, reason, exact_numbers(excess, bound), conditions={"m": 2, "T": T, "eta": eta}, tables=(table,))


def separable(seed: int, m: int, n: int, rounds: int) -> Finding:
    """A classifier without a training error: then plain softmax regression has no minimiser, and r0 is infinite."""
    run = Run(problem="softmax-digits", update_form=UpdateForm.ATC, m=m, n=n, T=1, eta=1.0, replicates=1, seed=seed)
    described = problem(run.problem)
    indices = draw_samples(run, described).training.reshape(-1)
    x, y = described.features[indices], np.asarray(described.labels)[indices]
    weights, margin = np.zeros((10, x.shape[1])), -np.inf
    for _ in range(rounds):
        scores = x @ weights.T
        own = scores[np.arange(len(y)), y].copy()
        scores[np.arange(len(y)), y] = -np.inf
        margins = own - scores.max(axis=1)
        k, margin = int(margins.argmin()), float(margins.min())
        if margin > 0:
            break
        weights[y[k]] += x[k]
        weights[scores[k].argmax()] -= x[k]
    conditions: dict[str, Fact] = {"problem": run.problem, "m": m, "n": n}
    if margin <= 0:
        return Finding(Verdict.UNDECIDED, f"No separating classifier was found in {rounds} rounds.", conditions=conditions)
    reason = (
        f"The {m * n} training samples are linearly separable (a classifier with least margin {margin:.2g} was found), so the training loss "
        "of softmax regression without penalty falls to 0 at infinity and has no minimiser: r0 is infinite and mu = 0, and the convex and "
        "PL bounds say nothing. The penalised loss of the other cases has both."
    )
    return Finding(Verdict.NOT_APPLICABLE, reason, conditions=conditions)


def _exact(budget: Budget, seed: int) -> list[Case]:
    sets, steps = (1 if budget.name == "quick" else 4), (1, 3, 10, 30, 100)
    cases: list[Case] = []
    for form in _FORMS:
        heading = Heading(CLAIM, f"exact-quadratic-{form.value}", PAPER, _TRAINING, form.value, _NODES)
        cases.append(ExactCase(heading, exact_training, (form.value, seed, 4, steps, sets), Evidence.EXACT, cost=1e5))
    headings = [Heading(CLAIM, case, PAPER, _TRAINING, "atc", _MEAN) for case in ("projected", "softmax-without-penalty")]
    witness = ExactCase(headings[0], projected_witness, (10_000, 0.1), Evidence.EXACT)
    return [*cases, witness, ExactCase(headings[1], separable, (seed, 8, 16, 20_000), Evidence.EXACT)]


def excess_risk(budget: Budget, seed: int, device: str) -> list[Case]:
    """Excess risk, training loss and gradients against their bounds; exact values on quadratics; where the bounds do not apply."""
    parts = (_excess_risk, _excess_pl, _training, _stationarity, _images)
    return [*(case for part in parts for case in part(budget, seed, device)), *_exact(budget, seed)]


CLAIMS: dict[str, Build] = {CLAIM: excess_risk}
