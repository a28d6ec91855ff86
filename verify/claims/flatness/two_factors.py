"""Does accuracy depend on flatness and on optimization performance, and not on flatness alone? A regression over all the runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bounds.setting import Fact
from bounds.vocabulary import Readout
from verify.case import RESAMPLES, Case
from verify.claims.core import Budget
from verify.claims.flatness.common import NAMES, PAPER, Build
from verify.claims.flatness.landings import FORMS, IMAGES, Landings, Plan, conditions, joined, plans, word
from verify.claims.images import absent
from verify.finding_case import Finding, Heading, TasksCase
from verify.statistics import Contrast, contrast, resamples_for
from verify.statistics.regression import Within, rank_correlations
from verify.verdict import Numbers, Scatter, Table, Verdict

CLAIM = "cao2025-accuracy-two-factors"
STATEMENT = "Test accuracy depends on flatness and on optimization performance, not on flatness alone."
#: CTA has ATC's network mean, and would count every run of ATC twice.
OWN = ("centralized", "atc", "consensus")
REGIMES = {
    "all-runs": "between all runs of a replicate (starts, batch sizes, steps and forms)",
    "same-batch": "between the forms at one start, batch size and step",
}
PARTS = ("flatness", "optimization", "not-flatness-alone")
#: Standard deviations of accuracy for one of a factor; the least that is called dependence.
MARGIN = 0.1
_PERMUTATIONS = 499


@dataclass(frozen=True, eq=False)
class Runs:
    """Tables (replicates, points) over starts, forms and steps, with the group and the form of every point."""

    accuracy: np.ndarray
    test: np.ndarray
    trace: np.ndarray
    loss: np.ndarray
    groups: np.ndarray
    forms: np.ndarray

    @classmethod
    def of(cls, blocks: tuple[Landings, ...], plan: Plan, regime: str) -> Runs:
        """The runs of all starts; blocks come start by start."""
        each = len(blocks) // len(plan.starts)
        found = [joined(blocks[at * each : (at + 1) * each]) for at in range(len(plan.starts))]
        rows, steps = [FORMS.index(form) for form in OWN], len(plan.steps)

        def table(name: str) -> np.ndarray:
            return np.concatenate([getattr(one, name)[:, rows].reshape(len(one.trace), -1) for one in found], axis=1)

        forms = np.tile(np.repeat(OWN, steps), len(found))
        place = np.concatenate([at * steps + np.tile(np.arange(steps), len(OWN)) for at in range(len(found))])
        groups = place if regime == "same-batch" else np.zeros_like(place)
        trace = table("trace")
        trace = np.log(np.where(trace > 0, trace, np.nan))
        return cls(100 * table("accuracy"), table("test"), trace, np.log(table("training")), groups, forms)

    def within(self) -> Within:
        """Accuracy, log trace and log training loss, centred within groups."""
        return Within.of(self.accuracy, self.trace, self.loss, self.groups)


def two_factors(blocks: tuple[Landings, ...], level: float, rng: np.random.Generator, plan: Plan, regime: str, part: str) -> Finding:
    """One coefficient of the regression of accuracy on log trace and log training loss."""
    runs, which = Runs.of(blocks, plan, regime), int(part != "flatness")
    if not np.isfinite(runs.trace).all():
        return Finding(
            Verdict.UNDECIDED, "Hutchinson's estimate of a trace is not positive, so that it has no logarithm: more probes are needed."
        )
    within = runs.within()
    pseudo = within.coefficients()[1]
    one = contrast(pseudo[:, which], MARGIN, level, resamples_for(level / 4, RESAMPLES), rng)
    chance = within.permuted(which, runs.groups, _PERMUTATIONS, rng)
    trace_alone, loss_alone, both = within.explained()
    name, other = (("training loss", "trace"), ("trace", "training loss"))[which == 0]
    verdict = _verdict(one, part)
    side = "higher" if one.mean < 0 else "lower"
    ends = {
        Verdict.HOLDS: f"at the same {other} a smaller {name} goes with {side} accuracy",
        Verdict.VIOLATED: f"at the same {other} a smaller {name} does not go with higher accuracy by {MARGIN:g} or more",
        Verdict.UNDECIDED: f"not decided against the margin {MARGIN:g}",
    }
    reason = (
        f"On {plan.problem}, {REGIMES[regime]}, accuracy changes by {one.mean:+.2f} [{one.low:+.2f}, {one.high:+.2f}] of its standard deviations "
        f"for one of the logarithm of the {name}: {ends[verdict]} (p = {chance:.2g} by permutation). The trace alone explains "
        f"{100 * trace_alone:.0f} % of the variance within groups, the training loss alone {100 * loss_alone:.0f} %, both {100 * both:.0f} %"
        f"{_alone(part, verdict)}."
    )
    numbers = Numbers(one.mean, one.low, one.high, 0.0, replicates=one.replicates)
    tables = (_ranks(runs, level, rng),) if part == "not-flatness-alone" else ()
    maps = (_picture(runs, plan),) if (regime, part) == ("all-runs", "not-flatness-alone") else ()
    return Finding(verdict, reason, numbers, None, _conditions(plan), tables=tables, maps=maps)


def _verdict(one: Contrast, part: str) -> Verdict:
    """A factor helps when its coefficient is below minus the margin; flatness alone does not suffice when that of the loss is beyond it."""
    helps, harms = one.high < -MARGIN, one.low > MARGIN
    if part == "not-flatness-alone":
        refuted = one.low > -MARGIN and one.high < MARGIN
        return Verdict.HOLDS if helps or harms else Verdict.VIOLATED if refuted else Verdict.UNDECIDED
    return Verdict.HOLDS if helps else Verdict.VIOLATED if one.low > -MARGIN else Verdict.UNDECIDED


def _alone(part: str, verdict: Verdict) -> str:
    if part != "not-flatness-alone" or verdict is Verdict.UNDECIDED:
        return ""
    return "; flatness alone would suffice" if verdict is Verdict.VIOLATED else "; that flatness alone would suffice is refuted"


def _conditions(plan: Plan) -> dict[str, Fact]:
    return conditions(plan) | {"starts": " and ".join(plan.starts), "forms": ", ".join(OWN)}


def _ranks(runs: Runs, level: float, rng: np.random.Generator) -> Table:
    """Spearman's correlations within a replicate, averaged, with their intervals."""
    outcomes, factors = {"accuracy": runs.accuracy, "test loss": runs.test}, {"trace": runs.trace, "training loss": runs.loss}
    pairs = [(a, b, outcomes[a], factors[b]) for a in outcomes for b in factors] + [("trace", "training loss", runs.trace, runs.loss)]
    rows = []
    for first, second, a, b in pairs:
        found = _rank_correlations(a, b, runs.groups)
        one = contrast(found, MARGIN, level, resamples_for(level / 4, RESAMPLES), rng)
        rows.append((first, second, one.mean, one.low, one.high))
    return Table("Rank correlations (Spearman) within groups, mean over replicates", ("of", "with", "mean", "low", "high"), tuple(rows))


def _rank_correlations(first: np.ndarray, second: np.ndarray, groups: np.ndarray) -> np.ndarray:
    parts = [rank_correlations(first[:, groups == one], second[:, groups == one]) for one in np.unique(groups)]
    return np.asarray(np.mean(parts, axis=0))


def _picture(runs: Runs, plan: Plan) -> Scatter:
    """Means over replicates, and the least squares plane through all runs, replicates having levels of their own."""
    centred = [one - one.mean(axis=1, keepdims=True) for one in (runs.loss, runs.trace, runs.accuracy)]
    loss, trace, accuracy = (one.ravel() for one in centred)
    slopes = np.linalg.lstsq(np.stack([loss, trace], axis=1), accuracy, rcond=None)[0]
    level = runs.accuracy.mean() - slopes @ [runs.loss.mean(), runs.trace.mean()]
    return Scatter(
        title=f"accuracy on {plan.problem} against training loss and flatness, with the fitted plane",
        axes=("ln(training loss)", "ln(trace of the Hessian)", "accuracy, percent"),
        x=runs.loss.mean(axis=0),
        y=runs.trace.mean(axis=0),
        values=runs.accuracy.mean(axis=0),
        groups=tuple(NAMES[form] for form in runs.forms),
        plane=(float(level), float(slopes[0]), float(slopes[1])),
    )


def accuracy_two_factors(budget: Budget, seed: int, device: str) -> list[Case]:
    """By problem, regime and part of the sentence, over the runs of the claim on flatter minima."""
    cases: list[Case] = []
    for plan in plans(budget):
        asked = tuple(task for start in plan.starts for task in plan.tasks(start, seed))
        for regime in REGIMES:
            for part in PARTS:
                about = Heading(CLAIM, f"{word(plan)}-{regime}-{part}", PAPER, STATEMENT, "all", Readout.NETWORK_MEAN.value)
                cases.append(TasksCase(about, asked, two_factors, (plan, regime, part)))
    return cases + absent(CLAIM, PAPER, STATEMENT, budget, IMAGES)


CLAIMS: dict[str, Build] = {CLAIM: accuracy_two_factors}
