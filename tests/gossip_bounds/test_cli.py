"""The command line: exact formats, and one line with exit status 2 for every mistake."""

import csv
import json
from pathlib import Path

import pytest

import bounds
from bounds.topology import topology
from gossip_bounds.main import run

DSGD = ["dsgd_convex", "L=1", "eta=0.05", "T=1000", "m=16", "n=64"]


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def parsed(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    return json.loads(output(capsys, *arguments, "--json"))


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    rows = parsed(capsys, "list")
    assert [row["id"] for row in rows] == list(bounds.entries())
    assert all(set(row) == {"id", "quantity", "kind", "paper", "update_forms"} for row in rows)


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    for bound_id in bounds.entries():
        card = parsed(capsys, "show", bound_id)
        keys = {"id", "quantity", "kind", "update_forms", "symbols", "assumptions", "source", "expression", "latex", "directions"}
        assert keys | {"schema_version"} <= set(card)
        assert all(set(symbol) == {"name", "meaning", "unit", "domain", "required"} for symbol in card["symbols"])
        assert set(card["directions"]) == {symbol["name"] for symbol in card["symbols"]}
        assert set(card["directions"].values()) <= {"increasing", "decreasing", "constant", "mixed", "unknown"}
        assert bound_id in output(capsys, "show", bound_id)


def test_evaluate_one_point(capsys: pytest.CaptureFixture[str]) -> None:
    document = parsed(capsys, "evaluate", *DSGD, "beta=2")
    assert set(document) == {"schema_version", "bound", "parameters", "value", "log_value", "applies", "unmet"}
    assert document["value"] == pytest.approx(2 * 0.05 * 1000 / (16 * 64))
    assert document["applies"] is True
    assert document["unmet"] == []
    assert document["parameters"]["T"] == 1000


def test_applies_is_null_when_an_assumption_needs_what_was_not_given(capsys: pytest.CaptureFixture[str]) -> None:
    document = parsed(capsys, "evaluate", *DSGD)
    assert document["applies"] is None
    assert "beta" in document["unmet"][0]


def test_applies_is_false_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    document = parsed(capsys, "evaluate", *DSGD, "beta=100")
    assert document["applies"] is False
    assert "eta <= 2/beta" in document["unmet"][0]
    assert document["value"] > 0


def test_update_form_selects_the_condition(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "dsgd_convex", "L=1", "eta=1", "T=10", "m=8", "n=4", "beta=1", "--topology", "ring"]
    assert parsed(capsys, *arguments)["applies"] is True
    assert parsed(capsys, *arguments, "--update-form", "consensus")["applies"] is False


def test_grids_make_a_product(capsys: pytest.CaptureFixture[str]) -> None:
    rows = parsed(capsys, "evaluate", "hardt2016_convex", "L=1", "eta=0.1:0.3:3", "T=10:1000:3:log", "N=50")
    assert [(row["parameters"]["eta"], row["parameters"]["T"]) for row in rows][:4] == [(0.1, 10), (0.1, 100), (0.1, 1000), (0.2, 10)]
    assert len(rows) == 9
    assert rows[-1]["value"] == pytest.approx(2 * 0.3 * 1000 / 50)


def test_a_grid_of_one_point_is_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(parsed(capsys, "evaluate", "hardt2016_convex", "L=1", "eta=0.1", "T=10:10:1", "N=50"), list)


def test_topology_sets_gap_and_w_min(capsys: pytest.CaptureFixture[str]) -> None:
    document = parsed(capsys, "evaluate", *DSGD, "Q=3", "beta=1", "--topology", "ring", "--update-form", "consensus")
    assert document["parameters"]["gap"] == topology("ring", 16).gap
    assert document["parameters"]["w_min"] == topology("ring", 16).w_min(3)


def test_steady_state_that_does_not_exist_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    values = ["eta=10", "sigma2=1", "zeta2=1", "m=16", "gap=0.05", "Q=1", "beta=1"]
    document = parsed(capsys, "evaluate", "consensus_distance_consensus", *values)
    assert document["value"] is None
    assert document["applies"] is False


def test_csv(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    output(capsys, "evaluate", *DSGD[:-1], "n=2:8:3:log", "--csv", str(tmp_path / "t.csv"))
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["n"] for row in rows] == ["2", "4", "8"]
    assert float(rows[0]["value"]) == pytest.approx(4 * float(rows[2]["value"]))


def test_topology(capsys: pytest.CaptureFixture[str]) -> None:
    document = parsed(capsys, "topology", "ring", "--nodes", "32")
    keys = {"name", "nodes", "symmetric", "doubly_stochastic", "gap", "lambda_2", "lambda_min", "effective_neighbours", "spectrum"}
    assert set(document) == keys | {"schema_version"}
    assert document["effective_neighbours"] == pytest.approx(8.7814, abs=5e-5)
    assert len(document["spectrum"]) == 32
    assert "gap" in output(capsys, "topology", "torus", "--nodes", "16")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "apart.edgelist").write_text("a b\nc d\n")
    (tmp_path / "skew.csv").write_text("0.5,0.5\n0.6,0.5\n")
    (tmp_path / "measured.csv").write_text("T,value,replicate\n10,0.1,0\n20,nope,0\n")
    (tmp_path / "empty.csv").write_text("T,value\n")
    (tmp_path / "twice.csv").write_text("T,value,replicate\n10,0.1,0\n10,0.2,0\n")
    (tmp_path / "file").write_text("in the way")
    return tmp_path


PLOT = ["plot", "hardt2016_convex", "L=1", "eta=0.1", "N=50"]
MISTAKES = [
    (["evaluate", "dsgd_convx"], "did you mean 'dsgd_convex'"),
    (["show", "qqq"], "unknown bound 'qqq'; 'gossip-bounds list' shows all of them"),
    (["evaluate", "dsgd_convex", "L=1"], "needs eta, T, m, n"),
    (["evaluate", *DSGD, "lr=1"], "no parameter 'lr'"),
    (["evaluate", *DSGD, "L=2"], "given twice"),
    (["evaluate", *DSGD, "beta"], "NAME=VALUE"),
    (["evaluate", *DSGD, "beta=x"], "not a number"),
    (["evaluate", *DSGD, "beta=inf"], "not finite"),
    (["evaluate", *DSGD, "beta=-1"], "a number > 0"),
    (["evaluate", *DSGD, "b=1.5"], "an integer >= 1"),
    (["evaluate", *DSGD, "beta=1:2"], "not a grid"),
    (["evaluate", *DSGD, "beta=1:2:0"], "count"),
    (["evaluate", *DSGD, "beta=-1:2:3:log"], "> 0"),
    (["evaluate", "dsgd_convex", "L=1:2:2000", "eta=1:2:2000"], "at most 1000000"),
    (["evaluate", *DSGD, "gap=0.1", "--topology", "ring"], "leave one of them out"),
    (["evaluate", "dsgd_convex", "L=1", "--topology", "ring"], "give m=VALUE"),
    (["evaluate", *DSGD, "--topology", "rnig"], "did you mean 'ring'"),
    (["evaluate", "hardt2016_convex", "L=1", "eta=1", "T=1", "N=4", "--topology", "ring"], "does not depend on a topology"),
    (["evaluate", *DSGD, "--update-form", "centralized"], "allowed: atc, cta, consensus"),
    (["evaluate", *DSGD, "--csv", "FOLDER/file/t.csv"], "cannot write"),
    (["topology", "torus", "--nodes", "13"], "two factors"),
    (["topology", "ring"], "number of nodes"),
    (["topology", "ring", "--nodes", "0"], "at least one node"),
    (["topology", "FOLDER/apart.edgelist"], "2 unconnected pieces"),
    (["topology", "FOLDER/skew.csv"], "row 1 of the mixing matrix sums to 1.1"),
    (["topology", "FOLDER/missing.csv"], "cannot read"),
    (["topology", "ring", "--nodes", "8", "--decay", "1"], "decay"),
    ([*PLOT, "T=10", "-o", "FOLDER/a.png"], "needs a grid"),
    ([*PLOT, "T=10:20:3", "-o", "FOLDER/a.xyz"], ".png"),
    ([*PLOT, "T=10:20:3", "-o", "FOLDER/file/a.png"], "cannot write"),
    ([*PLOT, "T=10:20:3", "-o", "FOLDER/a.png", "--measured", "FOLDER/measured.csv"], "--x COLUMN"),
    ([*PLOT, "T=10:20:3", "-o", "FOLDER/a.png", "--measured", "FOLDER/measured.csv", "--x", "t", "--y", "value"], "no column 't'"),
    ([*PLOT, "T=10:20:3", "-o", "FOLDER/a.png", "--measured", "FOLDER/measured.csv", "--x", "T", "--y", "value"], "row 2"),
    ([*PLOT, "T=10:20:3", "-o", "FOLDER/a.png", "--measured", "FOLDER/empty.csv", "--x", "T", "--y", "value"], "no rows"),
    ([*PLOT, "T=10:20:3", "-o", "FOLDER/a.png", "--measured", "FOLDER/twice.csv", "--x", "T", "--y", "value"], "twice at 10"),
    (["verify", "core-convx", "--out", "FOLDER/out"], "did you mean 'core-convex'"),
    (["verify", "--quick", "--full", "--out", "FOLDER/out"], "at most one"),
    (["verify", "--out", "FOLDER/file/out"], "cannot write to the folder"),
    (["verify", "--device", "tpu", "--out", "FOLDER/out"], "tpu"),
    (["nonsense"], "No such command"),
    (["evaluate"], "Missing argument"),
    (["topology", "ring", "--nodes", "many"], "--nodes"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_give_one_line_and_status_2(arguments: list[str], words: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(files.rglob("*"))
    assert run([text.replace("FOLDER", str(files)) for text in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
    assert sorted(files.rglob("*")) == before


def test_plot_writes_a_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{T},{0.001 * T * (1 + 0.1 * (r % 5))},{r}" for T in (10, 100) for r in range(20)]
    (tmp_path / "m.csv").write_text("\n".join(["T,error,replicate", *rows]))
    for name in ("a.png", "b.svg", "c.pdf"):
        path = tmp_path / name
        family = ["eta=0.1:0.3:3"] if name == "a.png" else ["eta=0.1"]
        arguments = ["plot", "hardt2016_convex", "L=1", "T=10:1000:20:log", "N=50", *family, "-o", str(path)]
        output(capsys, *arguments, "--measured", str(tmp_path / "m.csv"), "--x", "T", "--y", "error")
        assert path.stat().st_size > 1000
