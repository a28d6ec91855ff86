"""The rule "conjugate": found by the search, confirmed by the checker, and refused where its conditions fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

import bounds
from bounds.box import check_box
from bounds.checker import check

STEPS = {"rule": "conjugate", "parts": [{"rule": "constant"}, {"rule": "interval"}]}
ROOT = "(-1 + sqrt(1 + 4*eta*zeta2))/(2*eta)"
BOX = {"eta": (0.01, 10.0), "zeta2": (0.1, 1.0)}


def _claimed(expression: str, direction: str, box: dict[str, tuple[float, float]], proof: Any = STEPS) -> Any:
    bound = bounds.define(id="one", expression=expression, required=["eta", "zeta2"], update_forms=["atc"])
    label = {"update_form": "atc", "readout": "node_average", "given": ["eta", "zeta2"], "spectrum": None}
    subject = {"bound": "one", "parameter": "eta", "direction": direction, "status": "proved", "witness": None, "update_form": None}
    case = {**label, "sections": [], "proofs": [proof]}
    rest = {"engine": "", "boxes": 0, "seconds": 0.0, "proofs": [case]}
    return check({"schema_version": 1, **subject, "box": check_box(bound, box), **rest}, bound)


def test_a_root_of_a_quadratic_falls_and_the_proof_is_confirmed() -> None:
    bound = bounds.define(id="one", expression=ROOT, required=["eta", "zeta2"], update_forms=["atc"])
    found = bounds.certify(bound, "eta", "decreasing", BOX)
    assert found.status == "proved"
    assert found.proofs[0]["proofs"] == [STEPS]
    assert check(json.loads(json.dumps(found.document(proofs=True))), bound).accepted
    assert bounds.certify(bound, "eta", "increasing", BOX).status == "refuted"


@pytest.mark.parametrize(
    ("expression", "direction", "box"),
    [
        (ROOT, "increasing", BOX),
        # 0/0 where w is 0; e of either sign; no polynomial; another root.
        (ROOT, "decreasing", BOX | {"zeta2": (0.0, 1.0)}),
        ("(-1 + sqrt(1 + 4*(eta-1)*zeta2))/(2*(eta-1))", "decreasing", BOX),
        ("(-1 + sqrt(2 + 4*eta*zeta2))/(2*eta)", "decreasing", BOX),
        ("(-1 + sqrt(1 + 4*eta*zeta2))*(2*eta)", "decreasing", BOX),
    ],
)
def test_without_its_conditions_it_is_refused(expression: str, direction: str, box: dict[str, tuple[float, float]]) -> None:
    assert _claimed(ROOT, "decreasing", BOX).accepted
    assert not _claimed(expression, direction, box).accepted
