"""The files of a case beside its page: what each is called, where it lies, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import relpath

from figures.words import curve_words
from verify.verdict import CaseResult


@dataclass(frozen=True, slots=True)
class File:
    """A link of a case's page; ``name`` is the path from the report's parent, ``target`` the one from that page."""

    name: str
    target: str
    words: str


def curve_files(result: CaseResult, name: str) -> list[str]:
    """One CSV file per curve, relative to the report's parent: every replicate at every point; ``name`` is the case's."""
    return [f"curves/{name if len(result.curves) == 1 else f'{name}-{index}'}.csv" for index in range(1, len(result.curves) + 1)]


def table_files(result: CaseResult, name: str) -> list[str]:
    """One CSV file per table of a case, relative to the report's parent."""
    return [f"tables/{name}-{index}.csv" for index in range(1, len(result.tables) + 1)]


def case_files(result: CaseResult, name: str, report: str, data: bool) -> list[File]:
    """What the page of a case links to; ``report`` is the name of the report's folder, and ``data`` tells that the CSV files are written."""
    found = [(path, _drawn(path)) for path in result.figures]
    if data:
        curves = zip(curve_files(result, name), result.curves, strict=True)
        tables = zip(table_files(result, name), result.tables, strict=True)
        rows = [(path, f"every replicate at every point of {curve_words(curve)}") for path, curve in curves]
        rows += [(path, f"the table \N{LEFT DOUBLE QUOTATION MARK}{table.title}\N{RIGHT DOUBLE QUOTATION MARK}") for path, table in tables]
        found = [*rows, *found, ("results.json", "this verdict and all others as data")]
    return [File(path, relpath(path, f"{report}/cases"), words) for path, words in found]


def _drawn(path: str) -> str:
    return "the figure, scalable" if path.endswith(".svg") else "the figure"
