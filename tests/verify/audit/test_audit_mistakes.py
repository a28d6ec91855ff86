"""Named mistakes are caught because of the mistake: the same problems without it pass."""

from __future__ import annotations

import numpy as np
import pytest

import bounds
from bounds.setting import Schedule
from empirical.oracles import Method, evolve_twins
from verify.audit import Audit, Mutant, why_missed, wrong_runs
from verify.audit.audit import run_audit
from verify.audit.mistakes import mistakes
from verify.audit.mutants import mutants_of, witnesses
from verify.audit.spreads import balanced, one_eigenvalue
from verify.audit.stabilities import signed
from verify.audit.witness import Collector
from verify.verdict import Verdict

NAMED = (
    "eta for eta squared",
    "atc run called consensus",
    "node_average called gradient_point",
    "samples on two nodes",
    "twin with fresh randomness",
    "one node's buffers in the averaged model",
    "population risk from the training set",
    "smoothness estimated on too short a path",
    "projected run held against an unprojected bound",
    "per-step for per-sample variance",
)


@pytest.mark.slow
def test_mistakes_are_caught() -> None:
    found = mistakes()
    for name in NAMED:
        assert any(name in one.rule for one in found)
    missed = [one.name for one in found if one.caught_by == "missed"]
    assert missed == ["dsgd_convex: all samples for those of one node"]
    assert len({one.name for one in found}) == len(found)


def test_mistakes_of_runs_are_caught() -> None:
    found = wrong_runs.wrong_runs()
    assert {one.caught_by for one in found} == {"verdict", "contract"}
    assert {one.kind for one in found} == {"mistake"}


@pytest.mark.parametrize("node", [0, 2])
def test_a_sample_on_one_node_only_attains_the_bound(node: int) -> None:
    ours, theirs = signed(4, 3, 0.0, 2.0)
    method = Method(update_form="atc", mixing=one_eigenvalue(4, 0.5), schedule=Schedule(eta=0.1))
    (state,) = evolve_twins(method, ours, theirs, node, 0, [9])
    apart = np.abs(state.difference.models.mean).mean()
    assert apart == pytest.approx(bounds.get("l1_stability_convex").evaluate(L=2.0, eta=0.1, T=9, m=4, n=3))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_constants_of_the_whole_path_hold(form: str) -> None:
    power, pull = one_eigenvalue(2, 0.5), balanced(2, 1.0)[:, 0]
    models = wrong_runs._settle(form, power, 0.1, lambda x: pull - 2 * np.clip(x, -3.0, 3.0) ** 3, 12, start=0.4)
    found = Collector(f"consensus_distance_{form}", "", "dominates")
    for T in (3, 12):
        whole = float((6 * np.clip(models[: T + 1], -3, 3) ** 2).max())
        known = {"eta": 0.1, "sigma2": 0.0, "zeta2": 1.0, "m": 2, "gap": 0.5, "Q": 1, "beta": whole, "T": T}
        # Under a cubic pull the gradients of the nodes also differ because the nodes do; only the part that is fixed is zeta2.
        found.add(form, "node_average", float(models[T].var()), **known)
    assert found.witness().verdict(bounds.get(f"consensus_distance_{form}")) is Verdict.HOLDS


def test_labels_are_right_before_the_mistake() -> None:
    for bound_id in ("l1_stability_nonconvex", "l2_stability_atc_gap", "consensus_distance_consensus", "disagreement_trace_ring"):
        assert witnesses(bound_id)[0].verdict(bounds.get(bound_id)) is Verdict.HOLDS


@pytest.fixture(scope="module")
def small() -> Audit:
    from verify.audit import audit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "cells", lambda: [("gaussian", 20, 1), ("left_skewed", 50, 1)])
        patch.setattr(audit, "REPLICATES", (20,))
        patch.setattr(audit, "mistakes", _few)
        return run_audit(40, 0, 1, names=("l1_stability_convex", "sam_residual", "hardt2016_nonconvex_relaxed"))


def _few() -> list[Mutant]:
    return [Mutant("x: a mistake", "x", "a mistake", "mistake", "verdict", "a run")]


def test_the_document_has_what_is_promised(small: Audit) -> None:
    document = small.document()
    assert set(document) >= {"schema_version", "false_alarms", "mutants", "rates"}
    assert {"name", "class", "caught_by"} <= set(document["mutants"][0])
    assert {row["class"] for row in document["mutants"]} == {"tightening", "loosening", "mistake"}
    assert {row["caught_by"] for row in document["mutants"]} <= {"verdict", "contract", "proof", "missed"}
    assert 0 <= document["rates"]["false_alarm"] <= 0.2
    assert document["rates"]["mistake"] == 1.0
    rows = [row for row in document["false_alarms"] if row["verdict"] == "VIOLATED"]
    assert [(row["noise"], row["replicates"], row["trials"]) for row in rows] == [("gaussian", 20, 40), ("left_skewed", 50, 40)]


def test_rates_count_what_counts(small: Audit) -> None:
    counted = small.counted("loosening")
    assert all(one.counts for one in counted)
    assert any(one.kind == "loosening" and not one.counts for one in small.mutants)
    missed = sum(one.caught_by == "missed" for one in counted)
    assert small.caught("loosening").count == len(counted) - missed
    assert sum(small.catchers("loosening").values()) == len(counted)
    assert [one.name for one in small.missed] == ["sam_residual: times 2"]


def test_every_miss_is_explained(small: Audit) -> None:
    assert all(why_missed(one) for one in small.mutants if one.caught_by == "missed")


@pytest.mark.slow
def test_the_whole_catalogue_meets_its_target() -> None:
    found = [one for bound_id in bounds.entries() for one in mutants_of(bound_id)]
    tight = [one for one in found if one.kind == "tightening"]
    assert len(tight) >= 200
    assert sum(one.caught_by != "missed" for one in tight) >= 0.95 * len(tight)
    assert all(why_missed(one) for one in found if one.caught_by == "missed")
