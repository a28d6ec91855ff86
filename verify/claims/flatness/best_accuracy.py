"""Is diffusion the most accurate from random starts? ATC against the consensus form and centralized SGD, paired by replicate."""

from __future__ import annotations

from itertools import product

import numpy as np

from bounds.vocabulary import Readout
from verify.case import RESAMPLES, Case
from verify.claims.core import Budget
from verify.claims.flatness.common import NAMES, PAPER, Build
from verify.claims.flatness.landings import FORMS, IMAGES, Landings, Plan, conditions, joined, plans, word
from verify.claims.images import absent
from verify.finding_case import Finding, Heading, TasksCase
from verify.statistics import Contrast, contrast, resamples_for
from verify.verdict import Numbers, Table, Verdict

CLAIM = "cao2025-diffusion-most-accurate"
STATEMENT = "From random starting points diffusion gives the best classification accuracy."
READOUTS = {Readout.NETWORK_MEAN.value: "of the network mean", Readout.NODE_AVERAGE.value: "of the nodes' own models"}
#: Percentage points of accuracy.
MARGIN = 0.5
_VERDICTS = {"below": Verdict.VIOLATED, "above": Verdict.HOLDS, "within": Verdict.UNDECIDED, "open": Verdict.UNDECIDED}


def accuracies(found: Landings, where: str, column: int) -> np.ndarray:
    """(replicates, forms) in percent, at one readout and batch size."""
    values = found.accuracy if where == Readout.NETWORK_MEAN.value else found.node_accuracy
    return np.asarray(100 * values[:, :, column])


def most_accurate(
    blocks: tuple[Landings, ...], level: float, rng: np.random.Generator, plan: Plan, column: int, other: str, where: str
) -> Finding:
    """ATC's accuracy minus another form's. Equal accuracies leave "best" undecided; only a difference refutes it."""
    values = accuracies(joined(blocks), where, column)
    difference = values[:, FORMS.index("atc")] - values[:, FORMS.index(other)]
    one = contrast(difference, MARGIN, level, resamples_for(level / 4, RESAMPLES), rng)
    numbers = Numbers(one.mean, one.low, one.high, 0.0, replicates=one.replicates)
    errors = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    rows = tuple((NAMES[form], float(values[:, k].mean()), float(errors[k])) for k, form in enumerate(FORMS))
    table = Table(f"Accuracy {READOUTS[where]}, percent", ("form", "mean", "standard error"), rows)
    reason = _words(one, values, plan, column, other, where)
    return Finding(_VERDICTS[one.side], reason, numbers, None, conditions(plan, "random", column), tables=(table,))


def _words(one: Contrast, values: np.ndarray, plan: Plan, column: int, other: str, where: str) -> str:
    ends = {
        "above": "ATC is the more accurate",
        "below": f"{NAMES[other]} is the more accurate",
        "within": f"equal within {MARGIN:g} points, which makes ATC no better and refutes it by no difference",
        "open": f"not decided; the data resolve {(one.high - one.low) / 2:.2g} points",
    }
    ours, theirs = (float(values[:, FORMS.index(form)].mean()) for form in ("atc", other))
    return (
        f"From random starts on {plan.problem} with {plan.words(column)} the accuracy {READOUTS[where]} is {ours:.2f} % with ATC against {theirs:.2f} % with "
        f"{NAMES[other]}: the paired difference is {one.mean:+.2f} points [{one.low:+.2f}, {one.high:+.2f}] over {one.replicates} replicates, {ends[one.side]}."
    )


def diffusion_most_accurate(budget: Budget, seed: int, device: str) -> list[Case]:
    """By problem, batch size, other form and readout."""
    cases: list[Case] = []
    for plan in plans(budget):
        if "random" in plan.starts:
            for column, other, where in product(range(len(plan.steps)), ("consensus", "centralized"), READOUTS):
                name = f"{word(plan)}-{plan.steps[column][0]}-against-{other}-{where.replace('_', '-')}"
                about = Heading(CLAIM, name, PAPER, STATEMENT, "atc", where)
                cases.append(TasksCase(about, plan.tasks("random", seed), most_accurate, (plan, column, other, where)))
    return cases + absent(CLAIM, PAPER, STATEMENT, budget, IMAGES)


CLAIMS: dict[str, Build] = {CLAIM: diffusion_most_accurate}
