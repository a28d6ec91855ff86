"""A folder of logs with everything that it supports: pairs, and pooled over all, by total batch, by model and over seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from empirical.logs import LogFolder, LogPair, LogSetting
from verify.logged.late import Late, late_part
from verify.logged.pairs import MIN_SEEDS, PairResult, Support, judge_pairs
from verify.logged.pooled import Pooled, pool

_GROUPS: tuple[tuple[str, Callable[[LogSetting], str | int | None]], ...] = (
    ("total_batch", lambda one: one.total_batch),
    ("model", lambda one: one.model),
    ("dataset", lambda one: one.dataset),
    ("optimizer", lambda one: one.optimizer),
)
#: Groups that are shown even where there is one of them.
_ALWAYS = ("total_batch", "model")


@dataclass(frozen=True, slots=True)
class Study:
    """What a folder supports under the stated assumptions; ``late`` has the late part of every run by file, None where it is too short."""

    folder: LogFolder
    pairs: tuple[PairResult, ...]
    pooled: tuple[Pooled, ...]
    late: Mapping[str, Late | None]
    support: Support


def study(folder: LogFolder, support: Support) -> Study:
    """Judge every pair and every pooled difference; the level is shared by all pairs, and again by all pooled differences."""
    groups = list(pooled_groups(folder.pairs))
    tail = support.tail(len(groups))
    pooled = tuple(pool(by, value, pairs, support, tail) for by, value, pairs in groups)
    late = {run.file: late_part(run.accuracy) for run in folder.runs}
    return Study(folder, tuple(judge_pairs(folder.pairs, support)), pooled, late, support)


def pooled_groups(pairs: Sequence[LogPair]) -> list[tuple[str, str | int | None, list[LogPair]]]:
    """(by, value, pairs) of everything that is pooled."""
    if not pairs:
        return []
    found: list[tuple[str, str | int | None, list[LogPair]]] = [("all", None, list(pairs))]
    for by, value_of in _GROUPS:
        members: dict[str | int, list[LogPair]] = defaultdict(list)
        for pair in pairs:
            value = value_of(pair.centralized.setting)
            if value is not None:
                members[value].append(pair)
        if by in _ALWAYS or len(members) > 1:
            found += [(by, value, group) for value, group in sorted(members.items())]
    return [*found, *_over_seeds(pairs)]


def _over_seeds(pairs: Sequence[LogPair]) -> list[tuple[str, str, list[LogPair]]]:
    """One group per setting of a pair that has enough seeds."""
    members: dict[object, list[LogPair]] = defaultdict(list)
    for pair in pairs:
        ran = pair.decentralized.setting
        members[ran.topology, ran.shuffle, ran.partner("seed")].append(pair)
    return [("seeds", setting_words(group[0].decentralized.setting), group) for group in members.values() if len(group) >= MIN_SEEDS]


def setting_words(ran: LogSetting) -> str:
    """A setting as people name it."""
    batch = None if ran.total_batch is None else f"total batch {ran.total_batch}"
    words = [network_words(ran), batch, ran.topology, ran.shuffle, None if ran.optimizer == "sgd" else ran.optimizer]
    return ", ".join(word for word in words if word)


def network_words(ran: LogSetting) -> str:
    """Data set and network, and whether the network was pretrained."""
    start = {"1": "pretrained", "0": "from scratch"}.get(ran.field("pretrained") or "")
    return ", ".join(word for word in (ran.dataset, ran.model, start) if word)
