"""The report page: one HTML file that needs nothing but a browser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bounds.files import write_bytes
from figures.calibration import CalibrationSummary, calibration_figure, power_figure, wrong_verdict
from figures.report.drawings import case_names, is_drawn, write_figures
from figures.report.numbers import number
from figures.report.view import MARKS, Picture, claim_views, picture
from figures.style import to_png
from figures.words import join_words
from verify.verdict import CaseResult, Verdict


def write_report(
    results: Sequence[CaseResult],
    folder: Path,
    *,
    title: str,
    run_facts: Mapping[str, str],
    calibration: CalibrationSummary | None,
    certificates: bool = False,
) -> Path:
    """Write ``folder/index.html`` with every figure inside it, and return its path.

    Figures named in ``results`` (see :func:`write_figures`) are embedded as they lie on the disk; cases with curves that
    are not drawn yet are drawn first. ``certificates`` links to the certificates page beside it. The same results give the
    same bytes.

    Raises:
        InputFileError: when a figure cannot be read, or a file cannot be written.
    """
    folder = Path(folder).resolve()
    names = case_names(results)
    if not all(is_drawn(result, name, folder) for result, name in zip(results, names, strict=True)):
        results = write_figures(results, folder)
    claims = claim_views(results, names, folder.parent)
    page = (
        environment()
        .get_template("page.html.jinja")
        .render(
            title=title,
            summary=summary(results),
            counts=[(verdict, _named(verdict), MARKS[verdict], count) for verdict, count in _counts(results).items()],
            claims=claims,
            certificates=certificates,
            run_facts=dict(run_facts),
            calibration=calibration,
            calibration_pictures=_calibration_pictures(calibration),
            verdicts=[(_named(verdict), MARKS[verdict], verdict.name.lower(), verdict.value) for verdict in Verdict],
        )
    )
    target = folder / "index.html"
    write_bytes(target, page.encode("utf-8"))
    return target


def summary(results: Sequence[CaseResult]) -> str:
    """Two sentences: how many cases of how many claims ended how, and how many passes carry no information."""
    if not results:
        return "No case was checked. There is nothing to conclude."
    counts = join_words([f"{count} {_named(verdict)}" for verdict, count in _counts(results).items()])
    cases, claims = len(results), len({result.claim for result in results})
    vacuous = sum(result.vacuous is True for result in results)
    first = f"{_counted(cases, 'case')} of {_counted(claims, 'claim')} ended as follows: {counts}."
    if vacuous == 0:
        return f"{first} No bound is known to be vacuous (larger than the trivial bound)."
    return f"{first} In {_counted(vacuous, 'case')} the bound exceeds the trivial one (VACUOUS), so a pass there carries no information."


def _counts(results: Sequence[CaseResult]) -> dict[Verdict, int]:
    counter = Counter(result.verdict for result in results)
    return {verdict: counter[verdict] for verdict in Verdict}


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


@cache
def environment() -> Environment:
    """The templates of this folder; what they are given is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = number
    return environment
