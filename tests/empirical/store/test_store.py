"""What goes in comes out, to the last bit, and names itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray

from bounds.errors import DomainError, UnknownNameError
from bounds.topology import MixingMatrix
from empirical import Measurement, Run, measure
from empirical.store import Store, run_key

Requests = tuple[tuple[str, str], ...]


def types(facts: Mapping[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in facts.items()}


def assert_same(found: Any, measured: list[Measurement]) -> None:
    flat = {(*request, one.setting.T): one for request, ones in found.items() for one in ones}
    assert len(flat) == len(measured)
    for one in measured:
        other = flat[(one.quantity, one.readout, one.setting.T)]
        assert one.values.dtype == other.values.dtype == np.float64
        assert one.values.tobytes() == other.values.tobytes()
        assert one.values.shape == other.values.shape
        assert one.setting == other.setting
        assert types(one.setting.conditions) == types(other.setting.conditions)


def test_round_trip(store: Store, run: Run, requests: Requests, measured: list[Measurement]) -> None:
    assert store.get(run, requests) is None
    assert store.keys() == []
    key = store.put(run, requests, measured)
    assert_same(store.get(run, requests), measured)
    assert_same(Store(store.folder).get(run, tuple(reversed(requests))), measured)
    assert store.keys() == [key] == [run_key(run, requests)]
    assert store.get(run, requests[:1]) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"update_form": "centralized", "sampling": "stratified"},
        {"update_form": "consensus", "radius": 0.5, "data": "shared", "twins": 0},
        {"checkpoints": (), "precision": "float32", "seed": 2**70},
        {"topology": MixingMatrix(np.eye(4) / 2 + np.roll(np.eye(4), 1, axis=1) / 2, name="one way")},
        {"problem": "softmax-digits", "eta": 0.5},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_round_trip_of_every_kind_of_run(store: Store, make_run: Any, changes: dict[str, Any]) -> None:
    run = make_run(**changes)
    quantity = "consensus_distance" if run.data == "shared" else "generalization_error"
    measured = measure(run, [(quantity, "node_average")])
    store.put(run, [(quantity, "node_average")], measured)
    assert_same(store.get(run, [(quantity, "node_average")]), measured)
    assert store.rows()[0]["seed"] == run.seed
    assert Store(store.folder).rows() == store.rows()


def test_a_large_mixing_matrix_fits_into_an_attribute(store: Store, make_run: Any) -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(100), 100)
    for _ in range(2000):
        weights /= weights.sum(0)
        weights /= weights.sum(1, keepdims=True)
    run = make_run(m=100, topology=MixingMatrix(weights, name="random"), twins=0)
    measured = measure(run, [("consensus_distance", "node_average")])
    key = store.put(run, [("consensus_distance", "node_average")], measured)
    assert_same(store.get(run, [("consensus_distance", "node_average")]), measured)
    assert json.loads(store.open(key).attrs["run"])["topology"]["matrix"] == weights.tolist()
    assert store.rows()[0]["topology"] == "matrix"


def test_what_a_file_holds(store: Store, kept: str, run: Run) -> None:
    found = store.open(kept)
    worst, stability = found["generalization_error_at_worst_node"], found["l1_stability_at_node_average"]
    assert worst.dims == ("replicate", "step", "node")
    assert stability.dims == ("replicate", "step")
    assert found["step"].values.tolist() == [4, 10]
    assert found["node"].values.tolist() == [0, 1, 2, 3]
    assert json.loads(found.attrs["run"])["eta"] == run.eta
    assert json.loads(found.attrs["setting"])["loss"]["L"]["tag"] == "certified"
    assert set(json.loads(found.attrs["versions"])) == {"gossip-bounds", "numpy", "scikit-learn", "torch"}


def test_other_readers_open_the_file(store: Store, kept: str, measured: list[Measurement]) -> None:
    with xarray.open_dataset(store.path(kept)) as plain:
        assert plain["l1_stability_at_node_average"].sel(step=10).values.tobytes() == measured[3].values.tobytes()
    with h5py.File(store.path(kept)) as file:
        assert file["l1_stability_at_node_average"].shape == (3, 2)


def test_equal_measurements_make_equal_files(tmp_path: Path, store: Store, kept: str, run: Run, requests: Requests) -> None:
    other = Store(tmp_path / "other")
    other.put(run, requests, measure(run, requests, chunk=1))
    assert other.path(kept).read_bytes() == store.path(kept).read_bytes()


def test_rows(store: Store, kept: str) -> None:
    (row,) = store.rows()
    assert row == {
        "key": kept,
        "file": f"{kept}.nc",
        "problem": "linear",
        "update_form": "atc",
        "m": 4,
        "n": 3,
        "T": 10,
        "eta": 0.1,
        "Q": 1,
        "topology": "ring",
        "seed": 0,
        "status": "complete",
        "bytes": store.path(kept).stat().st_size,
    }


@pytest.mark.parametrize("part", [slice(0, 0), slice(0, 3), slice(1, None)])
def test_incomplete_measurements_are_refused(store: Store, run: Run, requests: Requests, measured: list[Measurement], part: slice) -> None:
    with pytest.raises(DomainError, match="exactly one measurement per request and checkpoint"):
        store.put(run, requests, measured[part])
    with pytest.raises(DomainError, match="exactly one"):
        store.put(run, requests, [*measured, measured[0]])
    assert not store.folder.exists()


def test_an_unknown_key_is_refused_in_one_line(store: Store, kept: str) -> None:
    with pytest.raises(UnknownNameError, match="lists the 1 that are there"):
        store.open("abc")
