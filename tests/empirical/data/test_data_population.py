"""An image set as the distribution: which images, which features, which constants, and which key in the store."""

from __future__ import annotations

import hashlib
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bounds.errors import DomainError, MissingDataError, UnknownNameError
from empirical import Run, measure
from empirical.data import SETS, Population, features_of
from empirical.data.population import unit_features
from empirical.problems import problem
from empirical.problems.digits import digits
from empirical.store import Store, run_key
from empirical.store.identity import identity, versions

Arrays = dict[str, np.ndarray]
REQUESTS = [("generalization_error", "node_average"), ("l1_stability", "node_average")]
NAMES = ["softmax-mnist", "softmax-l2-cifar-10:train", "sigmoid-fashion-mnist:both:60:standardised", "network-mnist:60"]


def a_run(name: str, **changed: object) -> Run:
    fields = {"problem": name, "update_form": "atc", "m": 4, "n": 5, "T": 6, "eta": 0.1, "replicates": 3, "twins": 2, **changed}
    return Run(**fields)  # type: ignore[arg-type]


def test_digits_are_what_they_were() -> None:
    from sklearn.datasets import load_digits

    pixels = np.asarray(load_digits().data, dtype=np.float64)
    before = (pixels / np.linalg.norm(pixels, axis=1).max()).astype(np.float32).astype(np.float64)
    assert digits()[0].tobytes() == before.tobytes()
    assert not digits()[0].flags.writeable
    # Of the bytes before image sets came, little-endian.
    assert (
        hashlib.sha256(digits()[0].astype("<f8").tobytes()).hexdigest()
        == "1b814e4ed3564a85a00b786ac6a62a045f6c7507f039355b62dcc79c92715d25"
    )


@pytest.mark.parametrize(
    ("text", "population"),
    [
        ("mnist", Population("mnist")),
        ("mnist:train", Population("mnist", "train")),
        ("cifar-10:50", Population("cifar-10", "both", 50)),
        ("cifar-10:both:50:standardised", Population("cifar-10", "both", 50, True)),
        ("fashion-mnist:test:standardised", Population("fashion-mnist", "test", None, True)),
    ],
)
def test_a_population_is_written_in_one_way(text: str, population: Population) -> None:
    assert Population.parse(text) == population


@pytest.mark.parametrize(
    "text", ["", ":0", ":-1", ":1e3", ":5.0", ":train:test", ":5:train", ":standardised:5", ":", ":5:", ":Train", ":²"]
)
def test_a_population_written_otherwise_is_refused(text: str) -> None:
    if text:
        with pytest.raises(DomainError, match="a population is written mnist"):
            a_run(f"softmax-mnist{text}")
    else:
        with pytest.raises(UnknownNameError, match="did you mean"):
            a_run("softmax-mnits")


def test_features_are_the_pixels_over_the_largest_norm(data_dir: Path, arrays: Arrays) -> None:
    features, labels = features_of(Population("cifar-10", "train"))
    rows = arrays["colour"][:50].reshape(50, 3072).astype(int)
    # The sums are integers, hence exact.
    longest = np.sqrt(max(sum(int(pixel) ** 2 for pixel in row) for row in rows))
    assert np.array_equal(features, (rows / longest).astype(np.float32))
    assert np.array_equal(labels, arrays["labels"][:50])
    assert np.linalg.norm(features, axis=1).max() == pytest.approx(1, abs=1e-6)


def test_blocks_do_not_change_features() -> None:
    rows = np.random.default_rng(3).integers(0, 256, (5000, 7)).astype(np.uint8)
    whole = rows.astype(float)
    assert np.array_equal(unit_features(rows), (whole / np.linalg.norm(whole, axis=1).max()).astype(np.float32))
    # The second block's rows count as well.
    rows[4999] = 255
    assert np.linalg.norm(unit_features(rows)[4999]) == pytest.approx(1, abs=1e-6)


def test_standardised_features() -> None:
    rows = np.random.default_rng(5).integers(0, 256, (3000, 4)).astype(np.uint8)
    rows[:, 2] = 77
    columns = [[int(value) for value in column] for column in rows.T]
    means, spreads = [statistics.fmean(column) for column in columns], [statistics.pstdev(column) for column in columns]
    wanted = np.stack([(np.array(c) - mean) / (spread or 1) for c, mean, spread in zip(columns, means, spreads, strict=True)], axis=1)
    found = unit_features(rows, standardised=True)
    longest = np.linalg.norm(wanted, axis=1).max()
    assert found * longest == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert not found[:, 2].any()
    assert found.std(axis=0)[[0, 1, 3]] * longest == pytest.approx(1, rel=1e-6)


def test_smaller_populations_begin_larger_ones(data_dir: Path, arrays: Arrays) -> None:
    order = features_of(Population("mnist", "both", 70))[1]
    assert sorted(order) == sorted(arrays["labels"])
    assert not np.array_equal(order, arrays["labels"])
    smaller = features_of(Population("mnist", "both", 60))
    assert np.array_equal(smaller[1], order[:60])
    # The images move with their labels.
    rows, labels = arrays["grey"].reshape(70, -1).astype(float), arrays["labels"]
    for row, label in zip(smaller[0], smaller[1], strict=True):
        cosines = rows @ row / np.linalg.norm(rows, axis=1) / np.linalg.norm(row)
        assert labels[np.argmax(cosines)] == label
        assert cosines.max() == pytest.approx(1, abs=1e-6)


def test_too_many_or_too_few_images(data_dir: Path) -> None:
    with pytest.raises(DomainError, match="got 71 images of 'mnist' both, which has 70"):
        problem("softmax-mnist:71")
    with pytest.raises(DomainError, match="got 5 images of 'mnist', none of class"):
        problem("softmax-mnist:5")


@pytest.mark.parametrize("name", NAMES)
def test_constants_hold_on_every_image(name: str, data_dir: Path) -> None:
    built = problem(name)
    loss = built.loss_class(radius=2.0)
    weights = torch.randn(20, built.width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    weights *= 2 / weights.norm(dim=1, keepdim=True)
    everywhere = torch.arange(built.size).expand(20, -1)
    assert loss.L is not None
    assert loss.M is not None
    assert built.gradient_norms(weights, everywhere).max() <= loss.L.value
    assert built.losses(weights).max() <= loss.M.value
    assert built.losses(weights).shape == (20, built.size)


def test_parity_tells_even_classes_from_odd_ones(data_dir: Path, arrays: Arrays) -> None:
    assert np.array_equal(problem("sigmoid-mnist").labels, 1 - arrays["labels"] % 2)
    assert np.array_equal(problem("softmax-mnist").labels, arrays["labels"])


def test_the_population_risk_is_exact(data_dir: Path, arrays: Arrays) -> None:
    """R - R_S of a run on images, from plain numpy on the arrays that the files were written from."""
    run = a_run("softmax-mnist", twins=0, T=1, eta=0.7, m=2, n=3, replicates=2)
    (found,) = measure(run, REQUESTS[:1])
    from empirical.measuring import trajectory
    from empirical.streams import stream

    rows = arrays["grey"].reshape(70, 12).astype(float)
    x = (rows / np.linalg.norm(rows, axis=1).max()).astype(np.float32).astype(float)
    for replicate, models in enumerate(trajectory(run)[:, 0]):
        drawn = np.floor(stream(0, "training", replicate).random((2, 3)) * 70).astype(int)
        scores = models[:, :, :12] @ x.T
        losses = np.log(np.exp(scores).sum(1)) - scores[:, arrays["labels"], np.arange(70)]
        gap = losses.mean() - losses[:, drawn.ravel()].mean()
        assert found.values[replicate] == pytest.approx(gap, rel=1e-12, abs=1e-14)


def test_the_key_names_the_set_and_its_checksum(small_sets: object, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run("softmax-mnist:train")
    document = identity(run, REQUESTS, "cpu")
    assert document["versions"] == {**versions(), "mnist": f"sha256:{SETS['mnist'].checksum}"}
    before = run_key(run, REQUESTS, "cpu")
    assert before != run_key(replace(run, problem="softmax-mnist:test"), REQUESTS, "cpu")
    known = SETS["mnist"]
    monkeypatch.setitem(SETS, "mnist", replace(known, test_labels=replace(known.test_labels, sha256="0" * 64)))
    assert run_key(run, REQUESTS, "cpu") != before


@pytest.mark.parametrize("name", ["softmax-digits", "softmax-l2-digits", "sigmoid-digits", "network-digits", "linear", "quadratic"])
def test_other_keys_are_what_they_were(name: str) -> None:
    assert identity(a_run(name), REQUESTS, "cpu")["versions"] == versions()


def test_the_store_keeps_runs_on_images(data_dir: Path, tmp_path: Path) -> None:
    run, store = a_run("network-fashion-mnist:train"), Store(tmp_path / "store")
    found = measure(run, REQUESTS)
    store.put(run, REQUESTS, found)
    kept = store.get(run, REQUESTS)
    assert kept is not None
    assert [one.values.tobytes() for ones in kept.values() for one in ones] == [one.values.tobytes() for one in found]


def test_a_configuration_needs_no_data_until_it_runs(small_sets: object) -> None:
    run = a_run("softmax-cifar-10:5000:standardised", split="dirichlet", dirichlet_alpha=0.5)
    with pytest.raises(MissingDataError, match="run 'gossip-bounds data cifar-10"):
        measure(run, REQUESTS)


@pytest.mark.parametrize("split", [{"split": "label_skew"}, {"split": "dirichlet", "dirichlet_alpha": 0.5}])
def test_splits_go_by_the_classes(split: dict[str, object], data_dir: Path) -> None:
    found = measure(a_run("softmax-mnist", **split), REQUESTS)
    assert all(np.isfinite(one.values).all() for one in found)
