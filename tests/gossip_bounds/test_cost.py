"""``gossip-bounds cost``: the table, its JSON, and one line for every mistake."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from gossip_bounds.main import run

GIVEN = ["cost", "mgs_excess_convex", "target=0.3", "m=6", "L=1", "n=100", "r0=1", "sigma2=1", "zeta2=0.5", "beta=1"]
CHEAP = [
    "--graphs",
    "complete,hypercube",
    "--batches",
    "4",
    "--most-gossip",
    "1",
    "--latency",
    "1e-3",
    "--bandwidth",
    "1e6",
    "--weights",
    "250",
]


def test_the_table_and_its_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.csv"
    assert run([*GIVEN, *CHEAP, "--json", "--csv", str(file)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["schema_version", "bound", "target", "link", "workload", "rows"]
    assert document["link"] == {"latency": 1e-3, "bandwidth": 1e6, "sends": "overlapping"}
    complete, cube = document["rows"]
    assert (complete["topology"], complete["degree"], complete["Q"], complete["b"], complete["status"]) == ("complete", 5, 1, 4, "found")
    assert complete["step_seconds"] == pytest.approx(1e-3 + 1e-3 + 5 * 1000 / 1e6, rel=1e-12)
    assert complete["seconds"] == pytest.approx(complete["T"] * complete["step_seconds"], rel=1e-12)
    assert (cube["status"], cube["seconds"]) == ("impossible", None)
    with file.open() as lines:
        assert [row["topology"] for row in csv.DictReader(lines)] == ["complete", "hypercube"]
    assert run([*GIVEN, *CHEAP]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["topology", "degree", "Q", "b", "rate", "T", "step_seconds", "seconds", "bytes"]
    assert printed[3].startswith("hypercube: IMPOSSIBLE: a hypercube of 6 nodes does not exist")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batches", "1;2"], "integers separated by commas"),
        (["--graphs", "rin"], "did you mean 'ring'"),
        (["--sends", "fast"], "unknown way of sending 'fast'"),
        (["--precision", "half"], "unknown precision 'half'"),
        (["Q=3"], "Q is given and is chosen here"),
        (["--latency", "-1"], "latency=-1"),
    ],
)
def test_mistakes(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*GIVEN, *CHEAP, *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([one for one in GIVEN if one != "target=0.3"]) == 2
    assert "give one target=VALUE" in capsys.readouterr().err
    assert run([one for one in GIVEN if one != "m=6"]) == 2
    assert "give m=NODES" in capsys.readouterr().err
