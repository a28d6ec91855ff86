"""Large-batch accuracy in the published logs of the paper's own runs, which ``verify --logs DIR`` reads.

The statement is about accuracy after training, so its evidence is the averaged model's held-out accuracy at the last logged step. Only runs of
plain SGD count: an adaptive optimizer is no D-SGD.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bounds.errors import GossipBoundsError
from empirical.logs import LogFolder, LogPair, logs_folder, read_folder
from verify.case import Case
from verify.claims.averaged_sam.common import PAPER
from verify.claims.core import Budget
from verify.finding_case import ExactCase, Finding, Heading, TasksCase
from verify.logged import PairResult, Support, judge_pairs, network_words, pool, setting_words, side
from verify.logged.pooled import MIN_UNITS, units
from verify.plan import Task
from verify.verdict import Evidence, Numbers, Table, Verdict

CLAIM = "zhu2023-large-batch-accuracy"
#: Total batches from here on are large: the paper contrasts 1024 with 8192.
LARGE = 4096
STATEMENT = "D-SGD generalizes better than centralized SGD in large-batch training."
REPOSITORY = "github.com/Raiden-Zhu/ICML-2023-DSGD-and-SAM, folder csv_data"
_CAVEAT = " This is about the logged step sizes; nothing shows that they suit both methods alike."


@dataclass(frozen=True, slots=True)
class Read:
    """A folder as it was read, or in one line why it could not be."""

    folder: LogFolder | None
    trouble: str = ""


def read_logs(folder: Path) -> Read:
    """The folder's runs and pairs; a folder that cannot be read makes its cases undecided and stops no other."""
    try:
        return Read(read_folder(folder))
    except GossipBoundsError as error:
        return Read(None, str(error))


def _plain(read: Read) -> tuple[list[LogPair], list[LogPair]]:
    """Pairs of plain SGD: at large total batches, and at smaller ones."""
    found: tuple[list[LogPair], list[LogPair]] = [], []
    for pair in read.folder.pairs if read.folder else ():
        total = pair.centralized.setting.total_batch
        if total is not None and pair.centralized.setting.optimizer.lower() == "sgd":
            found[total < LARGE].append(pair)
    return found


def _without(read: Read, what: str) -> Finding:
    problems = 0 if read.folder is None else len(read.folder.problems)
    told = read.trouble or f"the folder of logs has no {what}, and {problems} problems that 'gossip-bounds logs' lists"
    return Finding(Verdict.UNDECIDED, f"Nothing decides: {told}.")


def every_pair(results: tuple[Any, ...], level: float, rng: np.random.Generator) -> Finding:
    """The pairs one by one: HOLDS when each supports the statement, VIOLATED when one refutes it, UNDECIDED else."""
    pairs, _ = _plain(results[0])
    if not pairs:
        return _without(results[0], f"pair of plain SGD at a total batch of {LARGE} or more")
    support = Support()
    # The level here is that of one side, a support's that of both.
    judged = judge_pairs(pairs, replace(support, level=2 * level))
    verdicts = {one.verdict for one in judged}
    verdict = Verdict.VIOLATED if Verdict.VIOLATED in verdicts else Verdict.HOLDS if verdicts == {Verdict.HOLDS} else Verdict.UNDECIDED
    least = min(judged, key=lambda one: -float("inf") if one.interval is None else one.interval[0])
    count = sum(one.verdict is Verdict.HOLDS for one in judged)
    reason = (
        f"{count} of {len(judged)} large-batch pairs support it, one seed each; the weakest is {_words(least)}: {least.reason}{_CAVEAT}"
    )
    low, high = least.interval or (None, None)
    numbers = Numbers(least.difference, low, high, 0.0, replicates=1)
    return Finding(verdict, reason, numbers, conditions=_conditions(pairs, support), tables=(_table(judged),))


def mean_gain(results: tuple[Any, ...], level: float, rng: np.random.Generator) -> Finding:
    """The mean difference over the settings of large-batch centralized runs."""
    pairs, _ = _plain(results[0])
    if not pairs:
        return _without(results[0], f"pair of plain SGD at a total batch of {LARGE} or more")
    support = Support()
    found = pool("all", None, pairs, support, level)
    low, high = found.interval or (None, None)
    numbers = Numbers(found.difference, low, high, 0.0, replicates=found.units)
    return Finding(found.verdict, found.reason + _CAVEAT, numbers, conditions=_conditions(pairs, support))


def gain_with_batch(results: tuple[Any, ...], level: float, rng: np.random.Generator) -> Finding:
    """Is the difference larger at large batches than at small ones, setting by setting? The benefit would then belong to large batches."""
    large, small = _plain(results[0])
    matched = _matched(large, small)
    if len(matched) < MIN_UNITS:
        return _without(results[0], f"{MIN_UNITS} settings that were run at small and at large total batches")
    support = Support()
    gains = np.array([one - other for _, one, other, _ in matched])
    implied = sum(variance for *_, variance in matched) / len(matched) ** 2
    half = float(_t_half(gains, implied, level))
    interval = (float(gains.mean()) - half, float(gains.mean()) + half)
    rows = tuple((name, other, one, one - other) for name, one, other, _ in matched)
    table = Table("Decentralized minus centralized accuracy, points", ("setting", "small batch", "large batch", "gain"), rows)
    reason = (
        f"From a total batch below {LARGE} to one of {LARGE} or more the gap grows by {gains.mean():+.2f} points on average over {len(gains)} "
        f"settings, give or take {half:.2f}; {_falls(large, small)}.{_CAVEAT}"
    )
    numbers = Numbers(float(gains.mean()), *interval, 0.0, replicates=len(gains))
    return Finding(side(interval), reason, numbers, conditions=_conditions(large + small, support), tables=(table,))


def _falls(large: Sequence[LogPair], small: Sequence[LogPair]) -> str:
    """How accuracy itself moves with the batch, for either method: a growing gap does not say that large batches do well."""
    ours, centre = (
        [float(np.mean([getattr(pair, name).final for pair in pairs])) for pairs in (small, large)]
        for name in ("decentralized", "centralized")
    )
    return (
        f"mean accuracy itself goes from {ours[0]:.2f} to {ours[1]:.2f} % for the decentralized and from {centre[0]:.2f} to {centre[1]:.2f} % "
        "for the centralized runs"
    )


def _t_half(values: NDArray[np.float64], implied: float, level: float) -> float:
    error = max(float(values.var(ddof=1)) / len(values), implied)
    return float(stats.t.isf(level, len(values) - 1)) * float(np.sqrt(error))


def _matched(large: Sequence[LogPair], small: Sequence[LogPair]) -> list[tuple[str, float, float, float]]:
    """(setting, large, small, variance) of settings with both; the step size goes with the batch, and may differ."""
    ours, others = _by_setting(large), _by_setting(small)
    return [(name, *_gain(ours[key][1], others[key][1])) for key, (name, _) in ours.items() if key in others]


def _gain(large: Sequence[LogPair], small: Sequence[LogPair]) -> tuple[float, float, float]:
    means, variance = [], 0.0
    for pairs in (large, small):
        found = units(pairs)
        means.append(float(np.mean([unit.mean for unit in found])))
        variance += sum(unit.variance(Support()) for unit in found) / len(found) ** 2
    return means[0], means[1], variance


def _by_setting(pairs: Sequence[LogPair]) -> dict[object, tuple[str, list[LogPair]]]:
    found: dict[object, tuple[str, list[LogPair]]] = defaultdict(lambda: ("", []))
    for pair in pairs:
        ran = pair.centralized.setting
        key = ran.partner("local_batch", "lr", "seed")
        found[key] = (network_words(ran), [*found[key][1], pair])
    return found


def _words(one: PairResult) -> str:
    return setting_words(one.pair.decentralized.setting)


def _conditions(pairs: Sequence[LogPair], support: Support) -> dict[str, Any]:
    settings = [pair.centralized.setting for pair in pairs]
    return {
        "pairs": len(pairs),
        "centralized runs": len({pair.centralized.file for pair in pairs}),
        "seeds": len({one.field("seed") for one in settings}),
        "data sets": ", ".join(sorted({one.dataset or "unnamed" for one in settings})),
        "total batches": ", ".join(map(str, sorted({one.total_batch or 0 for one in settings}))),
        "between-seed floor, points": support.floor,
    }


def _table(judged: Sequence[PairResult]) -> Table:
    heads = ("setting", "decentralized", "centralized", "difference", "low", "high", "on this pair")
    rows = []
    for one in judged:
        low, high = one.interval or (float("nan"), float("nan"))
        ends = (one.pair.decentralized.final, one.pair.centralized.final, one.difference, low, high)
        rows.append((_words(one), *ends, one.verdict.name))
    return Table("Accuracy at the last logged step, percent", heads, tuple(rows))


_CASES = (
    ("logs-every-pair", every_pair, STATEMENT),
    ("logs-mean", mean_gain, STATEMENT),
    (
        "logs-gain-with-batch",
        gain_with_batch,
        "The advantage of D-SGD over centralized SGD is one of large batches: it is larger there than at small ones.",
    ),
)


def absent() -> Finding:
    """What is said without logs."""
    reason = f"No logs were given; the paper's runs are in {REPOSITORY}: fetch it and give --logs DIR."
    return Finding(Verdict.UNDECIDED, reason)


def cases(budget: Budget, seed: int, device: str) -> list[Case]:
    """The cases that published logs decide; UNDECIDED without a folder of them."""
    folder = logs_folder()
    found: list[Case] = []
    for name, find, statement in _CASES:
        about = Heading(CLAIM, name, PAPER, statement, "consensus", "network_mean")
        if folder is None:
            found.append(ExactCase(about, absent, evidence=Evidence.LOGGED))
        else:
            found.append(TasksCase(about, (Task(read_logs, (folder,), 10.0),), find, evidence=Evidence.LOGGED))
    return found
