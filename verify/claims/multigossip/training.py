"""The training runs behind the claims about optimization, the centralized method and orders; no projection, so that theory applies."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from bounds.topology import MixingMatrix
from bounds.vocabulary import UpdateForm
from empirical import Run
from verify.claims.core import Budget
from verify.claims.images import image_problems
from verify.claims.multigossip.common import PROBLEMS

#: The paper's schedule c/t with the non-convex losses, a constant step with the convex one.
_STEPS: dict[str, dict[str, float]] = {
    "softmax": {"eta": 0.5},
    "sigmoid": {"c": 4.0},
    "network": {"c": 3.0},
    "mlp": {"eta": 0.1},
    "cnn": {"eta": 0.002},
}
#: Replicates are averaged in this many blocks before they are resampled: independent still, less skewed, and cheaper by far.
GROUPS = 64
_DECAYING = _STEPS | {"softmax": {"c": 1.0}}


def word(problem: str) -> str:
    """A problem's word in a case's name: its loss, and its data where they are not the digits."""
    loss, _, data = problem.partition("-")
    return loss if data == "digits" else f"{loss}-{data.partition(':')[0]}"


def problems(budget: Budget) -> tuple[str, ...]:
    """Softmax regression, the sigmoid loss and the small network on digits; networks on images where there are any."""
    return PROBLEMS + image_problems(budget)


def is_small(problem: str) -> bool:
    """Whether runs on this problem are cheap enough for many replicates."""
    return problem in PROBLEMS


def training_run(problem: str, seed: int, replicates: int, decaying: bool = False, **change: Any) -> Run:
    """ATC on 8 nodes of 16 samples, unprojected; ``decaying`` asks for steps c/t also where the loss is convex."""
    steps = (_DECAYING if decaying else _STEPS)[problem.partition("-")[0]]
    common: dict[str, Any] = {"update_form": UpdateForm.ATC, "m": 8, "n": 16, "replicates": replicates, "seed": seed}
    return Run(problem=problem, **(common | steps | change))


@cache
def half_mixed(m: int) -> MixingMatrix:
    """(I + J)/2: every node keeps half of its model and takes half of the network mean, so that the gap is 1/2 for every m."""
    return MixingMatrix(np.eye(m) / 2 + np.full((m, m), 1 / (2 * m)), name="half mixed")
