"""Heterogeneous nodes: what each split means, exact population risks, and partitions that use every point once."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.errors import GossipBoundsError
from bounds.topology import MixingMatrix
from bounds.vocabulary import Quantity, Readout
from empirical.configuration import Run
from empirical.measuring import measure, trajectory
from empirical.problems import problem
from empirical.problems.digits import digits
from empirical.problems.softmax import SoftmaxRegression
from empirical.samples import draw_samples
from empirical.splits import draw_from, node_distributions, partition
from empirical.streams import stream

GAP = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
LABELS = digits()[1]
PAIR = MixingMatrix(np.array([[0.8, 0.2], [0.2, 0.8]]))
ALPHAS = {"iid": None, "label_skew": None, "dirichlet": 0.4}


def _run(**changes: Any) -> Run:
    base = {"problem": "softmax-digits", "update_form": "atc", "m": 4, "n": 6, "T": 5, "eta": 1.0, "replicates": 3}
    return Run(**(base | changes))


@settings(max_examples=150, deadline=None)
@given(
    labels=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    m=st.integers(1, 60),
    split=st.sampled_from(["iid", "label_skew", "dirichlet"]),
    alpha=st.sampled_from([1e-300, 1e-3, 0.3, 1.0, 1e6]),
    seed=st.integers(0, 5),
)
def test_a_partition_uses_every_index_exactly_once(labels: list[int], m: int, split: str, alpha: float, seed: int) -> None:
    array, m = np.array(labels), min(m, len(labels))
    arguments: dict[str, Any] = {"split": split, "alpha": alpha if split == "dirichlet" else None, "seed": seed}
    parts = partition(array, m, **arguments)
    assert len(parts) == m
    assert sorted(index for part in parts for index in part.tolist()) == list(range(len(labels)))
    assert all(np.array_equal(part, np.sort(part)) for part in parts)
    assert all(np.array_equal(a, b) for a, b in zip(parts, partition(array, m, **arguments), strict=True))
    if split != "dirichlet":
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    if split == "label_skew":
        assert all(array[low].max() <= array[high].min() for low, high in itertools.pairwise(parts))


def test_partitions_differ_as_their_names_say() -> None:
    def shares(**arguments: Any) -> np.ndarray:
        return np.array([np.bincount(LABELS[part], minlength=10) / np.bincount(LABELS) for part in partition(LABELS, 5, **arguments)])

    assert abs(shares(split="dirichlet", alpha=1e5) - 0.2).max() < 0.02
    assert (shares(split="dirichlet", alpha=1e-3).max(axis=0) > 0.98).all()
    assert ((shares(split="label_skew") > 0).sum(axis=1) <= 4).all()
    assert abs(shares() - 0.2).max() < 0.12
    assert not np.array_equal(shares(), shares(seed=1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"m": 0}, "take 1 <= m <= 4"),
        ({"m": 5}, "take 1 <= m <= 4"),
        ({"split": "label"}, "did you mean 'label_skew'"),
        ({"split": "dirichlet"}, "takes a number > 0"),
        ({"split": "dirichlet", "alpha": float("nan")}, "takes a number > 0"),
        ({"alpha": 1.0}, "leave it out"),
    ],
)
def test_bad_partitions_are_refused_in_one_line(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(GossipBoundsError, match=words) as caught:
        partition(np.array([0, 1, 1, 0]), **({"m": 2} | arguments))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("split", ["iid", "label_skew", "dirichlet"])
def test_node_distributions(split: str) -> None:
    rows = node_distributions(LABELS, 7, split, ALPHAS[split], stream(0, "dirichlet", 0))
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-12)
    for row in rows:
        assert len(np.unique(row[row > 0])) == (1 if split != "dirichlet" else 10)
    if split == "label_skew":
        assert ((rows > 0).sum(axis=0) == 1).all()
        assert {int(count) for count in (rows > 0).sum(axis=1)} == {256, 257}
        assert all(LABELS[low > 0].max() <= LABELS[high > 0].min() for low, high in itertools.pairwise(rows))


@pytest.mark.parametrize("alpha", [0.2, 3.0])
def test_dirichlet_class_shares_have_the_right_moments(alpha: float) -> None:
    rows = node_distributions(LABELS, 4000, "dirichlet", alpha, stream(0, "dirichlet", 0))
    first = np.array([int(np.flatnonzero(label == LABELS)[0]) for label in range(10)])
    shares = rows[:, first] * np.bincount(LABELS)
    np.testing.assert_allclose(shares.mean(axis=0), 0.1, atol=4 * np.sqrt(0.09 / (10 * alpha + 1) / 4000))
    np.testing.assert_allclose(shares.var(axis=0), 0.09 / (10 * alpha + 1), rtol=0.15)


def test_draws_follow_the_distribution() -> None:
    distribution = np.array([0.0, 0.5, 0.0, 0.2, 0.3, 0.0])
    drawn = draw_from(distribution, stream(0, "test", 0).random(20000))
    counts = np.bincount(drawn, minlength=6)
    assert not counts[distribution == 0].any()
    assert (abs(counts / 20000 - distribution) <= 4 * np.sqrt(0.25 / 20000)).all()
    assert draw_from(distribution, np.array([0.0, np.nextafter(1.0, 0.0)])).tolist() == [1, 4]


def test_nodes_draw_from_their_own_labels() -> None:
    samples = draw_samples(_run(split="label_skew", m=5, n=20, twins=100), problem("softmax-digits"))
    rank = np.empty(1797, dtype=int)
    rank[np.argsort(LABELS, kind="stable")] = np.arange(1797)
    starts = np.array([0, 360, 720, 1079, 1438, 1797])
    node_of = np.searchsorted(starts, rank, side="right") - 1
    assert (node_of[samples.training] == np.arange(5)[None, :, None]).all()
    # A replacement comes from the distribution of the node whose sample it replaces.
    assert (node_of[samples.replacements] == samples.positions // 20).all()
    np.testing.assert_allclose(samples.population, 1 / 1797, rtol=0.003)


def test_dirichlet_training_sets_follow_their_node_and_replicate() -> None:
    run = _run(split="dirichlet", dirichlet_alpha=0.5, m=3, n=4000, replicates=2)
    training = draw_samples(run, problem("softmax-digits")).training
    for replicate in range(2):
        shares = stream(0, "dirichlet", replicate).dirichlet(np.full(10, 0.5), size=3)
        for node in range(3):
            found = np.bincount(LABELS[training[replicate, node]], minlength=10) / 4000
            assert (abs(found - shares[node]) <= 4.5 * np.sqrt(shares[node] / 4000) + 1e-3).all()


def _population_risk(run: Run, replicate: int, losses: np.ndarray) -> float:
    """(1/m) sum_k E_{D_k} loss, class by class from the raw streams."""
    if run.split == "label_skew":
        parts = np.array_split(np.argsort(LABELS, kind="stable"), run.m)
        return float(np.mean([losses[part].mean() for part in parts]))
    shares = stream(run.seed, "dirichlet", replicate).dirichlet(np.full(10, run.dirichlet_alpha), size=run.m)
    by_class = np.array([losses[label == LABELS].mean() for label in range(10)])
    return float((shares @ by_class).mean())


@pytest.mark.parametrize("split", ["label_skew", "dirichlet"])
@pytest.mark.parametrize("form", ["atc", "centralized"])
def test_generalization_error_uses_the_exact_population_risk(split: Any, form: str) -> None:
    run = _run(split=split, dirichlet_alpha=ALPHAS[split], update_form=form)
    described = problem("softmax-digits")
    training = draw_samples(run, described).training.reshape(3, -1)
    models, values = trajectory(run, device="cpu")[:, 0], measure(run, [GAP], device="cpu")[0].values
    for replicate in range(3):
        flat = torch.from_numpy(models[replicate].reshape(len(models[replicate]), -1))
        losses = described.losses(flat).numpy()
        gaps = [_population_risk(run, replicate, row) - row[training[replicate]].mean() for row in losses]
        assert values[replicate] == pytest.approx(np.mean(gaps), abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["atc", "cta"])
def test_label_skew_against_enumeration(tiny: SoftmaxRegression, plain: Any, form: Any) -> None:
    """Three points at two nodes: D_0 is uniform on the points 0 and 1, D_1 sits on point 2; R weighs them 1/4, 1/4, 1/2."""
    run = Run(problem="tiny", update_form=form, m=2, n=2, T=2, eta=1.0, topology=PAIR, replicates=6000, twins=2, split="label_skew")
    sequences = [np.array(draws).reshape(2, 2, 1) for draws in itertools.product(range(2), repeat=4)]
    gaps, lengths = [], []
    for points, draws in itertools.product(itertools.product((0, 1), repeat=2), sequences):
        training = np.array([points, (2, 2)])
        models = plain[1](run, tiny, training, draws)
        scores = np.einsum("kcd,pd->kpc", models, tiny.features)
        losses = np.log(np.exp(scores).sum(axis=2)) - scores[:, np.arange(3), tiny.labels]
        gaps.append((losses @ [0.25, 0.25, 0.5] - losses[:, training.reshape(-1)].mean(axis=1)).mean())
        for place in range(4):
            for point in (0, 1) if place < 2 else (2, 2):
                twin = training.copy()
                twin.reshape(-1)[place] = point
                lengths.append(np.linalg.norm(models - plain[1](run, tiny, twin, draws), axis=(1, 2)).mean())
    for measured, exact in zip(measure(run, [GAP, L1], device="cpu"), (np.mean(gaps), np.mean(lengths)), strict=True):
        error = measured.values.std(ddof=1) / np.sqrt(run.replicates)
        assert abs(measured.values.mean() - exact) <= 4 * error
        # The three points' losses differ much more than that: equal weights 1/3 would miss by some 20 errors.
        assert error < 0.15 * exact


@pytest.mark.parametrize("split", ["label_skew", "dirichlet"])
def test_certified_variances_hold_on_skewed_nodes(split: Any) -> None:
    run = _run(split=split, dirichlet_alpha=ALPHAS[split], radius=8.0, T=40, eta=2.0)
    described = problem("softmax-digits")
    training = draw_samples(run, described).training
    loss = measure(run, [GAP], device="cpu")[0].setting.loss
    for replicate, models in enumerate(trajectory(run, device="cpu")[:, 0]):
        for model in (np.zeros_like(models[0]), models[0], 30 * models[0]):
            flat = torch.from_numpy(np.ascontiguousarray(model.reshape(1, -1)))
            gradients = np.array(
                [[described.gradients(flat, torch.tensor([[int(z)]]))[0].numpy() for z in row] for row in training[replicate]]
            )
            means = gradients.mean(axis=1)
            assert ((gradients - means[:, None]) ** 2).sum(axis=2).mean() <= loss.sigma2.value  # type: ignore[union-attr]
            assert ((means - means.mean(axis=0)) ** 2).sum(axis=1).mean() <= loss.zeta2.value  # type: ignore[union-attr]


def test_more_replicates_begin_like_fewer_and_each_has_its_own_proportions() -> None:
    few, many = (measure(_run(split="dirichlet", dirichlet_alpha=0.3, replicates=r), [GAP], device="cpu")[0].values for r in (2, 5))
    assert np.array_equal(few, many[:2])
    assert len(set(many.tolist())) == 5


def test_more_nodes_than_points_are_refused(tiny: SoftmaxRegression) -> None:
    with pytest.raises(GossipBoundsError, match="take 1 <= m <= 3"):
        draw_samples(_run(problem="tiny", split="label_skew", m=4), tiny)
