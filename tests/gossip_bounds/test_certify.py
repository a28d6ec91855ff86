"""``gossip-bounds certify``: format, a witness that anyone can re-evaluate, and one line for every mistake."""

import json
import re
from pathlib import Path

import pytest

import bounds
from gossip_bounds.main import run

PAGE = Path(__file__).parents[2] / "docs" / "certificates.md"
KEYS = {"schema_version", "bound", "parameter", "direction", "status", "witness", "box", "engine", "boxes", "seconds"}
KEYS |= {"update_form", "given", "reason", "tolerance"}


def certify(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["certify", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def test_a_proved_direction(capsys: pytest.CaptureFixture[str]) -> None:
    document = certify(capsys, "dsgd_convex", "m")
    assert set(document) == KEYS
    assert document["direction"] == "decreasing"
    assert document["status"] == "proved"
    assert document["witness"] is None
    assert "Arb" in document["engine"]
    assert document["boxes"] >= 1
    assert document["tolerance"] == 0
    assert document["seconds"] >= 0
    assert document["box"]["T"] == [1, 10**6]
    assert document["box"]["gap"] == [1e-4, 1]


@pytest.mark.parametrize("form", ["atc", "consensus"])
def test_the_witness_of_a_refuted_direction_is_re_evaluated(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = certify(capsys, "dsgd_convex", "n", "n=8:64", "T=10:20", "--direction", "increasing", "--update-form", form)
    witness = document["witness"]
    assert document["status"] == "refuted"
    assert set(witness) == {"first", "second", "first_value", "second_value"}
    assert document["box"]["n"] == [8, 64]
    values = []
    for which in ("first", "second"):
        assert 8 <= witness[which]["n"] <= 64
        assert 10 <= witness[which]["T"] <= 20
        assignments = [f"{name}={value!r}" for name, value in witness[which].items()]
        assert run(["evaluate", "dsgd_convex", *assignments, "--update-form", form, "--json"]) == 0
        row = json.loads(capsys.readouterr().out)
        assert row["applies"] is True
        assert row["value"] == witness[f"{which}_value"]
        values.append(row["value"])
    assert witness["first"]["n"] < witness["second"]["n"]
    assert values[0] > values[1]


def test_a_seed_repeats_and_the_box_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["consensus_distance_atc", "mu", "--direction", "increasing", "beta=1:2", "--seed", "7"]
    first, again = (certify(capsys, *arguments) for _ in range(2))
    assert first | {"seconds": 0} == again | {"seconds": 0}
    assert 1 <= first["witness"]["first"]["beta"] <= 2


def test_both_witnesses_of_a_mixed_direction(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bound = bounds.define(id="bowl", expression="eta + 1/eta", required=["eta"], directions={"eta": "mixed"})
    monkeypatch.setattr(bounds, "get", {"bowl": bound}.__getitem__)
    document = certify(capsys, "bowl", "eta")
    assert set(document) == KEYS
    assert document["status"] == "proved"
    assert "each direction" in document["engine"]
    witness = document["witness"]
    assert witness["first_value"] > witness["second_value"]
    assert witness["opposite"]["first_value"] < witness["opposite"]["second_value"]


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["certify", "dsgd_convex", "m", "--direction", "increasing"]) == 0
    shown = capsys.readouterr().out
    assert "dsgd_convex is increasing in m, others held fixed: REFUTED" in shown
    assert shown.count(" at L=") == 2
    assert run(["certify", "dsgd_convex", "m"]) == 0
    assert "PROVED" in capsys.readouterr().out
    assert run(["certify", "dsgd_convex", "m", "eta=10:20", "beta=10:20", "--samples", "5"]) == 0
    assert "widen a range" in capsys.readouterr().out


DSGD = ["dsgd_convex", "m"]
MISTAKES = [
    (["dsgd_convx", "m"], "did you mean 'dsgd_convex'"),
    (["dsgd_convex", "lr"], "no parameter 'lr'"),
    ([*DSGD, "lr=1:2"], "no parameter 'lr'"),
    ([*DSGD, "eta"], "NAME=lo:hi"),
    ([*DSGD, "=1:2"], "NAME=lo:hi"),
    ([*DSGD, "eta=0.1"], "write eta=lo:hi"),
    ([*DSGD, "eta=0.1:0.2:3"], "write eta=lo:hi"),
    ([*DSGD, "eta=a:b"], "not a number"),
    ([*DSGD, "eta=1:inf"], "not finite"),
    ([*DSGD, "eta=nan:1"], "not finite"),
    ([*DSGD, "eta=0:1"], "a number > 0"),
    ([*DSGD, "eta=1:1"], "below its high end"),
    ([*DSGD, "eta=2:1"], "below its high end"),
    ([*DSGD, "m=1.5:8"], "an integer >= 1"),
    ([*DSGD, "gap=0.5:2"], "<= 1"),
    ([*DSGD, "eta=1:2", "eta=1:3"], "given twice"),
    ([*DSGD, "--direction", "upwards"], "unknown direction"),
    ([*DSGD, "--direction", "unknown"], "give one of"),
    ([*DSGD, "--update-form", "centralized"], "allowed: atc, cta, consensus"),
    ([*DSGD, "--update-form", "atcc"], "did you mean 'atc'"),
    ([*DSGD, "--samples", "0"], "at least 1"),
    ([*DSGD, "--samples", "many"], "--samples"),
    ([*DSGD, "--seed", "x"], "--seed"),
    (["dsgd_convex"], "Missing argument"),
    ([], "Missing argument"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_mistakes_give_one_line_and_status_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["certify", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err


def test_certificates_of_all_bounds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("verify.certificates.catalogue", lambda: dict.fromkeys(("dsgd_convex", "step_limit_atc")))
    assert run(["certificates", "--out", str(tmp_path), "--jobs", "1"]) == 0
    assert "13 proved, 0 refuted, 0 undecided, 0 open" in capsys.readouterr().out
    rows = json.loads((tmp_path / "certificates.json").read_text())
    assert {row["bound"] for row in rows} == {"dsgd_convex", "step_limit_atc"}
    assert {row["status"] for row in rows} == {"proved"}
    assert "step_limit_atc" in (tmp_path / "report" / "certificates.html").read_text(encoding="utf-8")


def test_the_page_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(), flags=re.M | re.S)
    exec(compile("\n".join(text for language, text in blocks if language == "python"), "certificates.md", "exec"), {})
    commands = [line for language, text in blocks if language != "python" for line in text.splitlines()]
    short = [command.split()[1:] for command in commands if command.startswith("gossip-bounds certify ")]
    assert len(short) >= 2
    for arguments in short:
        assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert "PROVED" in shown
    assert '"refuted"' in shown
