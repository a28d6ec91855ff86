"""Which runs are compared: complete ones, each setting once, decentralized with centralized ones that agree in everything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from empirical.logs.curves import AccuracyLog
from empirical.logs.folder import Options, Problem, scan
from empirical.logs.names import CENTRALIZED

_SEED = "seed"
_EARLY = "early_stop"
_MOST_COMPARED = 200


@dataclass(frozen=True, slots=True)
class LogPair:
    """Two runs that differ in who averages and in nothing else that the logs say."""

    decentralized: AccuracyLog
    centralized: AccuracyLog


@dataclass(frozen=True, slots=True)
class LogFolder:
    """What a folder holds: every readable run, the pairs among them, and what is wrong, file by file."""

    runs: tuple[AccuracyLog, ...]
    pairs: tuple[LogPair, ...]
    problems: tuple[Problem, ...]


def read_folder(folder: Path, options: Options | None = None, centralized: Sequence[str] = CENTRALIZED) -> LogFolder:
    """Read a folder of logs and pair its runs; ``centralized`` are the topology words of one model for all nodes.

    Raises:
        GossipBoundsError: as :func:`empirical.logs.folder.scan`.
    """
    found, problems = scan(folder, options or Options())
    runs, short = complete(found)
    usable, twice = distinct([run for run in runs if run.complete], centralized)
    pairs, single = paired(usable, centralized)
    problems = [*problems, *(one for one in short if one.file not in {known.file for known in problems}), *twice, *single]
    return LogFolder(tuple(runs), tuple(pairs), tuple(sorted(problems, key=lambda one: (one.file, one.problem))))


def is_centralized(run: AccuracyLog, words: Iterable[str] = CENTRALIZED) -> bool:
    """Whether one model was trained for all nodes."""
    return run.setting.topology.lower() in {word.lower() for word in words}


def complete(runs: Iterable[AccuracyLog]) -> tuple[list[AccuracyLog], list[Problem]]:
    """The runs, those that end too early marked, with a problem each.

    A run ends too early when a further row at its usual distance would still lie before the number of steps that its name promises (its
    ``early_stop``), or, where the name promises none, within the longest run that agrees with it in all but topology, shuffle and seed.
    """
    by_partner = defaultdict(list)
    for run in runs:
        by_partner[run.setting.partner(_SEED)].append(run)
    marked, problems = list[AccuracyLog](), list[Problem]()
    for group in by_partner.values():
        longest = max(int(run.steps[-1]) for run in group)
        for run in group:
            end, source = _end(run, longest)
            last = int(run.steps[-1])
            short = last + max(run.gap, 1) < end
            marked.append(replace(run, complete=run.complete and not short))
            if short:
                problems.append(Problem(run.file, f"it ends at step {last}, and {source}: it is cut short and not compared"))
    return sorted(marked, key=lambda run: run.file), problems


def _end(run: AccuracyLog, longest: int) -> tuple[int, str]:
    promised, epochs = run.setting.field(_EARLY), run.setting.field("epoch")
    # Fewer epochs than steps are promised may end the run before; how many steps an epoch has, no name says.
    if promised is not None and promised.isdecimal() and not (epochs is not None and epochs.isdecimal() and int(epochs) < int(promised)):
        return int(promised), f"its name promises {promised}"
    return longest + 1, f"the longest run of its kind ends at {longest}"


def distinct(runs: Iterable[AccuracyLog], centralized: Sequence[str]) -> tuple[list[AccuracyLog], list[Problem]]:
    """Each setting and seed once; of several logs that hold the same numbers the first is used, of contradicting ones none."""
    groups = defaultdict(list)
    for run in runs:
        shuffle = None if is_centralized(run, centralized) else run.setting.shuffle
        groups[run.setting.topology, shuffle, run.setting.partner()].append(run)
    kept, problems = list[AccuracyLog](), list[Problem]()
    for first, *others in groups.values():
        same = all(first.same_curve(other) for other in others)
        kept += [first] if same else []
        for other in others:
            told = (
                f"the numbers of {first.file} as well, which is used" if same else f"other numbers than {first.file}: neither is compared"
            )
            problems.append(Problem(other.file, f"it has the same setting and seed as {first.file}, and {told}"))
    return kept, problems


def paired(runs: Iterable[AccuracyLog], centralized: Sequence[str]) -> tuple[list[LogPair], list[Problem]]:
    """Every decentralized run with the centralized one of its setting and seed; runs without a partner are problems."""
    runs = list(runs)
    centres = {run.setting.partner(): run for run in runs if is_centralized(run, centralized)}
    others = [run for run in runs if not is_centralized(run, centralized)]
    pairs = [LogPair(run, centres[run.setting.partner()]) for run in others if run.setting.partner() in centres]
    problems = [
        Problem(run.file, f"no complete centralized run has its setting{_nearest(run, centres.values())}")
        for run in others
        if run.setting.partner() not in centres
    ]
    used = {pair.centralized.file for pair in pairs}
    problems += [
        Problem(run.file, "no complete decentralized run has its setting, so it is compared with none")
        for run in centres.values()
        if run.file not in used
    ]
    return pairs, problems


def _nearest(run: AccuracyLog, centres: Iterable[AccuracyLog]) -> str:
    """What keeps the most similar centralized run from being its partner."""
    wanted = set(run.setting.partner())
    looked_at = islice(centres, _MOST_COMPARED)
    differing = [sorted({str(name) for name, _ in wanted ^ set(one.setting.partner())}) for one in looked_at]
    nearest = min(differing, key=len, default=None)
    return "" if nearest is None or len(nearest) > 3 else f"; the nearest differs in {' and '.join(nearest)}"
