"""The abstract's exponents of T, n and m: of bounds, of problems on which a bound is attained, and of training runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical import Run
from verify.case import Case
from verify.claims.core import Budget
from verify.claims.images import absent, image_problems
from verify.claims.multigossip.attained import attained
from verify.claims.multigossip.common import GENERALIZATION, PAPER, PROBLEMS, STABILITY, Build
from verify.claims.multigossip.measured_orders import Ask, in_sweep
from verify.claims.multigossip.orders_without_beta import whatever_beta
from verify.claims.multigossip.proved_orders import of_order
from verify.claims.multigossip.training import half_mixed, training_run, word
from verify.finding_case import ExactCase, Heading, RunsCase
from verify.verdict import Evidence

CLAIM = "li2025-exponents"
STATEMENT = (
    "The generalization error is O(T^(c beta/(c beta+1))/(n m)) for centralized SGD and O(T^(2 c beta/(2 c beta+2))/(n m^(1/(2 c beta+2)))) "
    "for decentralized SGD with multiple gossip steps."
)
_PATH = "The exponent 1/(2 c beta+2) of m rests on a mean-square stability of order 1/m."
_ATTAINED = "Where a bound is attained, its proved exponents of T, n and m are those that runs show."

SQUARES = (Quantity.L2_STABILITY, Readout.NODE_AVERAGE)
_NODES, _SAMPLES, _LENGTHS = (2, 4, 8, 16), (4, 8, 16, 32), (25, 50, 100, 200, 400)
#: Replicates by budget: along m and n, where small differences must show, and along T, whose places share their draws.
_REPLICATES = {"quick": (56, 36), "default": (2048, 768), "full": (8192, 3072)}
#: Steps large enough that 1 <= t0* <= T at every place of a sweep, where the stated rates are those of the theorems; losses in [0, M].
_REGIME: dict[str, dict[str, float]] = {"softmax": {"c": 4.0, "radius": 10.0}, "sigmoid": {"c": 16.0}, "network": {"c": 16.0}}
#: Fewer and smaller runs of networks on images: replicates by budget and model, schedule (the offset keeps the first steps, which hit few
#: twins, from ruling the sums), steps along m and n, steps along T.
_IMAGE_REPLICATES = {"default": {"mlp": 64}, "full": {"mlp": 256, "cnn": 64}}
_IMAGE_REGIME: dict[str, dict[str, float]] = {"mlp": {"c": 10.0, "tau": 20.0}, "cnn": {"c": 0.4, "tau": 20.0}}
_IMAGE_STEPS, _IMAGE_LENGTHS = 25, (5, 10, 20, 40)
_UPPER_ONLY = " As an upper limit the stated rate is not contradicted by a faster fall."


def _heading(case: str, form: UpdateForm = UpdateForm.ATC, statement: str = STATEMENT) -> Heading:
    return Heading(CLAIM, case, PAPER, statement, form.value, Readout.NODE_AVERAGE.value)


def _along(run: Run, parameter: str) -> tuple[Run, ...]:
    """The runs of a sweep; along m the gap stays 1/2, because a theorem's exponent of m is taken at a fixed gap."""
    if parameter == "T":
        return (replace(run, T=_LENGTHS[-1], checkpoints=_LENGTHS),)
    if parameter == "m":
        return tuple(replace(run, m=m, topology=half_mixed(m)) for m in _NODES)
    return tuple(replace(run, n=n) for n in _SAMPLES)


def _trained(problem: str, budget: Budget, seed: int, device: str) -> list[Case]:
    many, few = _REPLICATES[budget.name]
    base = training_run(problem, seed, few, decaying=True, n=8, T=50, topology=half_mixed(8), twins=4, **_REGIME[word(problem)])
    nodes = _along(replace(base, replicates=many if problem != PROBLEMS[0] else many // 2, twins=2), "m")
    samples, lengths = _along(replace(base, replicates=many), "n"), _along(replace(base, n=16), "T")
    everything, name = (GENERALIZATION, STABILITY, SQUARES), word(problem)
    asks = (
        ("m-as-the-order", nodes, everything, Ask("m", GENERALIZATION, about=_UPPER_ONLY), STATEMENT),
        ("m-as-a-limit", nodes, everything, Ask("m", GENERALIZATION, upper=True), STATEMENT),
        ("m-mean-square-stability", nodes, everything, Ask("m", SQUARES, exponent=-1.0), _PATH),
        ("n-stability", samples, (STABILITY,), Ask("n", STABILITY, exponent=-1.0, margin=0.15), STATEMENT),
        ("T-as-the-order", lengths, (STABILITY,), Ask("T", STABILITY, margin=0.05, local=True), STATEMENT),
        ("T-as-a-limit", lengths, (STABILITY,), Ask("T", STABILITY, upper=True), STATEMENT),
    )
    return [
        RunsCase(_heading(f"{name}-{case}", statement=statement), runs, requests, in_sweep, (ask,), device)
        for case, runs, requests, ask, statement in asks
    ]


def _linear(budget: Budget, seed: int, device: str) -> list[Case]:
    """The linear loss with a constant step: l1 stability 2 L eta T/(m n), and mean squares of order 1/m^2 under perfect averaging."""
    many, _ = _REPLICATES[budget.name]
    base = Run(
        problem="linear", update_form=UpdateForm.ATC, m=8, n=8, T=50, eta=0.1, replicates=many, twins=4, seed=seed, topology=half_mixed(8)
    )
    complete = tuple(replace(run, topology="complete") for run in _along(base, "m"))
    asks = (
        ("m", _along(base, "m"), Ask("m", STABILITY, exponent=-1.0)),
        ("n", _along(base, "n"), Ask("n", STABILITY, exponent=-1.0)),
        ("T", _along(base, "T"), Ask("T", STABILITY, exponent=1.0)),
        ("m-mean-square-complete-graph", complete, Ask("m", SQUARES, exponent=-2.0)),
    )
    heading = [_heading(f"linear-{case}", statement=_ATTAINED) for case, _, _ in asks]
    return [RunsCase(head, runs, (ask.request,), in_sweep, (ask,), device) for head, (_, runs, ask) in zip(heading, asks, strict=True)]


def _on_images(problem: str, budget: Budget, seed: int, device: str) -> list[Case]:
    """The l1 stability of a network on images: its power of n is stated as it is, those of m and T only with the network's beta."""
    name = problem.partition("-")[0]
    common: dict[str, Any] = {"n": 8, "twins": 4, "topology": half_mixed(8), "eta": None, **_IMAGE_REGIME[name]}
    base = training_run(problem, seed, _IMAGE_REPLICATES[budget.name][name], decaying=True, T=_IMAGE_STEPS, **common)
    nodes = tuple(replace(base, m=m, topology=half_mixed(m)) for m in _NODES)
    samples = tuple(replace(base, n=n) for n in _SAMPLES)
    lengths = (replace(base, n=16, T=_IMAGE_LENGTHS[-1], checkpoints=_IMAGE_LENGTHS),)
    asks = (
        ("n-stability", samples, in_sweep, Ask("n", STABILITY, exponent=-1.0, margin=0.15)),
        ("m-stability-as-a-limit", nodes, whatever_beta, Ask("m", STABILITY, upper=True)),
        ("T-stability-as-a-limit", lengths, whatever_beta, Ask("T", STABILITY, upper=True)),
    )
    return [RunsCase(_heading(f"{word(problem)}-{case}"), runs, (STABILITY,), find, (ask,), device) for case, runs, find, ask in asks]


def exponents(budget: Budget, seed: int, device: str) -> list[Case]:
    """Proved orders by reading, problems on which a bound is attained, and training runs on digits with steps c/t."""
    proved = (
        ("bounds-decentralized", UpdateForm.ATC, "stated"),
        ("bounds-centralized-batches-of-1", UpdateForm.CENTRALIZED, "batch-1"),
        ("bounds-centralized-batches-of-m", UpdateForm.CENTRALIZED, "batch-m"),
        ("bounds-as-a-limit", UpdateForm.ATC, "upper"),
        ("bounds-as-the-order", UpdateForm.ATC, "sharp"),
    )
    cases: list[Case] = [ExactCase(_heading(case, form), of_order, (which,)) for case, form, which in proved]
    cases.append(ExactCase(_heading("expansive-quadratic", statement=_ATTAINED), attained, (), Evidence.EXACT))
    cases += _linear(budget, seed, device)
    cases += [case for problem in PROBLEMS for case in _trained(problem, budget, seed, device)]
    cases += [case for problem in image_problems(budget) for case in _on_images(problem, budget, seed, device)]
    return cases + absent(CLAIM, PAPER, STATEMENT, budget)


CLAIMS: dict[str, Build] = {CLAIM: exponents}
