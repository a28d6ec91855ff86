"""``gossip-bounds compare``: the document, the sentences, the picture, and one line for every mistake."""

import json
from pathlib import Path

import pytest

from gossip_bounds.main import run

KEYS = ["schema_version", "a", "b", "relation", "crossings", "box", "engine"]
PAGE = Path(__file__).parents[2] / "docs" / "comparing.md"
LINE = ["L=1", "eta=0.1", "m=16", "n=100", "beta=1", "sigma2=0.01", "zeta2=0.01", "r0=1", "gap=0.2", "Q=4", "b=1"]


def compare(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["compare", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def test_the_format(capsys: pytest.CaptureFixture[str]) -> None:
    document = compare(capsys, "dsgd_convex", "hardt2016_convex")
    assert list(document)[:7] == KEYS
    assert (document["schema_version"], document["relation"], document["crossings"]) == (1, "<=", [])
    assert document["let"] == {"N": "m*n"}
    assert document["box"]["T"] == [1, 10**6]


def test_crossings_along_a_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    document = compare(capsys, "mgs_excess_convex", "dsgd_convex", *LINE, "T=1:1e6", "--along", "T")
    (crossing,) = document["crossings"]
    assert (crossing["parameter"], crossing["high"] - crossing["low"], document["complete"]) == ("T", 1, True)
    assert run(["compare", "mgs_excess_convex", "dsgd_convex", *LINE, "T=1:1e6", "--along", "T"]) == 0
    text = capsys.readouterr().out
    assert f"crossing at T in [{crossing['low']}, {crossing['high']}], the second bound is smaller below" in text
    assert "crossings found: 1, proved to be all" in text


def test_options_reach_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    document = compare(capsys, "dsgd_convex", "hardt2016_convex", "m=4", "--let", "b=m*b", "--update-form", "cta")
    assert (document["relation"], document["reason"]) == ("<=", "they are equal everywhere")
    assert document["let"] == {"N": "m*n", "b": "m*b"}
    assert document["update_form"] == {"a": "cta", "b": "centralized"}
    assert document["box"]["m"] == [4, 4]
    assert compare(capsys, "dsgd_convex", "dsgd_worst_node_convex", "readout=node_average")["readout"]["b"] == "node_average"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dsgd_convex", "nothing"], "unknown bound 'nothing'"),
        (["dsgd_convex", "hardt2016_convex", "N=2:5"], "N is m*n here"),
        (["dsgd_convex", "hardt2016_convex", "m=2:3:4"], "write m=lo:hi or m=VALUE"),
        (["dsgd_convex", "hardt2016_convex", "m"], "write NAME=lo:hi or NAME=VALUE"),
        (["dsgd_convex", "hardt2016_convex", "m=2", "m=3"], "m is given twice"),
        (["dsgd_convex", "hardt2016_convex", "--let", "N"], "write NAME=EXPRESSION"),
        (["dsgd_convex", "hardt2016_convex", "--let", "N=m*"], "column"),
        (["dsgd_convex", "hardt2016_convex", "--along", "T"], "give L=VALUE"),
        (["dsgd_convex", "hardt2016_convex", "--plot", "m,n"], "give both or neither"),
        (["dsgd_convex", "hardt2016_convex", "--plot", "m,n", "-o", "x.png"], "give X=lo:hi and Y=lo:hi"),
        (["dsgd_convex", "hardt2016_convex", "m=2:4", "n=2:4", "T=1:5", "--plot", "m,n", "-o", "x.png"], "give T=VALUE"),
    ],
)
def test_mistakes_get_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    assert run(["compare", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err
