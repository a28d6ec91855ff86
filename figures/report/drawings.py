"""The figures of a report: drawn, named after their case, written beside the page."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from figures.measured import case_figure
from figures.regions import region_figure
from figures.scatter import scatter_figure
from figures.style import save
from verify.plan import spread
from verify.verdict import CaseResult, Map

SUFFIXES = (".png", ".svg")


def case_names(results: Sequence[CaseResult]) -> list[str]:
    """One name per case, ``<claim>--<case>``, fit for a file and for an anchor; no two alike, not even in capitals only."""
    taken: set[str] = set()
    names = []
    for result in results:
        base = f"{slug(result.claim)}--{slug(result.case)}"
        name, count = base, 1
        while name.lower() in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name.lower())
        names.append(name)
    return names


def write_figures(results: Sequence[CaseResult], folder: Path, jobs: int = 1, sketched: Collection[str] = ()) -> list[CaseResult]:
    """Draw every case that has curves or maps into ``folder/figures`` as PNG and SVG.

    Returns the results in the same order with ``figures`` filled in: paths relative to the parent of ``folder``, with
    forward slashes, such as ``report/figures/core-convex--atc-n.png``. Cases with neither come back as they were. The drawing
    is spread over ``jobs`` processes (0: one per core). Claims in ``sketched`` get no SVG, which takes as long again as the PNG.

    Raises:
        InputFileError: when a file cannot be written.
    """
    folder = Path(folder).resolve()
    named = zip(results, case_names(results), strict=True)
    return spread(_draw, [(result, name, folder, SUFFIXES[: 1 if result.claim in sketched else 2]) for result, name in named], jobs)


def is_drawn(result: CaseResult, name: str, folder: Path) -> bool:
    """Whether ``write_figures`` has nothing left to do for this case."""
    return {path for stem in _stems(result, name) for path in _paths(stem, folder, SUFFIXES[:1])} <= set(result.figures)


def _draw(result: CaseResult, name: str, folder: Path, suffixes: Sequence[str]) -> CaseResult:
    drawn = list(result.figures)
    for stem, figure in zip(_stems(result, name), _pictures(result), strict=True):
        for suffix in suffixes:
            save(figure, folder / "figures" / f"{stem}{suffix}")
        drawn += _paths(stem, folder, suffixes)
    return replace(result, figures=tuple(dict.fromkeys(drawn)))


def _stems(result: CaseResult, name: str) -> list[str]:
    """File names without suffix: one for all curves, one for each map."""
    return [name] * bool(result.curves) + [f"{name}{map_mark(index)}" for index in range(len(result.maps))]


def map_mark(index: int) -> str:
    """What the name of the file of a case's map number ``index`` ends in."""
    return f"--map-{index + 1}"


def _pictures(result: CaseResult) -> Iterator[Figure]:
    if result.curves:
        yield case_figure(result)
    for one in result.maps:
        yield region_figure(one) if isinstance(one, Map) else scatter_figure(one)


def _paths(name: str, folder: Path, suffixes: Sequence[str]) -> list[str]:
    return [f"{folder.name}/figures/{name}{suffix}" for suffix in suffixes]


def slug(text: str) -> str:
    """Text made fit for a file name and an anchor."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:80] or "unnamed"
