"""What measure() returns: definitions against the models themselves, order, settings, refusals, and a GPU's agreement."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from bounds.errors import DomainError, GossipBoundsError
from bounds.setting import Setting
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical.configuration import Run
from empirical.measuring import measure, trajectory
from empirical.path_norms import gradient_norms
from empirical.problems import problem
from empirical.problems.softmax import SoftmaxRegression
from empirical.readings import READINGS

GAP = Quantity.GENERALIZATION_ERROR
L1, L2, SPREAD = Quantity.L1_STABILITY, Quantity.L2_STABILITY, Quantity.CONSENSUS_DISTANCE
NODES, MEAN, POINT, WORST = Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT, Readout.WORST_NODE


def _run(**changes: Any) -> Run:
    base = {"problem": "softmax-digits", "update_form": "atc", "m": 4, "n": 3, "T": 6, "eta": 2.0, "replicates": 3, "twins": 2}
    return Run(**(base | changes))


def _plain_gap(described: SoftmaxRegression, weights: np.ndarray, training: np.ndarray) -> float:
    """R - R_S of one model: the mean over the population minus the mean over all training samples."""
    scores = described.features @ weights.T
    losses = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(described.size), described.labels]
    return float(losses.mean() - losses[training.reshape(-1)].mean())


def test_generalization_error_is_defined_on_all_samples(plain: Any) -> None:
    run, described = _run(checkpoints=(2, 6)), problem("softmax-digits")
    assert isinstance(described, SoftmaxRegression)
    models = trajectory(run, device="cpu")
    nodes, mean, point, worst = (measure(run, [(GAP, readout)], device="cpu") for readout in (NODES, MEAN, POINT, WORST))
    for replicate in range(run.replicates):
        training, _ = plain[0](run, replicate, described.size)
        for number in range(2):
            gaps = [_plain_gap(described, model, training) for model in models[replicate, number]]
            np.testing.assert_allclose(worst[number].values[replicate], gaps, atol=1e-12)
            assert nodes[number].values[replicate] == pytest.approx(np.mean(gaps), abs=1e-12)
            of_mean = _plain_gap(described, models[replicate, number].mean(axis=0), training)
            assert mean[number].values[replicate] == pytest.approx(of_mean, abs=1e-12)
            assert abs(of_mean - np.mean(gaps)) > 1e-6
    assert all(np.array_equal(a.values, b.values) for a, b in zip(nodes, point, strict=True))


def test_consensus_distance_is_a_mean_square() -> None:
    models = trajectory(_run(), device="cpu")[:, 0]
    expected = ((models - models.mean(axis=1, keepdims=True)) ** 2).sum(axis=(2, 3)).mean(axis=1)
    for readout in (NODES, POINT):
        np.testing.assert_allclose(measure(_run(), [(SPREAD, readout)], device="cpu")[0].values, expected, rtol=1e-12)


def test_one_measurement_per_request_and_checkpoint() -> None:
    requests = [(L1, MEAN), (GAP, WORST), (L2, NODES), (GAP, NODES), (GAP, WORST)]
    found = measure(_run(checkpoints=(1, 4, 6)), requests, device="cpu")
    assert [(m.quantity, m.readout, m.setting.T) for m in found] == [(*pair, t) for pair in requests for t in (1, 4, 6)]
    assert all(m.setting.readout is m.readout for m in found)
    assert {m.values.shape for m in found if m.readout is WORST} == {(3, 4)}
    assert {m.values.shape for m in found if m.readout is not WORST} == {(3,)}
    assert all(m.values.dtype == np.float64 for m in found)
    assert measure(_run(), [], device="cpu") == []


def _setting(**changes: Any) -> Setting:
    return measure(_run(**changes), [(GAP, NODES)], device="cpu")[0].setting


def test_setting_of_a_decentralized_run() -> None:
    setting = _setting(Q=2, b=3, radius=4.0, topology="complete")
    assert (setting.update_form, setting.n, setting.m, setting.b, setting.Q, setting.T) == (UpdateForm.ATC, 3, 4, 3, 2, 6)
    assert setting.network is not None
    assert setting.network.w_min == pytest.approx(0.25)
    assert setting.projection_radius == 4.0
    assert set(setting.loss.constants()) == {"L", "beta", "M", "sigma2", "zeta2"}
    assert setting.estimated() == []
    assert setting.conditions["twin_replacement"] == "independent"
    assert setting.common_start
    assert (setting.schedule.eta, setting.t0, setting.conditions["split"]) == (2.0, 0, "iid")


def test_setting_carries_schedule_split_and_condition() -> None:
    setting = _setting(eta=None, c=3.0, tau=2.0, t0=4, split="dirichlet", dirichlet_alpha=0.5, update_form="cta")
    assert setting.facts()["c"] == 3.0
    assert setting.facts()["tau"] == 2.0
    assert setting.update_form is UpdateForm.CTA
    assert setting.facts()["t0"] == 4
    found = {name: setting.conditions[name] for name in ("split", "dirichlet_alpha")}
    assert found == {"split": "dirichlet", "dirichlet_alpha": 0.5}


def test_cta_is_read_at_its_models_or_at_its_gradient_points() -> None:
    cta, atc = _run(update_form="cta", Q=2, checkpoints=(3, 6)), _run(Q=2, checkpoints=(3, 6))
    for quantity in (GAP, L1, L2, SPREAD):
        models, points = (measure(cta, [(quantity, readout)], device="cpu") for readout in (NODES, POINT))
        theirs = measure(atc, [(quantity, NODES)], device="cpu")
        for x, y, of_atc in zip(models, points, theirs, strict=True):
            np.testing.assert_allclose(y.values, of_atc.values, rtol=0, atol=1e-12)
            assert (abs(x.values - of_atc.values) > 1e-9).any()
    states = trajectory(cta, device="cpu")[:, -1]
    expected = ((states - states.mean(axis=1, keepdims=True)) ** 2).sum(axis=(2, 3)).mean(axis=1)
    np.testing.assert_allclose(measure(cta, [(SPREAD, NODES)], device="cpu")[-1].values, expected, rtol=1e-12)


def test_setting_of_a_centralized_run() -> None:
    uniform, stratified = _setting(update_form="centralized", b=3), _setting(update_form="centralized", sampling="stratified", b=3)
    for setting, b in ((uniform, 3), (stratified, 12)):
        assert setting.network is None
        assert (setting.n, setting.m, setting.b, setting.Q) == (12, 1, b, 1)
        assert setting.loss.zeta2 is not None
        assert setting.loss.zeta2.value == 0


def test_constants_belong_to_the_drawn_training_sets(plain: Any) -> None:
    described = problem("softmax-digits")
    training = np.stack([plain[0](_run(), replicate, described.size)[0] for replicate in range(3)])
    assert _setting().loss == described.loss_class(None, training)
    assert _setting(data="split").loss.sigma2.value < described.loss_class().sigma2.value  # type: ignore[union-attr]


def test_shared_data_have_no_heterogeneity() -> None:
    run = _run(data="shared", twins=0)
    assert measure(run, [(SPREAD, NODES)], device="cpu")[0].setting.loss.zeta2.value == 0  # type: ignore[union-attr]


def test_centralized_readouts_coincide() -> None:
    run = _run(update_form="centralized")
    for quantity in (GAP, L1):
        nodes, mean = measure(run, [(quantity, NODES), (quantity, MEAN)], device="cpu")
        assert np.array_equal(nodes.values, mean.values)


@pytest.mark.parametrize(
    ("changes", "request_", "words"),
    [
        ({}, (L2, MEAN), "cannot measure l2_stability at network_mean"),
        ({}, (Quantity.EXIT_TIME, NODES), "cannot measure exit_time"),
        ({}, (Quantity.EXCESS_RISK, NODES), "least risk is not known"),
        ({"problem": "quadratic", "split": "label_skew"}, (Quantity.EXCESS_RISK, NODES), "known for split='iid' only"),
        ({"problem": "quadratic", "split": "label_skew"}, (GAP, NODES), "has no labels"),
        ({"update_form": "centralized"}, (SPREAD, NODES), "one model"),
        ({"update_form": "centralized"}, (GAP, WORST), "one model"),
        ({"twins": 0, "n": 17}, (L1, NODES), "twins >= 1"),
        ({"data": "shared", "twins": 0}, (GAP, NODES), "use data='split'"),
        ({}, ("gap", NODES), "unknown quantity"),
    ],
)
@pytest.mark.usefixtures("quadratic")
def test_refused_in_one_line(changes: dict[str, Any], request_: Any, words: str) -> None:
    with pytest.raises(GossipBoundsError, match=words) as caught:
        measure(_run(**changes), [request_], device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("chunk", [0, -1, 1.5])
def test_bad_chunks(chunk: Any) -> None:
    with pytest.raises(DomainError, match="chunk"):
        measure(_run(), [(GAP, NODES)], device="cpu", chunk=chunk)


def test_a_diverged_run_is_never_a_number() -> None:
    run = _run(problem="linear", eta=1e308, T=50)
    with np.errstate(all="ignore"), pytest.raises(DomainError, match="diverged"):
        measure(run, [(SPREAD, NODES)], device="cpu")


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    measure(_run(), [(GAP, NODES), (L1, NODES)], device="cpu", chunk=1, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) == 3


def test_measurements_are_frozen() -> None:
    measurement = measure(_run(), [(GAP, NODES)], device="cpu")[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        measurement.quantity = L1  # type: ignore[misc]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("form", ["atc", "cta", "consensus", "centralized"])
@pytest.mark.parametrize("b", [1, 3])
def test_gpu_agrees_with_cpu(form: Any, b: int) -> None:
    run = _run(update_form=form, b=b, radius=1.5, T=30, checkpoints=(5, 30), m=16)
    np.testing.assert_allclose(trajectory(run, device="cuda"), trajectory(run, device="cpu"), rtol=0, atol=1e-10)
    np.testing.assert_allclose(gradient_norms(run, device="cuda"), gradient_norms(run, device="cpu"), rtol=0, atol=1e-10)
    skipped = {Quantity.EXCESS_RISK, SPREAD} if form == "centralized" else {Quantity.EXCESS_RISK}
    requests = [pair for pair in READINGS if pair[0] not in skipped and not (form == "centralized" and pair[1] is WORST)]
    pairs = zip(measure(run, requests, device="cuda"), measure(run, requests, device="cpu"), strict=True)
    assert all(np.allclose(gpu.values, cpu.values, rtol=0, atol=1e-10) for gpu, cpu in pairs)
