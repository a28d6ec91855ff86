"""Certificates: what is known of one direction of one bound, in a form that can be saved and checked by others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from bounds.box import Box
from bounds.files import write_text
from bounds.notebook import Shown
from bounds.vocabulary import Direction

#: How the search for a proof or a witness ended.
Status = Literal["proved", "refuted", "undecided"]


@dataclass(frozen=True, slots=True)
class Witness:
    """Two admissible points that differ in one parameter (its smaller value first) and the values that ``evaluate`` gives there."""

    first: Mapping[str, float | int]
    second: Mapping[str, float | int]
    first_value: float
    second_value: float


@dataclass(frozen=True, slots=True)
class Certificate(Shown):
    """What is known of one direction of one bound.

    ``boxes`` counts the boxes and pairs of points looked at. ``tolerance`` is how far a proved direction may be violated:
    not at all. A ``mixed`` direction is proved by two witnesses: ``witness`` is against increasing, ``opposite`` against
    decreasing. A monotone direction is proved by ``proofs``, one for each case (update form, readout, parameters given,
    spectrum), which :func:`bounds.checker.check` can follow. ``given`` are optional parameters of which the certificate
    speaks only where they are given; all readings are meant when it is empty. ``update_form`` is None where the
    certificate speaks about all forms of the bound. ``reason`` says why nothing was decided.
    """

    bound: str
    parameter: str
    direction: Direction
    status: Status
    witness: Witness | None
    box: Box
    engine: str
    boxes: int
    seconds: float = field(compare=False)
    opposite: Witness | None = None
    update_form: str | None = None
    reason: str = ""
    tolerance: float = 0.0
    proofs: tuple[Mapping[str, Any], ...] = ()
    given: tuple[str, ...] = ()

    def document(self, proofs: bool = False) -> dict[str, Any]:
        """The JSON document, with the proofs only where they are asked for: they can be long.

        The second witness of a ``mixed`` direction stands inside the first, under ``opposite``.
        """
        content = asdict(self)
        opposite, steps = content.pop("opposite"), list(content.pop("proofs"))
        if opposite is not None:
            content["witness"]["opposite"] = opposite
        content |= {"schema_version": 1, "direction": self.direction.value, "given": list(self.given)}
        return content | ({"proofs": steps} if proofs else {})

    def save(self, path: str | Path) -> Path:
        """Write the document with its proofs to a JSON file, whole or not at all."""
        target = Path(path)
        write_text(target, json.dumps(self.document(proofs=True), indent=1, allow_nan=False) + "\n")
        return target
