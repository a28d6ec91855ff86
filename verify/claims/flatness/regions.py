"""Which update form has the largest excess risk, over an eigenvalue of W^Q and the step."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.vocabulary import Readout
from verify.verdict import Map

_SIZE = 120
_FORMS = ("consensus", "cta", "atc")
_LABELS = ("consensus form largest", "CTA largest", "ATC largest", "consensus form unstable")


@cache
def worst_form() -> Map:
    """Noise share of one mode at the node average, by the catalogue's closed forms; with the borders that are proved."""
    across = np.linspace(-1, 1, 2 * _SIZE + 1)[1::2]
    x = np.linspace(0, 2, 2 * _SIZE + 1)[1::2]
    largest = np.stack([_largest(float(eigenvalue), x) for eigenvalue in across], axis=1)
    positive = np.linspace(0, 1, 101)
    borders = (
        ("proved: ηρ = 2λ/(1+λ)", positive, 2 * positive / (1 + positive)),
        ("proved: stable up to ηρ = 1+λ", np.array([-1.0, 1.0]), np.array([0.0, 2.0])),
    )
    return Map(
        "the form with the largest excess risk of a mode of disagreement (noise, one Hessian, node average)",
        ("eigenvalue $\\lambda$ of $W^Q$", "step times curvature $\\eta\\rho$"), across, x, largest, _LABELS, borders,
    )  # fmt: skip


def _largest(eigenvalue: float, steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """By step the number of the form with the largest value; 3 where consensus is unstable."""
    stable = steps < 1 + eigenvalue
    given: dict[str, Any] = {"eta": steps[stable], "b": 1, "rho": [1.0], "r": [1.0], "spectrum": [1.0, eigenvalue], "Q": 1}
    values = [bounds.get(f"excess_risk_{form}").evaluate(**given, readout=Readout.NODE_AVERAGE.value) for form in _FORMS]
    found = np.full(len(steps), len(_FORMS))
    found[stable] = np.argmax(values, axis=0)
    return found
