"""Batch independence, the edge of stability and accuracies: golden numbers, verdicts on known truth, planted wrong theory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bounds.topology import topology
from bounds.vocabulary import UpdateForm
from empirical import Run
from empirical.curvature import gradient
from verify.case import Context
from verify.claims.averaged_sam import accuracy, batch, batch_exact, batch_runs, edge, sharpening, spread_forms
from verify.claims.core import Budget
from verify.plan import execute
from verify.verdict import Verdict

QUICK = Budget("quick", 40, 2)
LEVEL = 0.002


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize(("name", "phi", "psi"), [("ring", 2.4096, 56.74), ("complete", 0.9375, 1.0)])
def test_phi_and_psi_are_the_golden_ones(name: str, phi: float, psi: float) -> None:
    assert spread_forms.phi_psi("consensus", topology(name, 16)) == pytest.approx((phi, psi), rel=1e-4)


def test_relabelled_rings_are_the_golden_ones_and_reach_the_lower_bound() -> None:
    W = topology("ring", 16)
    phi, _ = spread_forms.shuffled_phi_psi(W)
    assert phi == pytest.approx(1.318, abs=5e-4)
    assert phi == pytest.approx(spread_forms.jensen(W), rel=1e-12)
    for name in ("ring", "torus", "exponential", "hypercube", "star"):
        graph = topology(name, 16)
        assert spread_forms.phi_psi("consensus", graph)[0] >= spread_forms.jensen(graph) * (1 - 1e-12)


def test_closed_forms_are_those_of_the_moment_recursions() -> None:
    assert batch_exact.agreement() < 1e-9
    for form in ("consensus", "atc"):
        phi, psi = spread_forms.phi_psi(form, topology("ring", 8), 0.1)
        assert batch_exact.recursion(form, 0.1, 4) == pytest.approx(0.01 * phi / 4, rel=1e-10)
        assert batch_exact.recursion(form, 0.1, 10**12, True) == pytest.approx(0.01 * psi, rel=1e-9)


def test_the_published_training_crosses_at_142() -> None:
    assert batch_exact.published_crossing("consensus") == pytest.approx(142, abs=0.5)
    assert batch_exact.published(False).verdict is Verdict.VIOLATED
    scaled = batch_exact.published(True)
    assert scaled.verdict is Verdict.HOLDS
    assert scaled.numbers.measured == pytest.approx(64 * (1 + 141.6 / 512) / (1 + 141.6 / 64), rel=1e-3)


def test_exact_verdicts_by_regime() -> None:
    found = [
        batch_exact.same_data("atc"),
        batch_exact.relabelled(),
        batch_exact.partition("consensus", False),
        batch_exact.partition("consensus", True),
        batch_exact.scaled_step("consensus"),
        batch_exact.through_nodes("ring", (4, 8, 16)),
        batch_exact.through_nodes("hypercube", (64, 128)),
    ]
    assert [one.verdict.name for one in found] == ["VIOLATED", "VIOLATED", "VIOLATED", "HOLDS", "HOLDS", "HOLDS", "VIOLATED"]
    assert found[4].tables[0].rows == (("noise", pytest.approx(1), pytest.approx(2)), ("heterogeneity", pytest.approx(2), pytest.approx(3)))


def test_a_planted_wrong_closed_form_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    true = spread_forms.phi_psi
    monkeypatch.setattr(batch_exact, "phi_psi", lambda *given: (1.001 * true(*given)[0], true(*given)[1]))
    batch_exact.agreement.cache_clear()
    assert batch_exact.same_data("consensus").verdict is Verdict.UNDECIDED
    assert batch_exact.partition("consensus", True).verdict is Verdict.UNDECIDED
    monkeypatch.undo()
    batch_exact.agreement.cache_clear()


def spreads(curve: list[float], noise: float, penalty: list[float] | None = None) -> tuple[batch_runs.Spread, ...]:
    """Runs whose spread is ``curve`` times a size of the replicate's own, and whose prediction is that curve."""
    draw, x = np.random.default_rng(3), (1, 2, 4, 8, 16)
    size = np.exp(draw.normal(size=24))
    made = []
    for b, value, other in zip(x, curve, penalty or curve, strict=False):
        run = Run(problem="softmax-digits", update_form=UpdateForm.CONSENSUS, m=4, n=4, T=8, eta=0.1, b=b, replicates=24)
        measured = [size * one * (1 + noise * draw.normal(size=24)) for one in (value, other)]
        made.append(batch_runs.Spread(run, measured[0], measured[1], size * value, 0 * size))
    return tuple(made)


@pytest.mark.parametrize(
    ("curve", "noise", "wanted"),
    [
        ([1.0, 0.5, 0.25, 0.125, 0.0625], 0.02, Verdict.VIOLATED),
        ([1.0, 0.99, 0.98, 0.975, 0.97], 0.01, Verdict.HOLDS),
        ([1.0, 2.0, 4.0, 8.0, 16.0], 0.02, Verdict.HOLDS),
        ([1.0, 2.0, 4.0, 2.0, 1.5], 0.02, Verdict.VIOLATED),
        ([1.0, 0.95, 0.93, 0.91, 0.9], 0.1, Verdict.UNDECIDED),
    ],
)
def test_decreasing_or_not_on_known_truth(curve: list[float], noise: float, wanted: Verdict) -> None:
    assert batch_runs.in_runs(spreads(curve, noise), LEVEL, rng(), batch_runs.Ask("b", "Made up", -1.0)).verdict is wanted


def test_a_spread_and_a_regularizer_that_disagree_decide_nothing() -> None:
    made = spreads([1.0, 0.5, 0.25, 0.12, 0.06], 0.02, [1.0, 2.0, 4.0, 8.0, 16.0])
    assert batch_runs.in_runs(made, LEVEL, rng(), batch_runs.Ask("b", "Made up")).verdict is Verdict.UNDECIDED


def test_a_wrong_order_is_not_confirmed() -> None:
    made = spreads([1.0, 2.0, 4.0, 8.0, 16.0], 0.01)
    for exponent, word in ((1.0, "it is the order 1"), (2.0, "it is not the order 2")):
        assert word in batch_runs.in_runs(made, LEVEL, rng(), batch_runs.Ask("b", "Made up", exponent)).reason


def test_runs_have_the_spread_that_their_gradients_predict() -> None:
    base = batch._run(3, 10, "softmax-digits", 0.1, 2, 96)
    for one in (replace(base, split="label_skew"), replace(base, data="shared")):
        found = batch_runs.read_spread(one, (), "cpu")
        assert found.trace.mean() / found.predicted.mean() == pytest.approx(1, abs=0.1)
    assert found.pulled.max() < 1e-20
    assert (found.penalty > 0).all()


def test_gradients_by_hand_are_those_of_the_loss() -> None:
    for activation in sharpening.ACTIVATIONS:
        fit = sharpening.Fit(5, activation)
        weights = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 16)))
        assert fit.gradients(weights).numpy() == pytest.approx(gradient(fit.objective(), weights).numpy(), abs=1e-12)


def descended(form: str, shift: float, noise: float = 0.002) -> sharpening.Descended:
    descent = sharpening.Descent(form, "ring", 4, 12, "tanh", 0.2, 100, 4, 12, 0)
    values = descent.edge * (1 + shift + noise * np.random.default_rng(2).normal(size=(12, 4)))
    return sharpening.Descended(
        descent, np.array([25, 50, 75, 100]), values, np.ones(12), np.full(12, 1e-4 if form == "consensus" else 1e-14)
    )


def test_where_curvature_settles_on_known_truth() -> None:
    assert descended("consensus", 0).descent.edge == pytest.approx(2 / 3)
    for shift, noise, wanted in ((0.0, 0.002, Verdict.HOLDS), (0.2, 0.002, Verdict.VIOLATED), (0.05, 0.1, Verdict.UNDECIDED)):
        assert edge.at_the_edge((descended("consensus", shift, noise),), LEVEL, rng(), "", False).verdict is wanted
    lost = descended("consensus", 0)
    lost.edge[3, 2] = np.nan
    assert edge.at_the_edge((lost,), LEVEL, rng(), "", False).verdict is Verdict.UNDECIDED


def test_spread_at_the_edge_on_known_truth() -> None:
    spread = np.exp(np.random.default_rng(4).normal(size=12))
    verdicts = [
        edge.spread_remains((replace(descended(form, 0), spread=size * spread),), LEVEL, rng()).verdict.name
        for form, size in (("consensus", 1e-4), ("atc", 1e-14))
    ]
    assert verdicts == ["HOLDS", "VIOLATED"]


def test_the_limit_is_proved_and_a_wrong_factor_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [edge.linearised(form).verdict.name for form in ("consensus", "atc")] == ["HOLDS", "HOLDS"]
    true = edge.modes.factor
    monkeypatch.setattr(edge.modes, "factor", lambda form: true("atc" if form == "consensus" else "consensus"))
    assert [edge.linearised(form).verdict.name for form in ("consensus", "atc")] == ["UNDECIDED", "UNDECIDED"]


def test_accuracy_verdicts_on_known_truth() -> None:
    draw = np.random.default_rng(5)
    for mean, spread, wanted in ((1.0, 0.3, Verdict.HOLDS), (0.1, 0.3, Verdict.VIOLATED), (0.5, 2.0, Verdict.UNDECIDED)):
        assert accuracy.decide(mean + spread * draw.normal(size=40), LEVEL, rng())[0] is wanted
    assert accuracy.decide(np.ones(3), LEVEL, rng())[0] is Verdict.UNDECIDED


def test_accuracies_are_read_from_held_out_points_and_pairs_start_alike() -> None:
    pair = [replace(run, T=4, checkpoints=(1, 4), replicates=2) for run in accuracy._pair(0, 2, 4, 0.2)]
    ours, central = (accuracy.read_accuracy(run, (), "cpu").values for run in pair)
    assert ours.shape == (2, 2)
    # After one step from a common start the averaged model is the centralized one.
    assert ours[:, 0] == pytest.approx(central[:, 0], abs=0.1)
    with pytest.raises(ValueError, match="perceptrons"):
        accuracy.read_accuracy(replace(pair[0], problem="softmax-digits", precision="float64"), (), "cpu")


@pytest.mark.slow
def test_quick_verdicts_never_swap_under_other_seeds() -> None:
    """HOLDS and VIOLATED never change places; a case may be undecided."""
    for build in (batch.batch_independence, edge.edge_of_stability, accuracy.large_batch_accuracy):
        seen: dict[str, set[Verdict]] = {}
        for seed in (1, 2):
            for case in build(QUICK, seed, "cpu"):
                result = case.decide(execute(case.tasks(), jobs=1), Context(LEVEL, seed))
                seen.setdefault(case.case, set()).add(result.verdict)
        assert not any({Verdict.HOLDS, Verdict.VIOLATED} <= verdicts for verdicts in seen.values())
