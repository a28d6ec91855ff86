"""The certificates page: bounds by parameters, each with an arrow, a proof mark or its witnesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bounds.certificates import Witness
from bounds.files import write_bytes
from bounds.symbols import REGISTRY
from bounds.vocabulary import Direction
from figures.report.numbers import number
from figures.report.pages import environment
from verify.certificates import CertifiedDirection

ARROWS = {
    Direction.INCREASING: "↗",
    Direction.DECREASING: "↘",
    Direction.CONSTANT: "→",
    Direction.MIXED: "↕",
    Direction.UNKNOWN: "?",
}
WORDS = {
    Direction.INCREASING: "never falls",
    Direction.DECREASING: "never rises",
    Direction.CONSTANT: "does not move",
    Direction.MIXED: "rises somewhere and falls elsewhere",
    Direction.UNKNOWN: "no direction is declared",
}
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One bound and parameter on the page; ``style`` is a class of the style sheet."""

    parameter: str
    arrow: str
    mark: str
    style: str
    words: str
    anchor: str
    reason: str
    pairs: tuple[tuple[str, str, str], ...]


def write_certificates(rows: Sequence[CertifiedDirection], folder: Path, *, title: str, back: str | None = "index.html") -> Path:
    """Write ``folder/certificates.html`` and return its path; ``back`` is the page that it links to.

    Raises:
        InputFileError: when the file cannot be written.
    """
    ids = list(dict.fromkeys(row.bound for row in rows))
    cells = {(row.bound, row.parameter): _cell(row) for row in rows}
    used = {row.parameter for row in rows}
    parameters = [name for name in REGISTRY if name in used]
    page = (
        environment()
        .get_template("certificates.html.jinja")
        .render(
            title=title,
            back=back,
            summary=summary(rows),
            parameters=[(name, REGISTRY[name].meaning) for name in parameters],
            table=[(bound, [cells.get((bound, name)) for name in parameters]) for bound in ids],
            details=[
                (bound, [cell for (owner, _), cell in cells.items() if owner == bound and (cell.pairs or cell.reason)]) for bound in ids
            ],
            legend=[(ARROWS[direction], WORDS[direction]) for direction in Direction],
        )
    )
    target = Path(folder) / "certificates.html"
    write_bytes(target, page.encode("utf-8"))
    return target


def summary(rows: Sequence[CertifiedDirection]) -> str:
    """How many directions are proved, refuted, undecided or not declared."""
    monotone = [row for row in rows if row.direction not in (Direction.MIXED, Direction.UNKNOWN)]
    mixed = [row for row in rows if row.direction is Direction.MIXED]
    open_ = sum(row.status is None for row in rows)
    counts = Counter(row.status for row in monotone)
    proved = f"{counts['proved']} of {len(monotone)} declared directions are proved on the default box"
    against = f"{counts['refuted']} refuted, {counts['undecided']} undecided"
    both = sum(row.status == "proved" for row in mixed)
    return (
        f"{proved} ({against}). {both} of {len(mixed)} that move both ways have two certified witnesses. {open_} of {len(rows)} are open."
    )


def _cell(row: CertifiedDirection) -> Cell:
    style, mark = {"proved": ("holds", "✓"), "refuted": ("violated", "✗"), "undecided": ("undecided", "…")}.get(
        str(row.status), ("not_applicable", "")
    )
    if row.direction is Direction.MIXED and row.status == "proved":
        mark = "×2"
    told = {"proved": "proved", "refuted": "refuted by a witness", "undecided": "undecided"}.get(str(row.status), "open")
    words = f"{row.bound} {WORDS[row.direction]} in {row.parameter}: {told}"
    if row.status == "proved" and row.cases:
        words += f" in {row.cases} case{'s' if row.cases > 1 else ''}"
    return Cell(
        row.parameter,
        ARROWS[row.direction],
        mark,
        style,
        words,
        f"{row.bound}--{row.parameter}",
        row.reason,
        tuple(_pair(witness, row.parameter) for witness in row.witnesses),
    )


def _pair(witness: Witness, parameter: str) -> tuple[str, str, str]:
    """What the two points share, and the value at either."""
    shared = ", ".join(f"{name} = {_text(value)}" for name, value in witness.first.items() if name != parameter)
    first, second = (
        f"{parameter} = {_text(point[parameter])}: {number(value)}"
        for point, value in ((witness.first, witness.first_value), (witness.second, witness.second_value))
    )
    return shared, first, second


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        shown = ", ".join(_text(entry) for entry in value[:_SHOWN])
        return f"[{shown}{', …' if len(value) > _SHOWN else ''}]"
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)
