"""Claims on images: what is said where the data are absent, what runs where they are there, and constants that are only estimated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bounds
from bounds.setting import Constant
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical import Run, trajectory
from empirical.constants import constants_met
from empirical.data import SETS
from empirical.problems.base import Problem
from empirical.problems.registry import problem
from empirical.samples import draw_samples
from verify.case import Case, Context
from verify.claims import cao2025, li2025
from verify.claims.flatness.landings import plans, word
from verify.claims.images import CNN, MLP, image_problems
from verify.claims.multigossip import estimated, exponents, gradients, optimization, orders_without_beta
from verify.claims.multigossip.common import STABILITY
from verify.claims.multigossip.descent import Held, read_descent
from verify.claims.multigossip.estimated import hold_estimated, outside, read_estimated
from verify.claims.multigossip.measured_orders import Ask
from verify.claims.multigossip.training import half_mixed
from verify.finding_case import Finding, TasksCase
from verify.statistics.decision import MIN_REPLICATES
from verify.suite import BUDGETS
from verify.verdict import CaseResult, Evidence, Verdict

CONTEXT = Context(level=0.01, seed=0)
WITH_IMAGES = [*li2025.CLAIMS, "cao2025-flatter-minima", "cao2025-accuracy-two-factors", "cao2025-diffusion-most-accurate"]
RUN = Run(problem="mlp-digits", update_form=UpdateForm.ATC, m=4, n=8, T=10, eta=0.1, Q=2, checkpoints=(5, 10), replicates=10, seed=0)
HELD = Held(
    "mgs_stationarity", "gradient", Readout.NETWORK_MEAN.value, "T", ((0, 5), (0, 10)), (5.0, 10.0), Quantity.GRADIENT_NORM, "gradient"
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("GOSSIP_BOUNDS_DATA", raising=False)
    return


def of_sets(cases: list[Case]) -> dict[str, CaseResult]:
    """The decided cases that are called like a data set."""
    return {case.case: case.decide({}, CONTEXT) for case in cases if isinstance(case, TasksCase) and case.case in SETS}


@pytest.mark.parametrize("claim", WITH_IMAGES)
def test_absent_data_are_a_case_that_names_the_package_and_the_command(claim: str) -> None:
    build = {**li2025.CLAIMS, **cao2025.CLAIMS}[claim]
    found = of_sets(build(BUDGETS["default"], 0, "cpu"))
    assert list(found) == ["fashion-mnist"]
    one = found["fashion-mnist"]
    assert (one.verdict, one.evidence, one.claim) == (Verdict.UNDECIDED, Evidence.MEASURED, claim)
    assert "Debian package dataset-fashion-mnist: run 'gossip-bounds data fashion-mnist --data-dir DIR'" in one.reason
    assert one.reason.endswith("give --data-dir DIR or set GOSSIP_BOUNDS_DATA.")


def test_quick_reports_have_no_images_and_full_ones_two_sets() -> None:
    build = optimization.optimization
    assert of_sets(build(BUDGETS["quick"], 0, "cpu")) == {}
    found = build(BUDGETS["full"], 0, "cpu")
    assert list(of_sets(found)) == ["fashion-mnist", "cifar-10"]
    assert not any(case.measured for case in found if case.case in SETS)


@pytest.mark.parametrize("claim", WITH_IMAGES)
def test_full_reports_want_both_sets(claim: str) -> None:
    found = of_sets({**li2025.CLAIMS, **cao2025.CLAIMS}[claim](BUDGETS["full"], 0, "cpu"))
    assert list(found) == ["fashion-mnist", "cifar-10"]


def test_a_convolutional_network_lands_in_full_reports_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOSSIP_BOUNDS_DATA", str(tmp_path))
    for name in ("fashion-mnist", "cifar-10"):
        put(tmp_path, name)
    kinds = {budget: [word(plan) for plan in plans(BUDGETS[budget])] for budget in BUDGETS}
    assert kinds == {
        "quick": ["mlp", "network"],
        "default": ["mlp", "network", "mlp-fashion-mnist"],
        "full": ["mlp", "network", "mlp-fashion-mnist", "cnn-cifar-10"],
    }
    assert plans(BUDGETS["full"])[-1].replicates >= MIN_REPLICATES


def put(folder: Path, name: str, leave_out: int = 0) -> None:
    (folder / name).mkdir()
    for file in SETS[name].files[leave_out:]:
        (folder / name / f"{file.name}.gz").write_bytes(b"")


def test_what_is_there_runs_and_a_part_of_a_set_is_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOSSIP_BOUNDS_DATA", str(tmp_path))
    put(tmp_path, "fashion-mnist")
    put(tmp_path, "cifar-10", leave_out=1)
    assert image_problems(BUDGETS["full"]) == image_problems(BUDGETS["default"]) == (MLP,)
    assert image_problems(BUDGETS["quick"]) == ()
    found = exponents.exponents(BUDGETS["full"], 0, "cpu")
    assert list(of_sets(found)) == ["cifar-10"]
    assert sum("mlp-fashion-mnist" in case.case for case in found) == 3


def test_every_image_case_is_named_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOSSIP_BOUNDS_DATA", str(tmp_path))
    for name in ("fashion-mnist", "cifar-10"):
        put(tmp_path, name)
    # These builders know the networks' names only; others look at the images.
    monkeypatch.setattr("verify.claims.multigossip.enough._measured", lambda *_: [])
    assert image_problems(BUDGETS["full"]) == (MLP, CNN)
    for claim, build in li2025.CLAIMS.items():
        names = [case.case for case in build(BUDGETS["full"], 0, "cpu")]
        assert len(set(names)) == len(names)
        if claim != "li2025-factors":
            assert any("mlp" in name for name in names), claim
            assert any("cnn" in name for name in names), claim


def held(run: Run, **change: Any) -> Finding:
    return hold_estimated((read_estimated(run, ("gradient",), "cpu"),), 0.01, np.random.default_rng(0), replace(HELD, **change), "!")


def test_estimated_constants_are_named_and_refute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimated, "constants_met", partial(constants_met, steepest=1))
    true = held(RUN)
    assert true.verdict is Verdict.HOLDS
    assert {one.tag for one in true.constants.values()} == {"estimated"}
    assert set(true.constants) == {"beta", "sigma2", "zeta2"}
    assert true.reason.endswith("met by these values.!")
    known = {name: one for name, one in true.constants.items() if name != "L"}
    monkeypatch.setattr(estimated, "constants_met", lambda *_: known)
    far = held(replace(RUN, eta=5.0))
    assert far.verdict is Verdict.NOT_APPLICABLE
    assert "eta <= 1/beta" in far.reason
    assert "Estimated: beta >= " in far.reason
    monkeypatch.setattr(bounds.get("mgs_stationarity").__class__, "evaluate", lambda self, **given: 1e-9)
    planted = held(RUN)
    assert planted.verdict is Verdict.UNDECIDED
    assert "refutes nothing" in planted.reason


def test_estimates_are_the_largest_over_training_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def met(described: Problem, models: np.ndarray, training: np.ndarray) -> dict[str, Constant]:
        seen.append((models, training))
        return {"beta": Constant(float(3 - len(seen)), "estimated", "so far"), "L": Constant(float(len(seen)), "estimated", "so far")}

    monkeypatch.setattr(estimated, "constants_met", met)
    found = estimated.estimates(RUN, "cpu")
    assert {name: one.value for name, one in found.items()} == {"beta": 2.0, "L": 2.0}
    drawn = draw_samples(RUN, problem(RUN.problem)).training
    for (models, training), own, trained in zip(seen, drawn, trajectory(replace(RUN, replicates=2), device="cpu"), strict=False):
        assert (training == own).all()
        assert (models[1:] == trained).all()
        assert (models[0] == problem(RUN.problem).start).all()


def test_bounds_that_do_not_speak_about_a_network_say_why() -> None:
    found = outside("mlp-digits", ("mgs_convex", "mgs_excess_pl"))
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert "every local loss is convex: this is not so here; no minimiser" in found.reason
    assert "no mu is known" in found.reason
    assert "has no M" in found.reason
    assert "mgs_stationarity" not in outside("mlp-digits", ("mgs_pl",)).reason


def test_gradients_without_any_assumption_are_reported() -> None:
    measured = (read_descent(RUN, ("largest",), "cpu"),)
    found = gradients.below_implied(measured, 0.01, np.random.default_rng(0))
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert found.numbers.measured == measured[0].values["largest"].max() > 0
    assert found.curves[0].bound is None


def test_exponents_are_judged_for_every_beta(monkeypatch: pytest.MonkeyPatch) -> None:
    base = Run(
        problem="linear", update_form=UpdateForm.ATC, m=8, n=8, T=40, eta=0.1, replicates=24, twins=8, seed=0, topology=half_mixed(8)
    )
    nodes = tuple(replace(base, m=m, topology=half_mixed(m), twins=2 * m) for m in (2, 4, 8, 16))
    lengths = (replace(base, checkpoints=(5, 10, 20, 40)),)

    def decided(runs: tuple[Run, ...], parameter: str) -> Verdict:
        from verify.curve_case import run_requests

        measured = tuple(run_requests(run, (STABILITY,), "cpu") for run in runs)
        rng = np.random.default_rng(0)
        return orders_without_beta.whatever_beta(measured, 0.01, rng, Ask(parameter, STABILITY, upper=True)).verdict

    # 2 L eta T/(m n): a power of -1 in m, below every stated one; of 1 in T, which some beta allows.
    assert decided(nodes, "m") is Verdict.HOLDS
    assert decided(lengths, "T") is Verdict.UNDECIDED
    monkeypatch.setitem(orders_without_beta.RANGES, "T", (0.0, 0.5))
    assert decided(lengths, "T") is Verdict.VIOLATED
