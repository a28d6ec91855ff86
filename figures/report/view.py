"""What the page says about each case, in words and HTML numbers: the templates only lay it out."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from bounds.files import read_bytes
from bounds.setting import Constant, Fact
from bounds.symbols import REGISTRY
from bounds.vocabulary import Readout, UpdateForm
from figures.report.drawings import map_mark, slug
from figures.report.numbers import digits_apart, number, times
from figures.style import PIXELS_PER_INCH
from figures.words import (
    alt_text,
    band_words,
    curve_words,
    fact_words,
    limits,
    map_alt_text,
    map_caption,
    other_conditions,
    reference_words,
    shown_words,
)
from verify.verdict import CaseResult, Curve


@dataclass(frozen=True, slots=True)
class Picture:
    """One embedded picture: ``data`` is a data URI, ``width`` and ``height`` are in CSS pixels."""

    data: str
    alt: str
    caption: str
    width: int
    height: int

    @property
    def wide(self) -> bool:
        """Whether it needs the page's full width."""
        return self.width > 800


@dataclass(frozen=True, slots=True)
class Entry:
    """A name with its meaning, value and remarks: a row of the tables of conditions and of constants."""

    name: str
    meaning: str
    value: Markup
    tag: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table of a case: the values behind one panel, for readers who cannot use the picture, or one that belongs to its evidence."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Markup, ...], ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything the page shows of one case."""

    name: str
    claim: str
    case: str
    statement: str
    verdict: str
    sentence: str
    style: str
    reason: str
    why: str
    evidence: str
    update_form: str
    update_form_label: str
    readout: str
    readout_label: str
    vacuous: bool | None
    measured: Markup
    band: Markup | None
    bound: Markup
    tightness: Markup
    replicates: int | None
    more_replicates: int | None
    limits: tuple[str, ...]
    conditions: tuple[Entry, ...]
    constants: tuple[Entry, ...]
    pictures: tuple[Picture, ...]
    tables: tuple[DataTable, ...]
    findings: tuple[DataTable, ...]

    @property
    def anchor(self) -> str:
        """Its row on the page of its paper."""
        return f"case-{self.name}"

    @property
    def file(self) -> str:
        """The page with its evidence, relative to the report."""
        return f"cases/{self.name}.html"


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One claim with its cases, in the order given; ``file`` is the page that shows them."""

    file: str
    anchor: str
    claim: str
    paper: str
    statement: str
    cases: tuple[CaseView, ...]


def claim_views(results: Sequence[CaseResult], names: Sequence[str], root: Path) -> list[ClaimView]:
    """Group the cases by claim, in order of first appearance; ``root`` is the folder that figure paths start from."""
    files = page_files(list(dict.fromkeys(result.paper for result in results)))
    grouped: dict[str, list[tuple[CaseResult, str]]] = {}
    for result, name in zip(results, names, strict=True):
        grouped.setdefault(result.claim, []).append((result, name))
    views = []
    for index, (claim, members) in enumerate(grouped.items(), start=1):
        first = members[0][0]
        cases = tuple(case_view(result, name, root) for result, name in members)
        views.append(ClaimView(files[first.paper], f"claim-{index}", claim, first.paper, first.statement, cases))
    return views


def page_files(papers: Sequence[str]) -> dict[str, str]:
    """The file of each paper's page: its name, made fit for a file, and no two alike."""
    taken, files = {"index", "certificates", "audit", "logs"}, {}
    for paper in papers:
        base = slug(paper)
        name = next(name for name in (base, *(f"{base}-{count}" for count in range(2, 9999))) if name.lower() not in taken)
        taken.add(name.lower())
        files[paper] = f"{name}.html"
    return files


def first_sentence(text: str) -> str:
    """Up to the first full stop that a capital letter follows."""
    return re.split(r"(?<=[.])\s+(?=[A-Z])", text, maxsplit=1)[0]


def case_view(result: CaseResult, name: str, root: Path) -> CaseView:
    """Put one case into words; ``name`` is that of its files."""
    numbers = result.numbers
    digits = digits_apart([numbers.measured, numbers.low, numbers.high, numbers.bound])
    banded = numbers.low is not None or numbers.high is not None
    band = Markup("[{}, {}]").format(number(numbers.low, digits), number(numbers.high, digits)) if banded else None
    return CaseView(
        name=name,
        claim=result.claim,
        case=result.case,
        statement=result.statement,
        verdict=result.verdict.name.replace("_", " "),
        sentence=result.verdict.value,
        style=result.verdict.name.lower(),
        reason=result.reason,
        why=first_sentence(result.reason),
        evidence=result.evidence.value,
        update_form=result.update_form,
        update_form_label=_label(UpdateForm, result.update_form),
        readout=result.readout.replace("_", " "),
        readout_label=_label(Readout, result.readout),
        vacuous=result.vacuous,
        measured=number(numbers.measured, digits),
        band=band,
        bound=number(numbers.bound, digits),
        tightness=times(numbers.tightness),
        replicates=numbers.replicates,
        more_replicates=numbers.more_replicates,
        limits=tuple(limits(result)),
        conditions=_conditions(other_conditions(result)),
        constants=_constants(result.constants),
        pictures=_pictures(result, root),
        tables=tuple(_data_table(curve, result) for curve in result.curves),
        findings=tuple(DataTable(table.title, table.heads, tuple(tuple(map(_cell, row)) for row in table.rows)) for table in result.tables),
    )


def _label(words: type[UpdateForm] | type[Readout], value: str) -> str:
    return next((word.label for word in words if word.value == value), value.replace("_", " "))


def _meaning(name: str) -> str:
    return REGISTRY[name].meaning if name in REGISTRY else ""


def _conditions(facts: Mapping[str, Fact]) -> tuple[Entry, ...]:
    return tuple(Entry(name, _meaning(name), _fact(value)) for name, value in facts.items())


def _cell(value: Fact) -> Markup:
    return number(value, 4) if isinstance(value, float) else Markup.escape(fact_words(value))


def _fact(value: Fact) -> Markup:
    return number(value, 6) if isinstance(value, float) else Markup.escape(fact_words(value))


def _constants(constants: Mapping[str, Constant]) -> tuple[Entry, ...]:
    return tuple(Entry(name, _meaning(name), number(one.value), one.tag, one.source) for name, one in constants.items())


def _pictures(result: CaseResult, root: Path) -> tuple[Picture, ...]:
    embedded = [path for path in result.figures if path.endswith(".png")]
    return tuple(picture(read_bytes(root / path), *_words(path, result)) for path in embedded)


def _words(path: str, result: CaseResult) -> tuple[str, str]:
    """Alternative text and caption: of the map whose file this is, else of the curves."""
    for index, one in enumerate(result.maps):
        if path.endswith(f"{map_mark(index)}.png"):
            return map_alt_text(one, result), map_caption(one)
    return alt_text(result), shown_words(result)


def picture(png: bytes, alt: str, words: str) -> Picture:
    """Embed a PNG; its size comes from its header, at the resolution that ``figures.style`` draws with."""
    width, height = (int.from_bytes(png[start : start + 4], "big") * 96 // PIXELS_PER_INCH for start in (16, 20))
    return Picture(f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}", alt, words, width, height)


def _data_table(curve: Curve, result: CaseResult) -> DataTable:
    heads = [f"{curve.parameter.meaning} ({curve.parameter.name})", "mean", "low", "high"]
    columns = [curve.x, curve.mean, curve.low, curve.high]
    if curve.bound is not None:
        heads.append(reference_words(curve))
        columns.append(curve.bound)
    rows = []
    for values in zip(*(column.tolist() for column in columns), strict=True):
        digits = digits_apart(values[1:])
        rows.append((number(values[0], 6), *(number(value, digits) for value in values[1:])))
    title = f"{curve_words(curve)}: {band_words(curve, result.evidence)}"
    return DataTable(title, tuple(heads), tuple(rows))
