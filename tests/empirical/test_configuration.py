"""A run that cannot be meant is refused on construction, in one line that says how to fix it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from bounds.errors import GossipBoundsError
from bounds.setting import Schedule
from bounds.topology import MixingMatrix
from bounds.vocabulary import UpdateForm
from empirical.configuration import Run


def _run(**changes: Any) -> Run:
    return Run(**({"problem": "linear", "update_form": UpdateForm.ATC, "m": 4, "n": 3, "T": 10, "eta": 0.1, "replicates": 2} | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"problem": "nope"}, "unknown problem"),
        ({"update_form": "gossip"}, "unknown update form"),
        ({"m": 0}, "m takes an integer >= 1"),
        ({"n": 2.0}, "n takes an integer"),
        ({"T": True}, "T takes an integer"),
        ({"eta": 0.0}, "eta"),
        ({"eta": float("nan")}, "eta"),
        ({"eta": None}, "give one"),
        ({"c": 1.0}, "give one"),
        ({"eta": None, "c": 0.0}, "got c=0.0"),
        ({"eta": None, "c": float("nan")}, "got c=nan"),
        ({"eta": None, "c": 1.0, "tau": -1.0}, "got tau=-1.0"),
        ({"eta": None, "c": 1.0, "tau": float("nan")}, "got tau=nan"),
        ({"tau": 1.0}, "a constant step has none"),
        ({"t0": -1, "twins": 1}, "t0 takes an integer"),
        ({"t0": 11, "twins": 1}, "up to T"),
        ({"t0": 1}, "set twins or t0=0"),
        ({"split": "dirichle"}, "did you mean 'dirichlet'"),
        ({"split": "dirichlet"}, "takes a number > 0"),
        ({"split": "dirichlet", "dirichlet_alpha": 0.0}, "takes a number > 0"),
        ({"split": "label_skew", "dirichlet_alpha": 0.5}, "leave it out"),
        ({"split": "label_skew", "data": "shared"}, "use data='split'"),
        ({"radius": -1.0}, "radius"),
        ({"radius": float("inf")}, "radius"),
        ({"replicates": 0}, "replicates"),
        ({"seed": -1}, "seed"),
        ({"twins": 13}, "at most m\\*n"),
        ({"twins": 1, "data": "shared"}, "shared"),
        ({"data": "mixed"}, "unknown data"),
        ({"precision": "half"}, "unknown precision"),
        ({"sampling": "stratified"}, "stratified"),
        ({"checkpoints": (5, 5)}, "ascending"),
        ({"checkpoints": (0, 5)}, "ascending"),
        ({"checkpoints": (5, 11)}, "at|to T=10"),
        ({"checkpoints": (5.5,)}, "integers"),
        ({"topology": "moon"}, "unknown topology"),
        ({"topology": MixingMatrix(np.full((3, 3), 1 / 3))}, "set m=3"),
        ({"m": 2, "topology": MixingMatrix(np.array([[0.0, 1.0], [1.0, 0.0]]))}, "spectral gap of 0"),
    ],
)
def test_refused_in_one_line(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(GossipBoundsError, match=words) as caught:
        _run(**changes)
    assert "\n" not in str(caught.value)


def test_values_of_a_good_run() -> None:
    run = _run(update_form="consensus", checkpoints=[2, 10])
    assert run.update_form is UpdateForm.CONSENSUS
    assert run.read_at == (2, 10)
    assert run.schedule == Schedule(eta=0.1)
    assert _run(eta=None, c=2.0, tau=3.0).schedule.step(1) == 0.5
    assert _run().read_at == (10,)
    assert run.strata == (4, 3)
    assert _run(update_form="centralized").strata == (1, 12)
    assert _run(update_form="centralized", sampling="stratified").strata == (4, 3)


def test_runs_travel_between_processes() -> None:
    run = _run(topology=MixingMatrix(np.full((4, 4), 0.25)), checkpoints=(1, 2))
    copy = pickle.loads(pickle.dumps(run))
    assert np.array_equal(copy.mixing().matrix, run.mixing().matrix)
    assert copy.checkpoints == run.checkpoints
    assert pickle.loads(pickle.dumps(_run())) == _run()
