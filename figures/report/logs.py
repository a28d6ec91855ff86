"""The page of other people's logs: what every run reached, what every pair supports, and a picture per network and data set."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bounds.files import write_bytes
from empirical.logs import AccuracyLog, LogPair, is_centralized
from figures.learning_curves import Line, Panel, learning_curves
from figures.report.pages import environment
from figures.report.view import Picture, picture
from figures.style import to_png
from figures.words import join_words
from verify.logged import FLOOR_WORDS, Late, PairResult, Pooled, Study, network_words, setting_words
from verify.verdict import Verdict

_PANEL_FIELDS = ("lr", "warmup")
_FIGURES = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A pair or a pooled difference as the page shows it."""

    head: str
    files: tuple[str, ...]
    difference: str
    interval: str
    verdict: str
    style: str
    reason: str


def write_logs_page(study: Study, folder: Path, *, title: str, centralized: Sequence[str]) -> Path:
    """Write ``folder/logs.html``, which needs nothing but a browser, and return its path; the same logs give the same bytes.

    Raises:
        InputFileError: when the file cannot be written.
    """
    runs, groups = study.folder.runs, _groups(study.folder.pairs)
    page = (
        environment()
        .get_template("logs.html.jinja")
        .render(
            title=title,
            summary=summary(study),
            floor=f"{study.support.floor:.2f}",
            floor_words=FLOOR_WORDS,
            confidence=f"{100 * (1 - study.support.level):g}",
            pooled=[_pooled(one) for one in study.pooled],
            pairs=[_pair(one) for one in study.pairs],
            runs=[_run(one, study.late[one.file]) for one in sorted(runs, key=_order)],
            problems=study.folder.problems,
            pictures=[_picture(members, centralized) for members in list(groups.values())[:_FIGURES]],
            left_out=max(len(groups) - _FIGURES, 0),
        )
    )
    target = Path(folder) / "logs.html"
    write_bytes(target, page.encode("utf-8"))
    return target


def summary(study: Study) -> str:
    """How many runs, pairs and problems there are, and how the pairs ended."""
    counts = Counter(one.verdict for one in study.pairs)
    ended = join_words([f"{counts[verdict]} {verdict.name}" for verdict in (Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNDECIDED)])
    told = (
        f" \N{LEFT DOUBLE QUOTATION MARK}Decentralized is better\N{RIGHT DOUBLE QUOTATION MARK} ends as follows: {ended}."
        if study.pairs
        else ""
    )
    return f"{len(study.folder.runs)} runs, {len(study.pairs)} pairs, {len(study.folder.problems)} problems.{told}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _interval(ends: tuple[float, float] | None) -> str:
    return "none" if ends is None else f"[{_signed(ends[0])}, {_signed(ends[1])}]"


def _row(head: str, files: tuple[str, ...], one: PairResult | Pooled) -> Row:
    found = one.verdict
    return Row(head, files, _signed(one.difference), _interval(one.interval), found.name, found.name.lower(), one.reason)


def _pair(one: PairResult) -> Row:
    pair = one.pair
    seed = pair.decentralized.setting.field("seed")
    words = setting_words(pair.decentralized.setting) + _step_size(pair.decentralized) + ("" if seed is None else f", seed {seed}")
    return _row(words, (pair.decentralized.file, pair.centralized.file), one)


def _step_size(run: AccuracyLog) -> str:
    lr = run.setting.field("lr")
    return "" if lr is None else f", step size {lr}"


def _pooled(one: Pooled) -> Row:
    names = {"all": "all pairs", "seeds": f"{one.seeds} seeds of {one.value}"}
    name = names.get(one.by, f"{one.by.replace('_', ' ')} {one.value}")
    return _row(f"{name} ({one.pairs} pairs, {one.centralized} centralized runs)", (), one)


def _order(run: AccuracyLog) -> tuple[str, str, int, str, str]:
    ran = run.setting
    return ran.dataset or "", ran.model or "", ran.total_batch or 0, ran.topology, run.file


def _run(run: AccuracyLog, late: Late | None) -> Mapping[str, str]:
    return {
        "head": setting_words(run.setting) + _step_size(run),
        "file": run.file,
        "final": f"{run.final:.2f}",
        "best": f"{run.best:.2f}",
        "late": "none" if late is None else f"{late.mean:.2f} ({late.spread:.2f})",
        "complete": "yes" if run.complete else "no",
    }


def _groups(pairs: Sequence[LogPair]) -> dict[tuple[object, ...], list[LogPair]]:
    found: dict[tuple[object, ...], list[LogPair]] = defaultdict(list)
    for pair in pairs:
        found[pair.centralized.setting.partner("local_batch", "seed", *_PANEL_FIELDS)].append(pair)
    return found


def _picture(pairs: Sequence[LogPair], centralized: Sequence[str]) -> Picture:
    first = pairs[0].centralized
    optimizer = "" if first.setting.optimizer == "sgd" else first.setting.optimizer
    name = ", ".join(filter(None, [network_words(first.setting), optimizer])) or "all runs"
    panels: dict[tuple[int, str], dict[str, AccuracyLog]] = defaultdict(dict)
    for pair in pairs:
        ran = pair.centralized.setting
        members = panels[ran.total_batch or 0, ran.field("lr") or ""]
        members |= {run.file: run for run in (pair.centralized, pair.decentralized)}
    drawn = [Panel(_panel_words(*place), tuple(_lines(members, centralized))) for place, members in sorted(panels.items())]
    ends = "; ".join(
        f"{panel.title}: " + ", ".join(f"{line.label} ends at {line.accuracy[-1]:.2f} %" for line in panel.lines) for panel in drawn
    )
    caption = f"Accuracy of the averaged model over the steps, {name}. The steep start and single collapses are cut off."
    return picture(to_png(learning_curves(name, drawn)), f"Accuracy over the steps, {name}. {ends}.", caption)


def _panel_words(total: int, lr: str) -> str:
    return ", ".join(filter(None, [f"total batch {total}" if total else "", f"step size {lr}" if lr else ""])) or "all"


def _lines(members: Mapping[str, AccuracyLog], centralized: Sequence[str]) -> list[Line]:
    ordered = sorted(members.values(), key=lambda run: (not is_centralized(run, centralized), run.setting.topology, run.file))
    references = [is_centralized(run, centralized) for run in ordered]
    return [Line(_label(run, centre), run.steps, run.accuracy, centre) for run, centre in zip(ordered, references, strict=True)]


def _label(run: AccuracyLog, reference: bool) -> str:
    shuffled = not reference and run.setting.shuffle not in (None, "fixed")
    return f"{run.setting.topology}, {run.setting.shuffle}" if shuffled else run.setting.topology
