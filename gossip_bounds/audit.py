"""``audit``: the verifier held to account, printed, and written as JSON, Markdown and a page."""

from __future__ import annotations

import json
from pathlib import Path

from bounds.errors import DomainError
from bounds.files import make_folder, write_text
from figures.report import audit_markdown, audit_summary, audit_tables, write_audit
from gossip_bounds.output import jsonable, print_json, print_table
from gossip_bounds.progress import progress_bar
from verify.audit import Audit
from verify.audit.audit import QUICK_TRIALS, TRIALS, run_audit

_LONG = ("What was missed, and why",)


def run(out: Path | None, *, quick: bool, trials: int | None, seed: int, jobs: int, as_json: bool) -> None:
    """Run the audit, write it below ``out``, and print it.

    Raises:
        DomainError, InputFileError: each one line.
    """
    if quick and trials is not None:
        raise DomainError(f"got both --quick and --trials {trials}; give at most one of them")
    if out is not None:
        make_folder(out)
    count = trials or (QUICK_TRIALS if quick else TRIALS)
    with progress_bar() as progress:
        found = run_audit(count, seed, jobs, progress)
    pages = [] if out is None else write(found, out, _command(quick, trials, seed), None)
    if as_json:
        print_json(found.document())
        return
    for table in audit_tables(found):
        if table.title not in _LONG:
            print(table.title)
            print_table([dict(zip(table.heads, row, strict=True)) for row in table.rows])
            print()
    print(f"{len(found.missed)} planted errors were missed; --json or --out lists them with the reasons")
    print(audit_summary(found))
    for page in pages:
        print(f"wrote {page}")


def _command(quick: bool, trials: int | None, seed: int) -> str:
    more = " --quick" if quick else f" --trials {trials}" if trials else ""
    return f"gossip-bounds audit --out out{more}{f' --seed {seed}' if seed else ''}"


def write(found: Audit, out: Path, command: str, back: str | None) -> list[Path]:
    """``audit.json``, ``audit.md`` and ``report/audit.html`` below ``out``."""
    data, text = out / "audit.json", out / "audit.md"
    write_text(data, json.dumps(jsonable(found.document()), indent=1, allow_nan=False) + "\n")
    write_text(text, audit_markdown(found, command))
    return [data, text, write_audit(found, make_folder(out / "report"), back=back)]
