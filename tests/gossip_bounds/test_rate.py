"""``gossip-bounds rate``: format, words, and one line for every mistake."""

import json

import pytest

from gossip_bounds.main import run


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rate", "mgs_generalization_stated", "m", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "bound": "mgs_generalization_stated",
        "parameter": "m",
        "limit": "inf",
        "exponent": "-1/(2*beta*c + 2)",
        "log_power": "0",
        "status": "exact",
        "value": "0",
        "reason": "of the formula, outside the theorem: 1 <= start fails as m -> inf",
    }


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rate", "dsgd_convex", "eta"]) == 0
    assert capsys.readouterr().out == "dsgd_convex as eta -> 0, the others held fixed: eta to the power 1; the limit is 0\n"
    assert run(["rate", "dsgd_convex", "eta", "--limit", "inf", "--update-form", "consensus"]) == 0
    assert "eta -> inf" in capsys.readouterr().out
    assert run(["rate", "l2_stability_atc", "T"]) == 0
    assert "UNKNOWN (" in capsys.readouterr().out
    assert run(["rate", "mgs_gossip_needed", "theta"]) == 0
    assert "log to the power 1" in capsys.readouterr().out


def test_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["limit", "dsgd_convex", "m=1", "T=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "bound": "dsgd_convex",
        "at": {"m": "1", "T": "2"},
        "value": "2*L**2*eta*2/n",
        "status": "exact",
    }
    assert run(["limit", "consensus_distance_atc", "Q=inf"]) == 0
    assert capsys.readouterr().out == "consensus_distance_atc at Q=inf: 0\n"
    assert run(["limit", "dsgd_convex", "eta=inf", "--given", "beta"]) == 0
    assert capsys.readouterr().out.endswith("inf\n  of the formula, outside the theorem: eta <= 2/beta fails as eta -> inf\n")
    assert run(["limit", "l2_stability_atc", "T=inf"]) == 0
    assert "UNKNOWN (" in capsys.readouterr().out


MISTAKES = [
    (["dsgd_convx", "m"], "did you mean 'dsgd_convex'"),
    (["dsgd_convex", "lr"], "no parameter 'lr'"),
    (["dsgd_convex", "m", "--given", "lr"], "no parameter 'lr'"),
    (["dsgd_convex", "m", "--limit", "1"], "give inf or 0"),
    (["dsgd_convex", "m", "--limit", "0"], "give inf"),
    (["consensus_distance_atc", "convex"], "neither to infinity"),
    (["dsgd_convex", "m", "--update-form", "centralized"], "allowed: atc, cta, consensus"),
    (["dsgd_convex"], "Missing argument"),
]


LIMIT_MISTAKES = [
    (["dsgd_convex"], "Missing argument"),
    (["dsgd_convx", "m=1"], "did you mean 'dsgd_convex'"),
    (["dsgd_convex", "m"], "give NAME=VALUE"),
    (["dsgd_convex", "m="], "give NAME=VALUE"),
    (["dsgd_convex", "m=x"], "give a number or inf"),
    (["dsgd_convex", "m=1", "m=2"], "given twice"),
    (["dsgd_convex", "m=0"], "an integer >= 1"),
    (["dsgd_convex", "m=inf", "T=inf"], "got 2 limits"),
    (["dsgd_convex", "lr=1"], "no parameter 'lr'"),
    (["l2_stability_atc", "spectrum=1"], "is an array"),
    (["consensus_distance_atc", "gap=inf"], "<= 1"),
]


@pytest.mark.parametrize(("arguments", "words"), LIMIT_MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_in_limits_give_one_line_and_status_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["limit", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_give_one_line_and_status_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rate", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
