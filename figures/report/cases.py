"""One page per case: the statement, the evidence, what ran, and how to run it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bounds.files import make_folder, write_bytes
from figures.report.files import case_files
from figures.report.pages import environment
from figures.report.view import CaseView, ClaimView
from verify.papers import paper
from verify.verdict import CaseResult


def write_cases(
    results: Sequence[CaseResult],
    claims: Sequence[ClaimView],
    folder: Path,
    *,
    commands: Mapping[str, str],
    whole: str | None,
    data: bool,
) -> None:
    """Write ``folder/cases/<claim>--<case>.html`` for every case.

    ``commands`` names the command that runs a claim again, ``whole`` the one that made the report, and
    ``data`` tells that the CSV files lie beside it.

    Raises:
        InputFileError: when a file cannot be written.
    """
    template = environment().get_template("case.html.jinja")
    places = [(claim, case) for claim in claims for case in claim.cases]
    of_claim = {claim.claim: [result for result in results if result.claim == claim.claim] for claim in claims}
    ordered = [result for claim in claims for result in of_claim[claim.claim]]
    if places:
        make_folder(folder / "cases")
    for index, (result, (claim, case)) in enumerate(zip(ordered, places, strict=True)):
        before, after = _neighbour(places, index - 1, claim), _neighbour(places, index + 1, claim)
        text = template.render(
            title=f"{case.case}: {case.verdict} ({claim.claim})",
            case=case,
            claim=claim,
            paper=paper(claim.paper),
            files=case_files(result, case.name, folder.name, data),
            command=commands.get(claim.claim),
            whole=whole,
            before=before,
            after=after,
        )
        write_bytes(folder / case.file, text.encode("utf-8"))


def _neighbour(places: Sequence[tuple[ClaimView, CaseView]], index: int, claim: ClaimView) -> CaseView | None:
    """The case at ``index``, if it is of the same paper."""
    if not 0 <= index < len(places) or places[index][0].paper != claim.paper:
        return None
    return places[index][1]
