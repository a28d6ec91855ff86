"""The page "How far to trust this page": false alarms, planted errors and power, as tables of text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bounds.files import write_bytes
from figures.report.pages import environment
from verify.audit import CLASSES, NOMINAL, PUBLISHED, TRAINING, Audit, Cell, keeps, why_missed
from verify.statistics import MIN_REPLICATES, POWER, Rate

TITLE = "How far to trust this page"
_CATCHERS = ("verdict", "contract", "proof", "missed")
_LAWS = (*NOMINAL, *PUBLISHED, TRAINING)
_CALLED = {"tightening": "errors that tighten a bound", "mistake": "named mistakes", "loosening": "errors that loosen one"}
_MEANT = {
    "tightening": "formula made smaller somewhere: it claims too much",
    "mistake": "named mistakes, in formulas, labels, runs and readings",
    "loosening": "formula made larger, where a test asks for equality",
}


@dataclass(frozen=True, slots=True)
class AuditTable:
    """A table with what must be known to read it; all cells are text."""

    title: str
    note: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def audit_tables(audit: Audit) -> list[AuditTable]:
    """The tables of the page, in its order."""
    return [_alarms(audit), _classes(audit), _named(audit), _missed(audit), _power(audit), _forecasts(audit)]


def audit_summary(audit: Audit) -> str:
    """The promises in a few sentences, with what was found."""
    wrong = audit.false_alarm
    broken = [f"{one.noise.replace('_', '-')} at {one.replicates}" for one in audit.cells if not keeps(one)]
    kept = f"not kept for {', '.join(broken)}" if broken else f"kept from {audit.least_replicates} replicates on"
    caught = ", ".join(f"{_share(audit.caught(kind))} of {len(audit.counted(kind))} {_CALLED[kind]}" for kind in CLASSES)
    return (
        f"Where the bound is exactly the truth, a verdict says VIOLATED in {_share(wrong)} [{100 * wrong.low:.2f}, {100 * wrong.high:.2f}] of "
        f"{wrong.trials} trials with Gaussian, right-skewed or bounded noise and at least 20 replicates; the promises about single cells are {kept}. "
        f"Below {MIN_REPLICATES} replicates every verdict is UNDECIDED. Caught were {caught}."
    )


def write_audit(audit: Audit, folder: Path, *, back: str | None = None) -> Path:
    """Write ``folder/audit.html`` and return its path; ``back`` is the page that it links to.

    Raises:
        InputFileError: when the file cannot be written.
    """
    page = (
        environment()
        .get_template("audit.html.jinja")
        .render(title=TITLE, back=back, summary=audit_summary(audit), tables=audit_tables(audit))
    )
    target = Path(folder) / "audit.html"
    write_bytes(target, page.encode("utf-8"))
    return target


def audit_markdown(audit: Audit, command: str) -> str:
    """The same tables in Markdown; ``command`` makes them again."""
    parts = [f"# {TITLE}", f"Written by `{command}`.", audit_summary(audit)]
    for table in audit_tables(audit):
        lines = [_line(table.heads), _line(["---"] * len(table.heads)), *map(_line, table.rows)]
        parts += [f"## {table.title}", table.note, "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _line(cells: Iterable[str]) -> str:
    # A bar inside a formula would end its cell.
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _share(found: Rate) -> str:
    return f"{100 * found.rate:.2f} %"


def _interval(found: Rate) -> str:
    return f"{100 * found.rate:.2f} [{100 * found.low:.2f}, {100 * found.high:.2f}]"


def _alarms(audit: Audit) -> AuditTable:
    counts = sorted({one.replicates for one in audit.cells})
    found = {(one.noise, one.points, one.replicates): one for one in audit.cells}
    rows = []
    for noise, points in sorted({(one.noise, one.points) for one in audit.cells}, key=lambda pair: (_LAWS.index(pair[0]), pair[1])):
        for verdict, read in (("VIOLATED", _violated), ("HOLDS", _holds)):
            cells = [_interval(read(found[noise, points, count])) if (noise, points, count) in found else "" for count in counts]
            rows.append((noise.replace("_", " "), str(points), verdict, *cells))
    note = (
        f"Per cent of {audit.trials} trials, with 95 % intervals, by number of replicates; the nominal level is 5. VIOLATED where the bound is the "
        "truth at every point of a curve, HOLDS where it is the truth at one and far above it at the others. Gaussian, right-skewed and bounded: "
        "the interval of VIOLATED must reach down to 5 from 20 replicates on. Left-skewed and heavy-tailed (Student's t, 3 degrees of freedom): "
        "below 10 from 50 on. Training runs: linear losses with antithetic twins, where the bound is attained. "
        f"Below {MIN_REPLICATES} replicates the rates are those that the bands alone would have: there every verdict is UNDECIDED by rule."
    )
    return AuditTable("False alarms", note, ("noise", "points", "wrong verdict", *map(str, counts)), tuple(rows))


def _violated(one: Cell) -> Rate:
    return one.violated


def _holds(one: Cell) -> Rate:
    return one.holds


def _classes(audit: Audit) -> AuditTable:
    rows = []
    for kind in CLASSES:
        by = audit.catchers(kind)
        rows.append((kind, _MEANT[kind], str(sum(by.values())), *(str(by[name]) for name in _CATCHERS), _interval(audit.caught(kind))))
    note = (
        "What caught a planted error first: a verdict on exact values or runs; a contract (reductions, the own recursion, units, having a value, "
        "being attained); a certified counterexample to a declared direction. Each bound was halved and doubled, each symbol left out and raised "
        "by a half power, each exponent changed by 1/2, the gap put in the place of lambda."
    )
    return AuditTable("Planted errors by class", note, ("class", "what it is", "planted", *_CATCHERS, "caught in %"), tuple(rows))


def _named(audit: Audit) -> AuditTable:
    chosen = [one for one in audit.mutants if one.kind == "mistake"]
    rules = dict.fromkeys(one.rule for one in chosen)
    rows = []
    for rule in rules:
        of_rule = [one for one in chosen if one.rule == rule]
        rows.append((rule, str(len(of_rule)), *(str(sum(one.caught_by == name for one in of_rule)) for name in _CATCHERS)))
    return AuditTable("Named mistakes", "Each tried on several bounds or runs.", ("mistake", "planted", *_CATCHERS), tuple(rows))


def _missed(audit: Audit) -> AuditTable:
    rows = tuple((one.kind, one.name, why_missed(one)) for one in audit.missed)
    return AuditTable(
        "What was missed, and why", "A miss is a place where a wrong formula would pass today.", ("class", "error", "why"), rows
    )


def _power(audit: Audit) -> AuditTable:
    counts = sorted({one.replicates for one in audit.power})
    found = {(one.slack, one.factor, one.replicates): one for one in audit.power}
    rows = []
    for slack, factor in dict.fromkeys((one.slack, one.factor) for one in audit.power):
        here = [found[slack, factor, count] for count in counts]
        rows.append((f"{slack:g}", f"{factor:g}", *(f"{100 * one.violated.rate:.0f} / {100 * one.holds.rate:.0f}" for one in here)))
    note = (
        "Per cent VIOLATED / per cent HOLDS, by number of replicates, when the right bound is `slack` times the truth and an error multiplies it by "
        "`factor`; Gaussian noise of half the mean in one replicate. An error that stays within the slack cannot be seen by any number of runs."
    )
    return AuditTable("Power", note, ("slack", "factor", *map(str, counts)), tuple(rows))


def _forecasts(audit: Audit) -> AuditTable:
    rows = tuple((f"{one.ratio:g}", str(one.decided.trials), _interval(one.decided)) for one in audit.forecasts)
    note = (
        f"UNDECIDED verdicts say how many more replicates would decide with a chance of {100 * POWER:.0f} %. Of the trials that stayed UNDECIDED at 20 "
        "replicates, how often fresh data of the size asked for decided."
    )
    return AuditTable("Replicates asked for", note, ("bound over truth", "followed", "decided in %"), rows)
