"""The runs that the claims about factors and gossip start from: small, unprojected, on problems with proved constants."""

from __future__ import annotations

from typing import Any

from empirical import Run
from empirical.data.folder import data_folder
from verify.claims.core import Budget, base_run
from verify.claims.multigossip.common import PROBLEMS

_MLP = "mlp-fashion-mnist:test:2000"
WORDS = {"softmax-digits": "softmax", "sigmoid-digits": "sigmoid", "network-digits": "network", _MLP: "mlp"}
#: Steps large enough for the training sets to be fitted: there is a generalization error to compare.
_STEPS: dict[str, dict[str, float]] = {
    "softmax-digits": {"eta": 0.5},
    "sigmoid-digits": {"c": 30.0},
    "network-digits": {"c": 30.0},
    _MLP: {"eta": 0.5},
}
#: Replicates are cheap on the one, and dear on the last.
_SCALES = {"sigmoid-digits": 4.0, _MLP: 0.25}
_QUICK = 0.6


def problems(budget: Budget, images: bool = True) -> tuple[str, ...]:
    """The problems on digits; with ``images`` also a perceptron on Fashion-MNIST, where a folder has it and the budget is not quick."""
    folder = data_folder()
    there = folder is not None and (folder / "fashion-mnist").is_dir()
    return (*PROBLEMS, _MLP) if images and there and budget.name != "quick" else PROBLEMS


def run(budget: Budget, seed: int, problem: str, scale: float = 1.0, **change: Any) -> Run:
    """8 nodes of 16 samples on a ring, 200 steps (100 in a quick report, 50 of the perceptron), ATC, without projection."""
    common: dict[str, Any] = {"radius": None, "T": 100 if budget.name == "quick" else 200, **_STEPS[problem]}
    if problem == _MLP:
        common |= {"T": 50, "twins": 2}
    share = _QUICK if budget.name == "quick" else 1.0
    common["replicates"] = max(10, round(budget.replicates * share * scale * _SCALES.get(problem, 1.0)))
    return base_run(budget, seed, problem, **(common | change))
