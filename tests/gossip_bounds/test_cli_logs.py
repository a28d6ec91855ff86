"""``logs``, ``verify --logs`` and docs/logs.md, on made-up runs in the published format."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from empirical.logs import logs_folder
from gossip_bounds.main import run

PAGE = Path(__file__).parents[2] / "docs" / "logs.md"
RUN = ["file", "dataset", "model", "topology", "local_batch", "nodes", "optimizer", "final", "best", "complete"]
PAIR = ["decentralized", "centralized", "difference", "interval", "verdict", "reason"]


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.fixture
def planted(made: Any) -> dict[str, str]:
    """Gaps of +5, +0.3 and -4 points, a run of another optimizer without a partner, and a file that is no log."""
    files = {
        "centre": made.write(88.0, topology="csgd"),
        "better": made.write(93.0, topology="ring", shuffle="random"),
        "alike": made.write(88.3, topology="meshgrid"),
        "worse": made.write(84.0, topology="exponential"),
        "alone": made.write(90.0, prefix="lamb_", dataset="TinyImageNet", image_size=64),
    }
    return files | {"bad": made.text("bad.csv", "a,b\n1,2\n")}


def test_the_json_document(made: Any, planted: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(output(capsys, "logs", str(made.folder), "--json"))
    assert list(found) == ["schema_version", "floor", "level", "runs", "pairs", "pooled", "problems"]
    assert all(list(row) == RUN for row in found["runs"])
    assert all(list(row) == PAIR for row in found["pairs"])
    runs = {row["file"]: row for row in found["runs"]}
    lamb = runs[planted["alone"]]
    assert [lamb[name] for name in RUN[1:7]] == ["TinyImageNet", "ResNet18", "ring", 512, 16, "lamb"]
    assert lamb["final"] == pytest.approx(90, abs=0.3)
    assert lamb["best"] >= lamb["final"]
    assert lamb["complete"] is True
    verdicts = {row["decentralized"]: row["verdict"] for row in found["pairs"]}
    assert verdicts == {planted["better"]: "HOLDS", planted["alike"]: "UNDECIDED", planted["worse"]: "VIOLATED"}
    for row in found["pairs"]:
        assert row["centralized"] == planted["centre"]
        assert row["difference"] == pytest.approx(runs[row["decentralized"]]["final"] - runs[planted["centre"]]["final"])
        assert row["interval"][0] < row["difference"] < row["interval"][1]
    assert [(row["by"], row["value"], row["pairs"], row["centralized_runs"]) for row in found["pooled"]] == [
        ("all", None, 3, 1),
        ("total_batch", 8192, 3, 1),
        ("model", "ResNet18", 3, 1),
    ]
    assert {row["file"] for row in found["problems"]} == {planted["alone"], planted["bad"]}


def test_options_change_what_they_say(made: Any, planted: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(made.folder)
    wide = json.loads(output(capsys, "logs", folder, "--json", "--floor", "10"))
    assert {row["verdict"] for row in wide["pairs"]} == {"UNDECIDED"}
    narrow, sure = (
        json.loads(output(capsys, "logs", folder, "--json", "--level", level))["pairs"][0]["interval"] for level in ("0.5", "0.001")
    )
    assert narrow[1] - narrow[0] < sure[1] - sure[0]
    other = json.loads(output(capsys, "logs", folder, "--json", "--centralized", "meshgrid"))
    assert {row["centralized"] for row in other["pairs"]} == {planted["alike"]}
    assert len(other["pairs"]) == 3
    assert run(["logs", folder, "--strict"]) == 1
    assert capsys.readouterr().err == ""


def test_the_text_names_runs_pairs_and_problems(made: Any, planted: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "logs", str(made.folder))
    assert "5 runs" in text
    assert "3 pairs" in text
    assert "2 problems" in text
    assert re.search(r"ring +666 +\+[45]\.\d\d +\[\+3\.\d\d, \+6\.\d\d\] +HOLDS", text)
    assert "  bad.csv: its columns are a, b" in text


def test_the_page_is_whole_and_the_same_again(
    made: Any, planted: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pages = []
    for out in (tmp_path / "one", tmp_path / "two"):
        assert f"wrote {out / 'report' / 'logs.html'}" in output(capsys, "logs", str(made.folder), "--out", str(out))
        pages.append((out / "report" / "logs.html").read_text())
        assert json.loads((out / "logs.json").read_text())["pairs"]
        assert sorted(path.name for path in (out / "tables").iterdir()) == [
            f"logs-{name}.csv" for name in ("pairs", "pooled", "problems", "runs")
        ]
    assert pages[0] == pages[1]
    assert not re.search(r'(?:src|href)="(?!data:|#)', pages[0])
    assert all(file in pages[0] for file in planted.values())
    assert all(f'class="badge {word}"' in pages[0] for word in ("holds", "violated", "undecided"))
    assert "biased upwards" in pages[0]
    assert pages[0].count("<figure>") == 1


def test_mistakes_are_one_line(made: Any, planted: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = str(made.folder)
    assert "there is no folder" in error(capsys, "logs", str(tmp_path / "none"))
    assert "no regular expression" in error(capsys, "logs", folder, "--pattern", "(")
    assert "no group topology" in error(capsys, "logs", folder, "--pattern", "(?P<nodes>.*)")
    assert "got --floor -1" in error(capsys, "logs", folder, "--floor", "-1")
    assert "got --floor nan" in error(capsys, "logs", folder, "--floor", "nan")
    assert "got --level 0.7" in error(capsys, "logs", folder, "--level", "0.7")
    assert "cannot read" in error(capsys, "logs", folder, "--columns", str(tmp_path / "none.toml"))


def test_a_folder_of_problems_only_is_no_mistake(made: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made.text("bad.csv", "")
    assert json.loads(output(capsys, "logs", str(made.folder), "--json"))["problems"] == [{"file": "bad.csv", "problem": "it is empty"}]
    output(capsys, "logs", str(made.folder), "--out", str(tmp_path / "out"))
    assert "There is no pair to pool." in (tmp_path / "out" / "report" / "logs.html").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_blocks_that_need_logs_run(
    made: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other").mkdir()
    for name, level in (("csgd", 80.0), ("ring", 85.0)):
        Path("other", f"{name}16-b64-s1.csv").write_text(made.export(made.curve(level, key=name) / 100))
    Path("tables").mkdir()
    (table,) = _blocks("toml")
    Path("map.toml").write_text(table)
    rows = [f"{k},{level + k / 100},{graph},1,center" for graph, level in (("csgd", 80), ("ring", 85)) for k in range(30)]
    Path("tables", "all.csv").write_text("\n".join(["iteration,test_accuracy,graph,seed,which", *rows]))
    seen: list[Path | None] = []
    monkeypatch.setattr("gossip_bounds.verifying.run_verify", lambda *_, **__: seen.append(logs_folder()) or 0)
    commands = [shlex.split(block)[1:] for block in re.findall(r"```bash\n(gossip-bounds .*)\n```", PAGE.read_text())]
    Path("runs").mkdir()
    texts = [output(capsys, *command) for command in commands]
    assert [command[0] for command in commands] == ["logs", "logs", "verify"]
    assert "HOLDS" in texts[0]
    assert [row["verdict"] for row in json.loads(texts[1])["pairs"]] == ["HOLDS"]
    assert seen == [tmp_path / "runs"]
