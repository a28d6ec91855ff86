"""``zhu2023-batch-independence``: does the sharpness regularization of D-SGD decrease as the total batch grows?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bounds.vocabulary import Readout, UpdateForm
from empirical import Run
from verify.case import Case
from verify.claims.averaged_sam import batch_exact, edge
from verify.claims.averaged_sam.batch_runs import Ask, in_runs, read_spread
from verify.claims.averaged_sam.common import PAPER, Build
from verify.claims.averaged_sam.sharpening import descend
from verify.claims.core import Budget
from verify.finding_case import ExactCase, Finding, Heading, RunsCase, TasksCase
from verify.plan import Task
from verify.verdict import Evidence

CLAIM = "zhu2023-batch-independence"
STATEMENT = "The sharpness regularization of D-SGD does not decrease as the total batch size grows."
_NODES = Readout.NODE_AVERAGE.value
#: Steps small against the spectral gap over the curvature, large enough for a steady state within the run.
_ETAS = {"softmax-digits": 0.1, "network-digits": 0.5}
_WORDS = {"softmax-digits": "softmax regression", "network-digits": "the tanh network"}
_LATE = 16
_BATCHES = (1, 2, 4, 8, 16)


def _run(seed: int, replicates: int, name: str, eta: float, b: int, T: int, **change: Any) -> Run:
    checkpoints = tuple(T - k * (2 * T // (3 * _LATE)) for k in reversed(range(_LATE)))
    common: dict[str, Any] = {"m": 8, "n": 16, "checkpoints": checkpoints, "replicates": replicates, "seed": seed}
    return Run(problem=name, update_form=UpdateForm.CONSENSUS, eta=eta, b=b, T=T, **(common | change))


def _sweeps(seed: int, count: int, name: str, quick: bool) -> list[tuple[str, tuple[Run, ...], Ask]]:
    """Every measured sweep on one problem: its case, its runs and what is asked."""
    word, eta = name.partition("-")[0], _ETAS[name]
    on = f"Measured on {_WORDS[name]} over digits, consensus form on a ring"
    skew, samples = {"split": "label_skew"}, 1920 if quick else 3840

    def sweep(batches: tuple[int, ...], **change: Any) -> tuple[Run, ...]:
        return tuple(_run(seed, count, name, eta, b, 240, **change) for b in batches)

    def scaled(**change: Any) -> tuple[Run, ...]:
        # As many samples a run at every batch, so that all of them have come equally far.
        return tuple(_run(seed, count, name, eta * b / 16, b, samples // b, **change) for b in _BATCHES)

    nodes = tuple(
        _run(seed, count, name, eta, 2, 160 if quick else 240, m=m, data="shared") for m in ((4, 8, 16) if quick else (4, 8, 16, 32))
    )
    return [
        (
            f"measured-same-data-{word}",
            sweep(_BATCHES, data="shared"),
            Ask("b", f"{on} at a fixed step, the same samples at all nodes", -1.0),
        ),
        (
            f"measured-partition-small-batches-{word}",
            sweep((1, 2, 4, 8)),
            Ask("b", f"{on} at a fixed step, 16 own samples a node", None, True),
        ),
        (f"measured-partition-large-batches-{word}", sweep((16, 64), n=4), Ask("b", f"{on} at a fixed step, 4 own samples a node")),
        (f"measured-label-skew-{word}", sweep((10, 40), **skew), Ask("b", f"{on} at a fixed step, labels split over the nodes")),
        (
            f"measured-scaled-step-{word}",
            scaled(data="shared"),
            Ask("b", f"{on} with eta proportional to b, the same samples at all nodes", 1.0),
        ),
        (
            f"measured-scaled-step-skew-{word}",
            scaled(**skew),
            Ask("b", f"{on} with eta proportional to b, labels split over the nodes", 2.0),
        ),
        (f"measured-nodes-{word}", nodes, Ask("m", f"{on} at a fixed step and local batch, the same samples at all nodes")),
    ]


def _exact() -> list[Case]:
    proved, exact = Evidence.PROVED, Evidence.EXACT
    kinds: list[tuple[str, str, Callable[..., Finding], tuple[Any, ...], Evidence]] = []
    for form in ("consensus", "atc"):
        kinds += [
            (f"same-data-{form}", form, batch_exact.same_data, (form,), proved),
            (f"partition-small-batches-{form}", form, batch_exact.partition, (form, False), exact),
            (f"partition-large-batches-{form}", form, batch_exact.partition, (form, True), exact),
            (f"scaled-step-{form}", form, batch_exact.scaled_step, (form,), proved),
        ]
    kinds += [
        ("relabelled-graph", "consensus", batch_exact.relabelled, (), exact),
        ("published-fixed-step", "consensus", batch_exact.published, (False,), exact),
        ("published-scaled-step", "consensus", batch_exact.published, (True,), exact),
        ("nodes-ring", "consensus", batch_exact.through_nodes, ("ring", (4, 8, 16, 32, 64, 128)), exact),
        ("nodes-complete", "consensus", batch_exact.through_nodes, ("complete", (2, 4, 8, 16, 32, 64)), exact),
        ("nodes-hypercube", "consensus", batch_exact.through_nodes, ("hypercube", (8, 16, 32, 64, 128, 256)), exact),
    ]
    return [
        ExactCase(Heading(CLAIM, case, PAPER, STATEMENT, form, _NODES), find, given, evidence)
        for case, form, find, given, evidence in kinds
    ]


def batch_independence(budget: Budget, seed: int, device: str) -> list[Case]:
    """By regime: same data, a fixed partition, label skew, a step that grows with the batch, a batch that grows with the nodes."""
    cases, count, quick = _exact(), {"quick": 12, "default": 64}.get(budget.name, 256), budget.name == "quick"
    for form in ("consensus", "atc"):
        task = Task(descend, (edge.ring_descent(budget, seed, form),), 1e6)
        cases.append(
            TasksCase(Heading(CLAIM, f"full-batch-at-the-edge-{form}", PAPER, STATEMENT, form, _NODES), (task,), edge.spread_remains)
        )
    for name in list(_ETAS)[: 1 if quick else None]:
        for case, runs, ask in _sweeps(seed, count, name, quick):
            heading = Heading(CLAIM, case, PAPER, STATEMENT, "consensus", _NODES)
            cases.append(RunsCase(heading, runs, (), in_runs, (ask,), device, read=read_spread))
    return cases


CLAIMS: dict[str, Build] = {CLAIM: batch_independence}
