"""A small measured configuration, and an empty store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bounds.vocabulary import UpdateForm
from empirical import Measurement, Run, measure
from empirical.store import Store

REQUESTS = (("generalization_error", "worst_node"), ("l1_stability", "node_average"))
BASE: dict[str, Any] = {
    "problem": "linear",
    "update_form": UpdateForm.ATC,
    "m": 4,
    "n": 3,
    "T": 10,
    "eta": 0.1,
    "replicates": 3,
    "twins": 2,
}


@pytest.fixture
def make_run() -> Any:
    return lambda **changes: Run(**BASE | {"checkpoints": (4, 10)} | changes)


@pytest.fixture
def run(make_run: Any) -> Run:
    made: Run = make_run()
    return made


@pytest.fixture
def requests() -> tuple[tuple[str, str], ...]:
    return REQUESTS


@pytest.fixture
def measured(run: Run) -> list[Measurement]:
    return measure(run, REQUESTS, device="cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def kept(store: Store, run: Run, measured: list[Measurement]) -> str:
    """The key of the one configuration in the store."""
    return store.put(run, REQUESTS, measured)
