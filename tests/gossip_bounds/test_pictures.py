"""Pictures from the command line: maps, families, gossip steps, networks, certificates; and mistakes, which leave nothing behind."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import bounds
from gossip_bounds.main import run

PNG = b"\x89PNG"
DSGD = ["dsgd_convex", "L=1", "eta=0.1", "beta=1"]
FLAT = "n,T,replicate,error\n" + "".join(
    f"{n},{T},{r},{0.001 * T * (1 + 0.01 * r) / n}\n" for n in (8, 16) for T in (10, 20) for r in range(12)
)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "flat.csv").write_text(FLAT)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_a_map_of_a_bound(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = output(capsys, "plot", *DSGD, "n=64", "T=10:1e4:9:log", "m=2:64:9:log", "--map", "--trivial", "0.5", "-o", "map.png")
    assert told == "wrote map.png\n"
    assert (there / "map.png").read_bytes().startswith(PNG)


def test_a_map_reads_its_values_off_the_bound(there: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("gossip_bounds.mapping.value_map", seen.append)
    monkeypatch.setattr("gossip_bounds.mapping.save", lambda *_: None)
    output(capsys, "plot", *DSGD[:2], "n=64", "m=4:2:2", "eta=0.1:0.4:3", "T=5", "--map", "--topology", "ring", "-o", "map.png")
    (drawn,) = seen
    assert (drawn.x.name, drawn.x_values.tolist()) == ("m", [2, 4])
    for row, eta in enumerate(drawn.y_values):
        for column, m in enumerate((2, 4)):
            assert drawn.values[row, column] == bounds.get("dsgd_convex").evaluate(L=1, eta=eta, n=64, m=m, T=5)
    # Without beta nobody knows whether the step is small enough.
    assert "beta" in drawn.fixed["not known to hold"]
    assert drawn.fixed["topology"] == "ring"


def test_a_map_of_measurements(there: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("gossip_bounds.mapping.tightness_figure", lambda found, *_: seen.append(found))
    monkeypatch.setattr("gossip_bounds.mapping.save", lambda *_: None)
    columns = ["--measured", "flat.csv", "--x", "T", "--x2", "n", "--y", "error"]
    output(capsys, "plot", *DSGD, "m=4", "--map", *columns, "-o", "map.png")
    (found,) = seen
    assert (found.names, found.x.tolist(), found.y.tolist(), found.replicates) == (("T", "n"), [10, 20], [8, 16], 12)
    # 2 L^2 eta T/(m n) over 0.001 T 1.055/n.
    assert found.ratio == pytest.approx(2 * 0.1 / 4 / (0.001 * 1.055), rel=1e-9)
    assert found.sure.all()
    assert found.applies.all()


def test_rows_of_a_sweep_are_chosen_by_value(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = ["--measured", "flat.csv", "--x", "T", "--y", "error"]
    output(capsys, "plot", *DSGD, "m=4", "n=8", "T=10:20:3", *columns, "--where", "n=8.0", "-o", "one.png")
    assert (there / "one.png").read_bytes().startswith(PNG)


def test_several_grids_make_a_family_of_all_combinations(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("gossip_bounds.plotting.bound_over_parameter", lambda *given: seen.append(given))
    monkeypatch.setattr("gossip_bounds.plotting.save", lambda *_: None)
    assert run(["plot", *DSGD[:2], "beta=1", "T=10:20:3", "m=2:4:2", "n=8:16:2", "eta=0.1", "-o", "f.png"]) == 0
    lines = {one.label: one.values.tolist() for one in seen[0][2]}
    bound = bounds.get("dsgd_convex")
    assert lines == {
        f"dsgd_convex, m = {m}, n = {n}": [bound.evaluate(L=1, eta=0.1, beta=1, T=T, m=m, n=n) for T in (10, 15, 20)]
        for m in (2, 4)
        for n in (8, 16)
    }


def test_gossip_steps(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["gossip-steps", "target=1e-3", "--graphs", "ring,hypercube", "--nodes", "10,16"]
    told = output(capsys, *asked, "-o", "q.svg")
    assert told.splitlines()[2:] == [
        "ring       51      133",
        "hypercube  absent  14",
        "The smallest Q for which every disagreement is at most 0.001 of what it was.",
        "wrote q.svg",
    ]
    assert b"<svg" in (there / "q.svg").read_bytes()
    document = json.loads(output(capsys, *asked, "--json", "--csv", "q.csv"))
    assert (document["schema_version"], document["bound"], document["target"]) == (1, None, 1e-3)
    assert [row["Q"] for row in document["rows"]] == [51, 133, None, 14]
    with (there / "q.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["found", "found", "absent", "found"]


def test_gossip_steps_of_a_bound_say_why_there_are_none(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["T=1000", "L=1", "beta=1", "n=100", "r0=1", "sigma2=1", "zeta2=0.5", "eta=0.01", "b=1"]
    told = output(capsys, "gossip-steps", "mgs_excess_convex", "target=0.102", *given, "--graphs", "ring", "--nodes", "16,64")
    assert "impossible  162" in told
    assert "ring, 16 nodes: as Q grows the bound falls to its floor" in told


def test_a_network_is_drawn_beside_what_is_printed(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = output(capsys, "topology", "ring", "--nodes", "8")
    assert output(capsys, "topology", "ring", "--nodes", "8", "-o", "ring.pdf") == "wrote ring.pdf\n" + plain
    assert (there / "ring.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_certificates_of_some_bounds_are_drawn(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = output(capsys, "certificates", "dsgd_convex", "hardt2016_convex", "--jobs", "1", "--out", "out", "-o", "c.png")
    assert "wrote out/certificates.json, c.png and out/report/certificates.html" in told
    assert {row["bound"] for row in json.loads((there / "out" / "certificates.json").read_text())} == {"dsgd_convex", "hardt2016_convex"}
    assert (there / "c.png").read_bytes().startswith(PNG)


SWEEP = """
[run]
problem = "linear"
update_form = "atc"
n = 4
T = 6
eta = 0.1
replicates = 3
checkpoints = [3, 6]
[sweep]
m = [2, 4]
topology = ["ring"]
[measure]
quantities = [["generalization_error", "READOUT"]]
"""


def test_measured_values_become_rows_that_plot_reads(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (there / "sweep.toml").write_text(SWEEP.replace("READOUT", "node_average"))
    output(capsys, "measure", "sweep.toml", "--out", "measured", "--csv", "rows.csv", "--jobs", "1")
    with (there / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["m", "topology", "T", "replicate", "generalization_error_at_node_average"]
    assert {(row["m"], row["T"], row["replicate"]) for row in rows} == {(m, T, r) for m in "24" for T in "36" for r in "012"}
    (first, *_) = json.loads(output(capsys, "measure", "sweep.toml", "--out", "measured", "--json", "--jobs", "1"))
    values = [float(row["generalization_error_at_node_average"]) for row in rows if (row["m"], row["T"]) == ("2", "6")]
    assert sum(values) / 3 == pytest.approx(first["means"]["generalization_error_at_node_average"][1], rel=1e-12)
    (there / "worst.toml").write_text(SWEEP.replace("READOUT", "worst_node"))
    assert run(["measure", "worst.toml", "--out", "other", "--csv", "worst.csv"]) == 2
    assert "one value per replicate" in capsys.readouterr().err
    assert not (there / "worst.csv").exists()
    assert not (there / "other").exists()


PLOT = ["plot", *DSGD, "-o", "x.png"]
MAP = [*PLOT, "m=4", "--map", "--measured", "flat.csv"]
MISTAKES = [
    ([*PLOT, "n=8", "m=4", "T=1:9:3", "--map"], "two grids of at least 2 values"),
    ([*PLOT, "n=8", "m=4:4:1", "T=1:9:3", "--map"], "two grids of at least 2 values"),
    ([*PLOT, "n=8", "m=2:1000:900", "T=1:1e6:900", "--map"], "at most 100000"),
    ([*PLOT, "n=8", "m=2:9:3", "T=1:9:3", "--map", "--trivial", "0"], "--trivial 0"),
    ([*PLOT, "n=8", "m=2:9:3", "T=1:9:3", "--trivial", "1"], "belong to a map"),
    ([*PLOT, "n=8", "m=2:9:3", "T=1:9:3", "--x2", "n"], "belong to a map"),
    ([*PLOT, "n=8", "m=2:9:3", "T=1:9:3", "--map", "--x", "T"], "give --measured FILE.csv"),
    ([*PLOT, "n=8", "m=4", "T=1:9:3", "--where", "n=8"], "give --measured FILE.csv"),
    ([*PLOT, "T=1:9:3", "n=2:9:3", "m=2:9:4"], "3 values of n times 4 values of m, 12 lines"),
    ([*PLOT, "n=8", "m=2:9:3", "T=1:9:3", "--map", "-o", "file/x.png"], "cannot write"),
    ([*MAP, "--x", "T", "--y", "error"], "--x2 COLUMN"),
    ([*MAP, "--x", "T", "--x2", "T", "--y", "error"], "two parameters"),
    ([*MAP, "--x", "T", "--x2", "replicate", "--y", "error"], "no parameter 'replicate'"),
    ([*MAP, "n=8", "--x", "T", "--x2", "n", "--y", "error"], "n is given and is a column"),
    ([*MAP, "--x", "T", "--x2", "n", "--y", "eror"], "no column 'eror'"),
    ([*MAP, "--x", "T", "--x2", "n", "--y", "error", "--trivial", "1"], "--trivial marks"),
    ([*MAP, "--x", "T", "--x2", "n", "--y", "error", "--where", "n=9"], "begin with 8, 16"),
    ([*MAP, "--x", "T", "--x2", "n", "--y", "error", "--where", "k=9"], "no column 'k'"),
    ([*MAP, "--x", "T", "--x2", "n", "--y", "error", "--where", "n"], "COLUMN=VALUE"),
    (["gossip-steps"], "one target=VALUE"),
    (["gossip-steps", "target=2"], "target=2"),
    (["gossip-steps", "target=0.1", "--nodes", "4,x"], "integers separated by commas"),
    (["gossip-steps", "target=0.1", "--graphs", "rnig"], "did you mean 'ring'"),
    (["gossip-steps", "target=0.1", "--readout", "worst_node"], "no bound"),
    (["gossip-steps", "dsgd_convx", "target=0.1"], "did you mean 'dsgd_convex'"),
    (["gossip-steps", "target=0.1", "--nodes", "4", "-o", "x.gif"], ".png"),
    (["topology", "ring", "--nodes", "8", "-o", "x.gif"], ".png"),
    (["topology", "ring", "--nodes", "1", "-o", "x.png"], "at least 2"),
    (["topology", "watts_strogatz", "--nodes", "1100", "-o", "x.png"], "only the ends"),
    (["certificates", "dsgd_convx", "--out", "out"], "did you mean 'dsgd_convex'"),
    (["certificates", "dsgd_convex", "--out", "out", "-o", "x.gif"], ".png"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_give_one_line_and_leave_nothing(
    arguments: list[str], words: str, there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(there.rglob("*"))
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
    assert sorted(there.rglob("*")) == before
