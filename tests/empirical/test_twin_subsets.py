"""Stabilities from a random subset of all m*n twins: unbiased, with a standard error that is right, kept with the values."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds.errors import DomainError
from bounds.vocabulary import Quantity, Readout
from empirical import Measurement, Run, measure
from empirical.samples import draw_samples
from empirical.store import Store
from empirical.store import dataset as datasets
from empirical.streams import stream
from empirical.subsets import ALL_TWINS, subset_error, with_twins

L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
L1_MEAN = (Quantity.L1_STABILITY, Readout.NETWORK_MEAN)
L2 = (Quantity.L2_STABILITY, Readout.NODE_AVERAGE)
POINT = (Quantity.L1_STABILITY, Readout.GRADIENT_POINT)
GAP = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)


def _run(**changes: Any) -> Run:
    base = {"problem": "softmax-digits", "update_form": "cta", "m": 4, "n": 3, "T": 5, "eta": 1.0, "replicates": 3, "twins": 12}
    return Run(**(base | changes))


def _each_twin(run: Run, request: Any, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """(R, K): what each twin alone gives, by measuring runs whose only twin it is."""
    samples, found = draw_samples(run, _problem(run)), []
    for twin in range(run.twins):
        only = replace(samples, positions=samples.positions[:, [twin]], replacements=samples.replacements[:, [twin]])
        monkeypatch.setattr("empirical.measuring.draw_samples", lambda *_, only=only: only)
        found.append(measure(replace(run, twins=1), [request], device="cpu")[0].values)
    monkeypatch.undo()
    return np.stack(found, axis=1)


def _problem(run: Run) -> Any:
    from empirical.problems import problem

    return problem(run.problem)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=7), st.data())
def test_over_all_subsets_the_mean_is_unbiased_and_the_squared_error_is_its_variance(whole: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(2, len(whole)))
    subsets = np.array(list(itertools.combinations(whole, k)))
    means, errors = subsets.mean(axis=1), subset_error(subsets, len(whole))
    scale = 1 + np.square(whole).max()
    assert means.mean() == pytest.approx(np.mean(whole), abs=1e-9 * scale)
    assert np.square(errors).mean() == pytest.approx(np.square(means - np.mean(whole)).mean(), abs=1e-12 * scale)


def test_the_whole_set_has_no_error_and_a_single_twin_an_unknown_one() -> None:
    assert subset_error(np.array([[1.0, 5.0, 9.0]]), 3).tolist() == [0.0]
    assert subset_error(np.array([[4.0]]), 1).tolist() == [0.0]
    assert np.isnan(subset_error(np.array([[4.0], [5.0]]), 3)).all()
    assert subset_error(np.array([[1.0, 5.0]]), 4) == pytest.approx(np.sqrt(0.5 * 8 / 2))


@pytest.mark.parametrize("request_", [L1, L1_MEAN, L2, POINT])
@pytest.mark.parametrize("t0", [0, 1])
def test_a_measurement_carries_the_error_of_its_own_twins(monkeypatch: pytest.MonkeyPatch, request_: Any, t0: int) -> None:
    every = _each_twin(_run(t0=t0), request_, monkeypatch)
    for twins in (1, 5, 12):
        (found,) = measure(_run(twins=twins, t0=t0), [request_], device="cpu")
        np.testing.assert_allclose(found.values, every[:, :twins].mean(axis=1), rtol=1e-13)
        assert found.subset_error is not None
        assert found.subset_error.shape == (3,)
        if twins == 5:
            expected = np.sqrt((1 - 5 / 12) / 5 * np.square(every[:, :5] - found.values[:, None]).sum(axis=1) / 4)
            np.testing.assert_allclose(found.subset_error, expected, rtol=1e-12)
            assert (found.subset_error > 0).all()
        else:
            assert np.isnan(found.subset_error).all() if twins == 1 else not found.subset_error.any()


@pytest.mark.parametrize("request_", [L1, L2])
def test_random_subsets_scatter_about_the_full_set_as_their_error_says(monkeypatch: pytest.MonkeyPatch, request_: Any) -> None:
    """Replicates that share their training set, replacements and batches differ by which k of the N twins they read."""
    run, k, draws = _run(problem="quadratic", eta=0.2, m=5, n=4, T=6, replicates=1, twins=20), 6, 400
    (full,) = measure(run, [request_], device="cpu")
    samples = draw_samples(run, _problem(run))

    def same_but_for_the_subset(*_: Any) -> Any:
        chosen = np.stack([stream(7, "subset", draw).permutation(20)[:k] for draw in range(draws)])
        repeated = {name: np.repeat(getattr(samples, name), draws, axis=0) for name in ("training", "population")}
        return replace(samples, positions=samples.positions[0, chosen], replacements=samples.replacements[0, chosen], **repeated)

    monkeypatch.setattr("empirical.measuring.draw_samples", same_but_for_the_subset)
    monkeypatch.setattr("empirical.samples.stream", lambda seed, purpose, _: stream(seed, purpose, 0))
    (found,) = measure(replace(run, replicates=draws, twins=k), [request_], device="cpu")
    assert found.subset_error is not None
    spread = found.values.std(ddof=1)
    assert abs(found.values.mean() - full.values[0]) < 4 * spread / np.sqrt(draws)
    # A standard deviation from 400 draws is known to about 1/sqrt(800) = 3.5 %.
    assert np.sqrt(np.square(found.subset_error).mean()) == pytest.approx(spread, rel=0.12)
    assert np.sqrt(1 - k / 20) < 0.88


def test_fewer_twins_are_the_first_of_more_and_every_place_once() -> None:
    few, every = (draw_samples(_run(twins=k), _problem(_run())) for k in (5, 12))
    assert np.array_equal(few.positions, every.positions[:, :5])
    assert np.array_equal(few.replacements, every.replacements[:, :5])
    assert (np.sort(every.positions) == np.arange(12)).all()


def test_small_problems_have_all_twins_by_default_and_large_ones_name_a_number() -> None:
    small = _run(twins=0)
    asked, given_ = (measure(run, [L1, GAP], device="cpu") for run in (small, _run()))
    assert all(np.array_equal(*pair) for pair in zip((one.values for one in asked), (one.values for one in given_), strict=True))
    assert asked[0].setting == given_[0].setting
    assert asked[0].subset_error is not None
    assert not asked[0].subset_error.any()
    assert with_twins(_run(m=8, n=8, twins=0)).twins == ALL_TWINS == 64
    assert with_twins(_run(m=8, n=8, twins=5)).twins == 5
    assert with_twins(_run(m=13, n=5, twins=0)).twins == 0
    with pytest.raises(DomainError, match=r"twins=0 and m\*n > 64; give the run twins >= 1"):
        measure(_run(m=13, n=5, twins=0), [L1], device="cpu")
    with pytest.raises(DomainError, match="use data='split'"):
        measure(_run(data="shared", twins=0), [L1], device="cpu")
    assert measure(small, [GAP], device="cpu")[0].setting.conditions["twins"] == 0


def test_what_is_not_read_from_twins_has_no_subset_error() -> None:
    spread = (Quantity.CONSENSUS_DISTANCE, Readout.NODE_AVERAGE)
    assert all(one.subset_error is None for one in measure(_run(twins=3), [GAP, spread], device="cpu"))


def _kept(folder: Path, run: Run, requests: list[Any]) -> tuple[list[Measurement], Any, Any]:
    store, found = Store(folder), measure(run, requests)
    key = store.put(run, requests, found)
    return found, store.open(key), store.get(run, requests)


@pytest.mark.parametrize("twins", [0, 1, 5])
def test_the_store_keeps_subset_errors_by_replicate_and_step(tmp_path: Path, twins: int) -> None:
    found, dataset, again = _kept(tmp_path, _run(twins=twins, checkpoints=(2, 5)), [GAP, L1])
    kept = dataset["l1_stability_at_node_average_subset_error"]
    assert kept.dims == ("replicate", "step")
    assert set(dataset.data_vars) == {"generalization_error_at_node_average", "l1_stability_at_node_average"}
    assert "generalization_error_at_node_average_subset_error" not in dataset.coords
    for one, other, column in zip(found[2:], again[L1], kept.values.T, strict=True):
        assert one.subset_error is not None
        assert one.subset_error.tobytes() == other.subset_error.tobytes() == np.ascontiguousarray(column).tobytes()
        assert one.values.tobytes() == other.values.tobytes()
    assert all(one.subset_error is None for one in again[GAP])


def test_files_without_subset_errors_are_read_as_they_were(tmp_path: Path) -> None:
    """The coordinate is an addition: the same key, the same values, and no error where none was kept."""
    found, dataset, _ = _kept(tmp_path, _run(twins=5), [L1])
    older = dataset.drop_vars("l1_stability_at_node_average_subset_error")
    older = older.assign_attrs(checksum=datasets.checksum(older))
    (again,) = datasets.measurements(datasets.decode(datasets.encode(older), dataset.attrs["key"]))[L1]
    assert again.values.tobytes() == found[0].values.tobytes()
    assert again.subset_error is None
