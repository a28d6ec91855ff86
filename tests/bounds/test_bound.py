"""Verbs of a bound: parameters, arrays, assumptions against settings."""

import dataclasses
import re
import subprocess
import sys

import numpy as np
import pytest

import bounds
from bounds import Constant, LossClass, Readout, Schedule, Setting, UpdateForm
from bounds.errors import DomainError, MissingParameterError, UnknownNameError, UnknownParameterError
from bounds.topology import MixingMatrix, topology

VALUES = {"L": 1.0, "eta": 0.05, "T": 1000, "m": 16, "n": 64}


def certified(value: float) -> Constant:
    return Constant(value, "certified", "test")


LOSS = LossClass("test", True, certified(1.0), certified(0.5), None, certified(4.0), certified(1.0), certified(0.2), certified(10.0))
SETTING = Setting(UpdateForm.ATC, Readout.NODE_AVERAGE, 64, 1000, Schedule(0.05), LOSS, topology("ring", 16).network(2), Q=2)


def test_arrays_broadcast_and_agree_with_scalars() -> None:
    bound = bounds.get("dsgd_worst_node_convex")
    T, Q = np.array([[10], [1000]]), np.array([1, 2, 5])
    table = bound.evaluate(L=1, eta=0.1, T=T, m=8, n=4, gap=0.2, Q=Q)
    assert table.shape == (2, 3)
    assert table[1, 2] == bound.evaluate(L=1, eta=0.1, T=1000, m=8, n=4, gap=0.2, Q=5)
    assert isinstance(bound.evaluate(**VALUES | {"gap": 0.1, "Q": 1}), float)


def test_mistakes_are_named() -> None:
    bound = bounds.get("dsgd_convex")
    with pytest.raises(MissingParameterError, match="needs n"):
        bound.evaluate(L=1, eta=1, T=1, m=1)
    with pytest.raises(UnknownParameterError, match="no parameter 'lr'"):
        bound.evaluate(**VALUES, lr=1)
    for wrong in ({"L": -1.0}, {"T": 1.5}, {"m": 0}, {"eta": float("nan")}, {"eta": float("inf")}, {"gap": 0.0}, {"gap": 1.5}):
        with pytest.raises(DomainError, match=next(iter(wrong))):
            bound.evaluate(**(VALUES | wrong))
    with pytest.raises(UnknownNameError, match="did you mean 'dsgd_convex'"):
        bounds.get("dsgd_convx")
    with pytest.raises(DomainError, match="centralized"):
        bound.evaluate(**VALUES, update_form="centralized")
    with pytest.raises(UnknownNameError, match="update form"):
        bound.evaluate(**VALUES, update_form="atcc")


def test_errors_are_the_builtins_people_catch() -> None:
    assert issubclass(MissingParameterError, TypeError)
    assert issubclass(DomainError, ValueError)
    assert issubclass(UnknownNameError, LookupError)


def test_overflow_has_a_finite_logarithm() -> None:
    bound = bounds.get("dsgd_convex")
    huge = VALUES | {"L": 1e300}
    assert bound.evaluate(**huge) == float("inf")
    assert bound.log_value(huge) == pytest.approx(bound.log_value(VALUES) + 600 * np.log(10), rel=1e-14)


def test_a_supported_setting_is_evaluated_at_its_constants() -> None:
    bound = bounds.get("dsgd_convex")
    assert bound.supports(SETTING) == []
    assert bound.at(SETTING) == bound.evaluate(L=1.0, eta=0.05, T=1000, m=16, n=64)
    spread = bounds.get("consensus_distance_atc")
    assert spread.supports(SETTING) == []
    values = {"eta": 0.05, "sigma2": 1.0, "zeta2": 0.2, "m": 16, "gap": SETTING.network.gap, "Q": 2, "beta": 0.5, "T": 1000}
    assert spread.at(SETTING) == spread.evaluate(**values, convex=1)
    rough = dataclasses.replace(SETTING, loss=dataclasses.replace(LOSS, convex=False))
    assert spread.at(rough) == spread.evaluate(**values)


def test_a_flag_of_zero_is_as_if_it_were_not_given() -> None:
    values = {"eta": 0.05, "sigma2": 1.0, "zeta2": 0.2, "m": 16, "gap": 0.05, "Q": 2, "beta": 0.5}
    bound = bounds.get("consensus_distance_atc")
    assert bound.evaluate(**values, convex=0) == bound.evaluate(**values) > bound.evaluate(**values, convex=1)
    assert bound.assess(values | {"eta": 10.0, "convex": 0}) == bound.assess(values | {"eta": 10.0})
    unrolled = [float(bound.recursion.unroll(bound.formula, values | more, 3)[-1].mid()) for more in ({}, {"convex": 0}, {"convex": 1})]
    assert unrolled[0] == unrolled[1]
    assert unrolled[1] > unrolled[2]


@pytest.mark.parametrize(
    ("bound_id", "change", "words"),
    [
        ("dsgd_convex", {"schedule": Schedule(4.1)}, "eta <= 2/beta fails"),
        ("dsgd_convex", {"update_form": UpdateForm.CONSENSUS, "schedule": Schedule(3.0)}, r"eta <= 2\*w_min/beta fails"),
        ("dsgd_convex", {"update_form": UpdateForm.CENTRALIZED}, "not about centralized"),
        ("dsgd_convex", {"b": 65}, "b <= n fails"),
        ("dsgd_convex", {"common_start": False}, "same point"),
        ("dsgd_convex", {"loss": dataclasses.replace(LOSS, convex=False)}, "convex"),
        ("dsgd_convex", {"loss": dataclasses.replace(LOSS, L=None)}, "needs L"),
        ("dsgd_convex", {"loss": dataclasses.replace(LOSS, beta=None)}, "needs beta"),
        ("dsgd_convex", {"schedule": Schedule(c=1.0)}, "needs eta"),
        ("l1_stability_convex", {"readout": Readout.WORST_NODE}, "not about worst_node"),
        ("dsgd_worst_node_convex", {"update_form": UpdateForm.CONSENSUS}, "not about consensus"),
        ("consensus_distance_atc", {"update_form": UpdateForm.CONSENSUS}, "not about consensus"),
        ("consensus_distance_consensus", {}, "not about atc"),
    ],
)
def test_an_unmet_assumption_is_said_in_words(bound_id: str, change: dict, words: str) -> None:
    unmet = bounds.get(bound_id).supports(dataclasses.replace(SETTING, **change))
    assert len(unmet) >= 1

    assert re.search(words, "; ".join(unmet))


def test_asymmetric_matrices_are_refused_where_symmetry_is_used() -> None:
    shift = np.roll(np.eye(16), 1, axis=1)
    setting = dataclasses.replace(SETTING, network=MixingMatrix((np.eye(16) + shift) / 2).network())
    assert bounds.get("dsgd_convex").supports(setting) == []
    assert any("symmetric" in text for text in bounds.get("dsgd_worst_node_convex").supports(setting))


def test_schedules() -> None:
    assert [Schedule(0.1).step(t) for t in (1, 9)] == [0.1, 0.1]
    assert [Schedule(c=2.0, tau=1.0).step(t) for t in (1, 3)] == [1.0, 0.5]
    for wrong in ({}, {"eta": 1.0, "c": 1.0}, {"c": 1.0, "tau": -1.0}, {"eta": 1.0, "tau": 1.0}):
        with pytest.raises(DomainError):
            Schedule(**wrong)


def test_import_is_light() -> None:
    code = "import sys, bounds; bounds.get('dsgd_convex').evaluate(L=1, eta=1, T=1, m=1, n=1);" + (
        "print([m for m in ('numpy', 'sympy', 'torch', 'matplotlib', 'networkx') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_doctests() -> None:
    import doctest

    import bounds.registry
    import bounds.topology.graphs

    for module in (bounds, bounds.registry, bounds.topology.graphs):
        assert doctest.testmod(module).failed == 0
