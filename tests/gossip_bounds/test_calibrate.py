"""``gossip-bounds calibrate``: format, agreement with the library and with ``evaluate``, and one line for every mistake."""

import json
import re
from pathlib import Path

import pytest

import bounds
from bounds.topology import load
from gossip_bounds.main import run

KEYS = ["schema_version", "bound", "parameter", "status", "value", "low", "high", "achieved", "target", "reason"]
PAGE = Path(__file__).parents[2] / "docs" / "calibration.md"
DSGD = ["L=1", "eta=0.05", "T=1000", "m=16", "beta=1"]
SPREAD = ["eta=0.05", "sigma2=1", "zeta2=0.5", "m=16", "beta=1"]
EXCESS = [*SPREAD[1:], "L=1", "r0=1", "n=100", "Q=4", "gap=0.1"]


def calibrate(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["calibrate", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def test_the_format(capsys: pytest.CaptureFixture[str]) -> None:
    document = calibrate(capsys, "dsgd_convex", "n", "target=0.1", *DSGD)
    assert list(document) == KEYS
    assert document | {"achieved": None, "reason": ""} == {
        "schema_version": 1,
        "bound": "dsgd_convex",
        "parameter": "n",
        "status": "found",
        "value": 63,
        "low": 63,
        "high": 63,
        "achieved": None,
        "target": 0.1,
        "reason": "",
    }
    assert isinstance(document["value"], int)
    assert run(["evaluate", "dsgd_convex", *DSGD, f"n={document['value']}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == pytest.approx(document["achieved"], rel=1e-14)


def test_a_real_parameter_is_met_by_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    document = calibrate(capsys, "dsgd_convex", "eta", "target=0.1", "n=64", *[a for a in DSGD if a != "eta=0.05"])
    assert document["low"] == document["value"] <= 0.0512 <= document["high"]
    assert bounds.get("dsgd_convex").evaluate(L=1, eta=document["value"], T=1000, m=16, n=64) <= 0.1


def test_impossible_names_the_floor(capsys: pytest.CaptureFixture[str]) -> None:
    document = calibrate(capsys, "consensus_distance_consensus", "Q", "target=1e-6", "gap=0.1", *SPREAD)
    assert list(document) == KEYS
    assert (document["status"], document["value"], document["low"], document["high"]) == ("impossible", None, None, None)
    assert document["achieved"] > 1e-3
    assert f"floor {document['achieved']:.6g}"[:-1] in document["reason"]


def test_a_topology_sets_the_gap(capsys: pytest.CaptureFixture[str]) -> None:
    document = calibrate(capsys, "consensus_distance_atc", "Q", "target=1e-6", *SPREAD, "--topology", "ring")
    bound = bounds.get("consensus_distance_atc")
    point = dict(eta=0.05, sigma2=1, zeta2=0.5, m=16, beta=1, gap=load("ring", 16).gap)
    assert document == bounds.calibrate(bound, "Q", target=1e-6, **point).document()


def test_forms_and_readouts(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["mgs_convex", "Q", "target=0.06", "T=1000", "r0=1", "gap=0.1", *SPREAD]
    by_option = calibrate(capsys, *arguments, "--update-form", "consensus", "--readout", "node_average")
    by_word = calibrate(capsys, *arguments, "update_form=consensus", "readout=node_average")
    assert by_option == by_word
    assert calibrate(capsys, *arguments)["value"] != by_word["value"]


def test_two_parameters_and_the_least_value(capsys: pytest.CaptureFixture[str]) -> None:
    document = calibrate(capsys, "mgs_excess_convex", "eta,T", "target=0.2", *EXCESS)
    assert list(document) == KEYS
    assert document["parameter"] == "eta,T"
    assert list(document["value"]) == list(document["low"]) == list(document["high"]) == ["eta", "T"]
    least = calibrate(capsys, "mgs_excess_convex", "eta", "--minimise", "T=1000", *EXCESS)
    assert least["target"] is None
    assert least["low"] < least["value"] < least["high"]


def test_sides_and_the_best_t0(capsys: pytest.CaptureFixture[str]) -> None:
    low, high = (
        calibrate(capsys, "mgs_excess_convex", "eta", "target=0.2", "T=1000", *EXCESS, "--side", side) for side in ("smallest", "largest")
    )
    assert low["value"] < high["value"]
    assert high == calibrate(capsys, "mgs_excess_convex", "eta", "target=0.2", "T=1000", *EXCESS)
    point = ["L=1", "c=0.5", "T=1000", "m=16", "n=64", "beta=1", "M=1"]
    best = calibrate(capsys, "dsgd_nonconvex", "t0", "--minimise", *point)
    assert list(best) == KEYS
    assert (best["value"], best["low"], best["high"]) == (1, 1, 1)
    assert "at t0=0 and" in best["reason"]


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate", "dsgd_convex", "n", "target=0.1", *DSGD]) == 0
    shown = capsys.readouterr().out
    assert "dsgd_convex <= 0.1, by n: FOUND" in shown
    assert "n = 63\n" in shown
    assert "at n=62" in shown
    assert run(["calibrate", "mgs_excess_convex", "eta,T", "target=0.2", *EXCESS]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"T = \d+\n", shown)
    assert "the threshold lies in" in shown
    assert run(["calibrate", "consensus_distance_consensus", "Q", "target=1e-6", "gap=0.1", *SPREAD]) == 0
    assert "IMPOSSIBLE\n  the bound at best: 0.00" in capsys.readouterr().out
    assert run(["calibrate", "mgs_excess_convex", "eta", "--minimise", "T=1000", *EXCESS]) == 0
    assert "is least, by eta: FOUND" in capsys.readouterr().out


def test_own_theorems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "import bounds\n"
        'own = bounds.define(id="own", expression="1/n + 1/100", required=["n"], directions={"n": "decreasing"})\n'
        "BOUNDS = (own,)\n"
    )
    document = calibrate(capsys, "own", "n", "target=0.0135", "--bounds", str(file))
    assert document["value"] == 286
    assert calibrate(capsys, "own", "n", "target=0.0099", "--bounds", str(file))["status"] == "impossible"


MISTAKES = [
    (["dsgd_convx", "n", "target=1"], "did you mean 'dsgd_convex'"),
    (["dsgd_convex", "lr", "target=1", *DSGD], "no parameter 'lr'"),
    (["dsgd_convex", "n", "target=1", *DSGD, "lr=3"], "no parameter 'lr'"),
    (["dsgd_convex", "n", *DSGD], "give target=VALUE"),
    (["dsgd_convex", "n", "target=1", "target=2", *DSGD], "given twice"),
    (["dsgd_convex", "n", "target=1", "--minimise", *DSGD], "given twice"),
    (["dsgd_convex", "n", "target=x", *DSGD], "not a number"),
    (["dsgd_convex", "n", "target=inf", *DSGD], "not finite"),
    (["dsgd_convex", "n", "target=1:2:3", *DSGD], "not a number"),
    (["dsgd_convex", "n", "target=", *DSGD], "not a number"),
    (["dsgd_convex", "n", "target=1", *DSGD, "n=3"], "leave n=3 out"),
    (["dsgd_convex", "n", "target=1", *DSGD, "b=1:2:2"], "one number"),
    (["dsgd_convex", "n", "target=1", *DSGD[1:]], "needs L"),
    (["dsgd_convex", "n", "target=1", *DSGD, "b"], "NAME=VALUE"),
    (["dsgd_convex", "n", "target=1", *DSGD, "b=0"], "an integer >= 1"),
    (["dsgd_convex", "n,n", "target=1", *DSGD], "two different ones"),
    (["dsgd_convex", "n,b,Q", "target=1", *DSGD], "one, or two"),
    (["dsgd_convex", "n,gap", "target=1", *DSGD], "must be a count"),
    (["dsgd_convex", "gap,n", "--minimise", *DSGD], "need a target"),
    (["dsgd_convex", "n", "target=1", *DSGD, "--update-form", "centralized"], "allowed: atc, cta, consensus"),
    (["dsgd_convex", "n", "target=1", *DSGD, "--readout", "x"], "unknown readout"),
    (["dsgd_convex", "m", "target=1", *DSGD, "--topology", "ring"], "m is sought"),
    (["dsgd_convex", "Q", "target=1", *DSGD, "--topology", "ring"], "Q is sought"),
    (["dsgd_convex", "gap", "target=1", *DSGD, "--topology", "ring"], "leave --topology out"),
    (["dsgd_convex", "n", "target=1", *DSGD, "--topology", "rang"], "ring"),
    (["step_limit_consensus", "spectrum", "target=1", "rho_max=1", "Q=1"], "is an array"),
    (["dsgd_convex", "n", "target=1", *DSGD, "--side", "left"], "give smallest or largest"),
    (["dsgd_convex", "t0", "--minimise", "n=1", *DSGD], "no parameter 't0'"),
    (["dsgd_nonconvex", "t0", "target=1", "L=1", "c=1", "T=9", "m=2", "n=9", "beta=1", "M=1"], "leave the target out"),
    (["dsgd_convex"], "Missing argument"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_give_one_line_and_status_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
