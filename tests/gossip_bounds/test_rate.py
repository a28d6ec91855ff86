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
    }


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rate", "dsgd_convex", "eta"]) == 0
    assert capsys.readouterr().out == "dsgd_convex as eta -> 0, the others held fixed: eta to the power 1\n"
    assert run(["rate", "dsgd_convex", "eta", "--limit", "inf", "--update-form", "consensus"]) == 0
    assert "eta -> inf" in capsys.readouterr().out
    assert run(["rate", "l2_stability_atc", "T"]) == 0
    assert "UNKNOWN (" in capsys.readouterr().out
    assert run(["rate", "mgs_gossip_needed", "theta"]) == 0
    assert "log to the power 1" in capsys.readouterr().out


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


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_give_one_line_and_status_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rate", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
