"""``audit``: the verifier itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gossip_bounds.commands.options import Json


def audit(
    out: Annotated[Path | None, typer.Option(help="Folder for audit.json, audit.md and report/audit.html.", metavar="DIR")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the trials: wider intervals.")] = False,
    trials: Annotated[int | None, typer.Option(help="Trials of each cell of the false alarms; 4000 if left out.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Master seed; the same seed gives the same numbers.")] = 0,
    jobs: Annotated[int, typer.Option(help="Worker processes; 0 means one per core.", min=0)] = 0,
    json: Json = False,
) -> None:
    """Measure the verifier: false alarms where the truth is known, planted errors caught and missed, power."""
    from gossip_bounds.audit import run

    run(out, quick=quick, trials=trials, seed=seed, jobs=jobs, as_json=json)
