"""The runs that the claims about factors and gossip start from: small, unprojected, on problems with proved constants."""

from __future__ import annotations

from typing import Any

from empirical import Run
from verify.claims.core import Budget, base_run
from verify.claims.images import image_problems
from verify.claims.multigossip.common import PROBLEMS

#: By model: steps large enough for the training sets to be fitted, so that there is a generalization error to compare.
_STEPS: dict[str, dict[str, float]] = {
    "softmax": {"eta": 0.5},
    "sigmoid": {"c": 30.0},
    "network": {"c": 30.0},
    "mlp": {"eta": 0.5},
    "cnn": {"eta": 0.02},
}
_LENGTHS = {"mlp": 50, "cnn": 20}
#: Replicates are cheap on the one, and dear on images.
_SCALES = {"sigmoid": 4.0, "mlp": 0.25, "cnn": 0.05}
_QUICK = 0.45


def model(problem: str) -> str:
    """A problem's word in a case's name: its loss or model, each of which has one data set here."""
    return problem.partition("-")[0]


def problems(budget: Budget, images: bool = True) -> tuple[str, ...]:
    """The problems on digits; with ``images`` also networks on images, where the budget has them and the user has the data."""
    return PROBLEMS + (image_problems(budget) if images else ())


def run(budget: Budget, seed: int, problem: str, scale: float = 1.0, **change: Any) -> Run:
    """8 nodes of 16 samples on a ring, 200 steps (100 in a quick report, 50 and 20 on images), ATC, without projection."""
    name = model(problem)
    common: dict[str, Any] = {"radius": None, "T": 100 if budget.name == "quick" else 200, **_STEPS[name]}
    if name in _LENGTHS:
        common |= {"T": _LENGTHS[name], "twins": 2}
    share = _QUICK if budget.name == "quick" else 1.0
    common["replicates"] = max(10, round(budget.replicates * share * scale * _SCALES.get(name, 1.0)))
    return base_run(budget, seed, problem, **(common | change))
