"""The explorer: one self-contained page with sliders, live curves and formulas; no server, no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import bounds
from bounds.bound import Bound
from bounds.errors import DomainError
from bounds.files import write_text
from figures.explorer.model import explorer_model
from figures.templates import templates

TITLE = "Bounds of decentralized learning"
#: Shown where no bound is named.
DEFAULT = (
    "dsgd_convex",
    "dsgd_strongly_convex",
    "dsgd_nonconvex",
    "mgs_generalization_stated",
    "mgs_excess_convex",
    "consensus_distance_atc",
)


def explorer_page(chosen: Sequence[Bound] | None = None) -> str:
    """The page's HTML; the same bounds give the same text.

    Raises:
        DomainError: for a bound that is given twice, or none.
    """
    some = [bounds.get(name) for name in DEFAULT] if chosen is None else list(chosen)
    names = [bound.id for bound in some]
    if not some or len(set(names)) < len(names):
        raise DomainError(f"got {', '.join(names) or 'no bound'}; give one or more different bounds")
    # "</" would end the script element.
    model = json.dumps(explorer_model(some), ensure_ascii=False, allow_nan=False).replace("</", "<\\/")
    return templates(Path(__file__).parent).get_template("page.html.jinja").render(title=TITLE, model=model)


def write_explorer(path: Path | str, chosen: Sequence[Bound] | None = None) -> Path:
    """Write :func:`explorer_page` to a file.

    Raises:
        DomainError: as :func:`explorer_page`.
        InputFileError: when the file cannot be written.
    """
    target = Path(path)
    write_text(target, explorer_page(chosen))
    return target
