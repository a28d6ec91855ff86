"""``zhu2023-large-batch-accuracy``: held-out accuracy of the averaged model of D-SGD against centralized SGD on the same batches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bounds.errors import DomainError
from bounds.setting import Fact
from bounds.vocabulary import Readout, UpdateForm
from empirical import Run, trajectory
from empirical.device import one_thread
from empirical.models import perceptron
from empirical.problems import problem
from empirical.problems.perceptron import Perceptron
from empirical.samples import draw_samples
from verify.case import RESAMPLES, Case
from verify.claims.averaged_sam import logged
from verify.claims.averaged_sam.common import PAPER, Build
from verify.claims.averaged_sam.logged import CLAIM, STATEMENT
from verify.claims.core import Budget
from verify.finding_case import Finding, Heading, RunsCase
from verify.statistics import max_t_band, resamples_for
from verify.statistics.decision import MIN_REPLICATES
from verify.verdict import Numbers, Table, Verdict

#: The least advantage that counts, in percentage points.
MARGIN = 0.5
_SMALL, _LARGE = 2, 8
_STEP, _EARLY, _END = 0.2, 200, 800
_MEAN = Readout.NETWORK_MEAN.value


@dataclass(frozen=True, eq=False)
class Accuracy:
    """Percentage of the points that are in no training set of a replicate which its averaged model classifies rightly, (replicates, readings)."""

    run: Run
    values: NDArray[np.float64]


def read_accuracy(one: Run, requests: tuple[Any, ...], device: str) -> Accuracy:
    """Train one run and classify the held-out points (the ``read`` of a case).

    Raises:
        DomainError: for a problem that is no perceptron.
    """
    described = problem(one.problem)
    if not isinstance(described, Perceptron):
        raise DomainError(f"got problem {one.problem!r}; accuracies are read from perceptrons such as 'mlp-digits'")
    models = trajectory(one, device=device).mean(axis=2)
    training = draw_samples(one, described).training
    rows = [_held_out(described, torch.from_numpy(models[r]), training[r]) for r in range(one.replicates)]
    return Accuracy(one, 100 * np.stack(rows))


def _held_out(described: Perceptron, models: torch.Tensor, samples: NDArray[np.int64]) -> NDArray[np.float64]:
    """(readings,): the share of held-out points that each of the models (readings, P) of one replicate classifies rightly."""
    held = np.setdiff1d(np.arange(described.size), samples)
    x = torch.from_numpy(described.features[held][:, : described.widths[0]])
    labels, net = (
        torch.from_numpy(np.asarray(described.labels, dtype=np.int64)[held]),
        perceptron(described.widths, described.activation).double(),
    )
    named = described.to_module(models)
    right = []
    with torch.inference_mode(), one_thread():
        for reading in range(len(models)):
            scores = torch.func.functional_call(net, {name: value[reading] for name, value in named.items()}, (x,))
            right.append(float((scores.argmax(1) == labels).double().mean()))
    return np.array(right)


@dataclass(frozen=True, slots=True)
class Ask:
    """Which reading is compared, after ``steps`` steps; ``setting`` begins the reason. With ``control`` two further runs, of D-SGD and
    centralized SGD at a small batch, have their difference taken off: is the advantage one of large batches?"""

    setting: str
    steps: int
    control: bool = False


def in_runs(measured: tuple[Accuracy, ...], level: float, rng: np.random.Generator, ask: Ask) -> Finding:
    """Whether the difference, replicate by replicate, is at least the margin."""
    at = measured[0].run.read_at.index(ask.steps)
    values = [one.values[:, at] for one in measured]
    differences = values[0] - values[1] - (values[2] - values[3] if ask.control else 0.0)
    verdict, low, high = decide(differences, level, rng)
    found = float(differences.mean())
    words = {Verdict.HOLDS: "at least", Verdict.VIOLATED: "less than", Verdict.UNDECIDED: "not decided to be at least or less than"}
    more = f" over that at a small batch ({measured[2].run.b} a node)" if ask.control else ""
    reason = (
        f"{ask.setting}, after {ask.steps} steps the averaged model of D-SGD (consensus form, ring of 8) has a held-out accuracy of {values[0].mean():.2f} %, "
        f"centralized SGD on the same batches {values[1].mean():.2f} %: an advantage{more} of {found:+.2f} points [{low:+.2f}, {high:+.2f}], "
        f"{words[verdict]} the {MARGIN:g} that count here ({len(differences)} training sets, paired; an "
        f"advantage of {_resolved(low, high)} points would have been resolved)."
    )
    rows: tuple[tuple[Fact, ...], ...] = tuple(
        (_name(one.run), one.run.b * one.run.m, one.run.schedule.step(1), *map(float, one.values.mean(axis=0))) for one in measured
    )
    heads = ("method", "total batch", "eta", *(f"accuracy after {steps} steps" for steps in measured[0].run.read_at))
    numbers = Numbers(found, low, high, MARGIN, MARGIN / found if found else None, len(differences))
    table = Table("Held-out accuracy in percent, mean over training sets", heads, rows)
    run = measured[0].run
    facts: dict[str, Fact] = {
        "problem": run.problem,
        "topology": "ring",
        "m": run.m,
        "n": run.n,
        "b": run.b,
        "eta": run.schedule.step(1),
        "T": ask.steps,
    }
    return Finding(verdict, reason, numbers, None, facts, tables=(table,))


def decide(differences: NDArray[np.float64], level: float, rng: np.random.Generator) -> tuple[Verdict, float, float]:
    """HOLDS where the mean is shown to lie above the margin, VIOLATED below it; and the two ends at level/2 each."""
    if len(differences) < MIN_REPLICATES:
        return Verdict.UNDECIDED, -np.inf, np.inf
    band = max_t_band(differences[:, None], level / 2, resamples_for(level / 2, RESAMPLES), rng)
    low, high = float(band.low[0]), float(band.high[0])
    return Verdict.HOLDS if low > MARGIN else Verdict.VIOLATED if high < MARGIN else Verdict.UNDECIDED, low, high


def _resolved(low: float, high: float) -> str:
    return f"{max(MARGIN, MARGIN + (high - low) / 2):.2f}"


def _name(run: Run) -> str:
    return "centralized SGD" if run.update_form is UpdateForm.CENTRALIZED else "D-SGD"


def _pair(seed: int, replicates: int, b: int, eta: float) -> tuple[Run, Run]:
    """D-SGD and centralized SGD with the same training sets and the same batches at every step."""
    ours = Run(
        problem="mlp-digits", update_form=UpdateForm.CONSENSUS, m=8, n=16, T=_END, checkpoints=(_EARLY, _END), eta=eta, b=b, replicates=replicates,
        seed=seed, precision="float32",
    )  # fmt: skip
    return ours, replace(ours, update_form=UpdateForm.CENTRALIZED, sampling="stratified")


def own_runs(budget: Budget, seed: int, device: str) -> list[Case]:
    """A perceptron on digits: local batches of 8 of 16 samples at the step of a small batch, and at one four times as large."""
    count = {"quick": 20, "default": 160}.get(budget.name, 640)
    small, fixed, scaled = (_pair(seed, count, b, eta) for b, eta in ((_SMALL, _STEP), (_LARGE, _STEP), (_LARGE, _STEP * _LARGE / _SMALL)))
    asks: list[tuple[str, tuple[Run, ...], Ask]] = []
    for word, pair, text in (
        ("fixed-step", fixed, "At the step of the small batch"),
        ("scaled-step", scaled, "With the step scaled with the batch"),
    ):
        asks += [(f"digits-{word}-{when}", pair, Ask(text, steps)) for when, steps in (("early", _EARLY), ("end", _END))]
    text = "At the step of the small batch"
    asks.append(("digits-more-than-in-small-batches", fixed + small, Ask(text, _EARLY, True)))
    return [
        RunsCase(Heading(CLAIM, name, PAPER, STATEMENT, "consensus", _MEAN), runs, (), in_runs, (ask,), device, read=read_accuracy)
        for name, runs, ask in asks
    ]


def large_batch_accuracy(budget: Budget, seed: int, device: str) -> list[Case]:
    """Own runs, and what published logs say."""
    return own_runs(budget, seed, device) + logged.cases(budget, seed, device)


CLAIMS: dict[str, Build] = {CLAIM: large_batch_accuracy}
