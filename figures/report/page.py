"""The report: HTML files that need nothing but a browser: one for all verdicts, one for each paper, one for each case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bounds.files import write_bytes
from figures.calibration import CalibrationSummary, calibration_figure, power_figure, wrong_verdict
from figures.report.cases import write_cases
from figures.report.drawings import case_names, is_drawn, write_figures
from figures.report.pages import environment
from figures.report.view import ClaimView, Picture, claim_views, picture
from figures.style import to_png
from figures.words import join_words
from verify.papers import paper
from verify.verdict import CaseResult, Verdict


def write_report(
    results: Sequence[CaseResult],
    folder: Path,
    *,
    title: str,
    run_facts: Mapping[str, str],
    calibration: CalibrationSummary | None,
    certificates: bool = False,
    audit: bool = False,
    data: bool = False,
    commands: Mapping[str, str] | None = None,
) -> Path:
    """Write ``folder/index.html``, all verdicts, one page per paper, and one page per case with its evidence; return the first one's path.

    Figures named in ``results`` (see :func:`write_figures`) are embedded as they lie on the disk; cases with curves that
    are not drawn yet are drawn first. ``certificates`` and ``audit`` link to those pages beside it, ``data`` to the files
    named by :func:`curve_files` and :func:`table_files` and to ``results.json`` in the folder above. ``commands`` holds for
    a claim the command that runs it again; that of the whole report is the entry ``command`` of ``run_facts``. The same results give the same bytes.

    Raises:
        InputFileError: when a figure cannot be read, or a file cannot be written.
    """
    folder = Path(folder).resolve()
    names = case_names(results)
    if not all(is_drawn(result, name, folder) for result, name in zip(results, names, strict=True)):
        results = write_figures(results, folder)
    claims = claim_views(results, names, folder.parent)
    papers = [_paper_page(name, claims, results) for name in dict.fromkeys(result.paper for result in results)]
    overview: dict[str, Any] = {
        "certificates": certificates,
        "audit": audit,
        "papers": papers,
        "run_facts": dict(run_facts),
        "calibration": calibration,
        "calibration_pictures": _calibration_pictures(calibration),
        "words": [(verdict, _named(verdict)) for verdict in Verdict],
        "cases": len(results),
    }
    write_cases(results, claims, folder, commands=commands or {}, whole=run_facts.get("command"), data=data)
    for page in papers:
        own = [result for result in results if result.paper == page.name]
        _write(folder / page.file, "paper.html.jinja", f"{page.title}: claims and verdicts", own, page.claims, {"paper": page})
    return _write(folder / "index.html", "page.html.jinja", title, results, claims, overview)


#: A verdict, its word, and how many cases it ended.
Count = tuple[Verdict, str, int]


@dataclass(frozen=True, slots=True)
class PaperPage:
    """One paper's page: its file, its names, its claims, and how many of its cases ended how."""

    name: str
    file: str
    title: str
    source: str
    counts: tuple[Count, ...]
    cases: int
    claims: tuple[ClaimView, ...]


def _paper_page(name: str, claims: Sequence[ClaimView], results: Sequence[CaseResult]) -> PaperPage:
    own = tuple(claim for claim in claims if claim.paper == name)
    known, members = paper(name), [result for result in results if result.paper == name]
    return PaperPage(name, own[0].file, known.title, known.source, tuple(_counts(members)), len(members), own)


def _write(
    target: Path, template: str, title: str, results: Sequence[CaseResult], claims: Sequence[ClaimView], more: Mapping[str, Any]
) -> Path:
    common = {"title": title, "summary": summary(results), "counts": _counts(results), "claims": claims}
    write_bytes(target, environment().get_template(template).render(**common, **more).encode("utf-8"))
    return target


def summary(results: Sequence[CaseResult]) -> str:
    """Two sentences: how many cases of how many claims ended how, and how many passes carry no information."""
    if not results:
        return "No case was checked. There is nothing to conclude."
    cases, claims = len(results), len({result.claim for result in results})
    vacuous = sum(result.vacuous is True for result in results)
    first = f"{_counted(cases, 'case')} of {_counted(claims, 'claim')} ended as follows: {_ended(results)}."
    if vacuous == 0:
        return f"{first} No bound is known to be vacuous (larger than the trivial bound)."
    return f"{first} In {_counted(vacuous, 'case')} the bound exceeds the trivial one (VACUOUS), so a pass there carries no information."


def _ended(results: Sequence[CaseResult]) -> str:
    return join_words([f"{count} {name}" for _, name, count in _counts(results)])


def _counts(results: Sequence[CaseResult]) -> list[Count]:
    counter = Counter(result.verdict for result in results)
    return [(verdict, _named(verdict), counter[verdict]) for verdict in Verdict]


def _named(verdict: Verdict) -> str:
    return verdict.name.replace("_", " ")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _calibration_pictures(calibration: CalibrationSummary | None) -> list[Picture]:
    if calibration is None:
        return []
    pictures = []
    if calibration.false_alarms:
        alt = "; ".join(f"{row['noise']}, false {wrong_verdict(row)}: {100 * row['rate']:.3g} %" for row in calibration.false_alarms)
        figure = calibration_figure(calibration.false_alarms, calibration.level)
        words = f"How often a verdict is wrong, by kind of noise, against the nominal {100 * calibration.level:.3g} %."
        pictures.append(picture(to_png(figure), f"Rates of wrong verdicts by kind of noise. {alt}.", words))
    if calibration.power:
        columns = ([row[name] for row in calibration.power] for name in ("factor", "rate", "low", "high"))
        alt = "; ".join(f"factor {row['factor']:.3g}: {100 * row['rate']:.3g} %" for row in calibration.power)
        words = "How often a planted violation is called VIOLATED, over the factor that tightened the true bound."
        pictures.append(picture(to_png(power_figure(*columns)), f"Power by planted violation. {alt}.", words))
    return pictures
