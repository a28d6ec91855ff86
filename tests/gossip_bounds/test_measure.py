"""``measure``: the same bits whatever --jobs and after a resume, one line for every mistake, nothing lost."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bounds.errors import GossipBoundsError
from bounds.vocabulary import Quantity, Readout
from empirical import Run, measure
from empirical.store import Store
from gossip_bounds.main import run

Write = Callable[..., Path]


@pytest.fixture
def experiment(tmp_path: Path, sweep_text: str) -> Write:
    """experiment(old=new, ...) writes the sweep with pieces replaced and returns its path."""

    def write(replaced: dict[str, str] | None = None) -> Path:
        text = sweep_text
        for old, new in (replaced or {}).items():
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "e.toml").write_text(text)
        return tmp_path / "e.toml"

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.nc")}


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert run(["measure", *arguments, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_it_measures_what_measure_measures(experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, str(experiment()), "--out", str(tmp_path / "out"), "--jobs", "1")
    assert [row["parameters"] for row in found] == [{"m": m, "topology": name} for m in (4, 5) for name in ("ring", "complete")]
    one = Run(problem="linear", update_form="atc", m=5, n=4, T=12, eta=0.1, replicates=3, twins=2, checkpoints=(6, 12), topology="ring")
    requests = [(Quantity.GENERALIZATION_ERROR, Readout.WORST_NODE), (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)]
    first, last, *stability = measure(one, requests)
    row = found[2]
    assert row["steps"] == [6, 12]
    assert row["means"]["generalization_error_at_worst_node"] == [float(w.values.mean(0).max()) for w in (first, last)]
    assert row["means"]["l1_stability_at_node_average"] == [float(s.values.mean()) for s in stability]
    assert list(row["subset_errors"]) == ["l1_stability_at_node_average"]
    for given, found_here in zip(row["subset_errors"]["l1_stability_at_node_average"], stability, strict=True):
        assert found_here.subset_error is not None
        assert given == pytest.approx(math.sqrt(math.fsum(float(e) ** 2 for e in found_here.subset_error)) / 3, rel=1e-12)
        assert given > 0
    stored = Store(tmp_path / "out").get(one, requests)
    assert stored is not None
    assert np.array_equal(stored[requests[0]][1].values, last.values)
    assert Path(row["file"]).name == f"{row['key']}.nc"
    assert Path(row["file"]).is_file()


@pytest.mark.slow
def test_equal_bits_whatever_jobs(experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, folders = str(experiment()), [tmp_path / "one", tmp_path / "two"]
    for jobs, folder in enumerate(folders, 1):
        assert run(["measure", file, "--out", str(folder), "--jobs", str(jobs)]) == 0
        captured = capsys.readouterr()
        assert captured.out == f"4 computed, 0 reused, in {folder}\n"
        assert captured.err == ""
    assert len(contents(folders[0])) == 4
    assert contents(folders[0]) == contents(folders[1])


def test_resume_runs_only_what_is_missing(experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, arguments = tmp_path / "out", [str(experiment()), "--out", str(tmp_path / "out"), "--jobs", "1"]
    before = rows(capsys, *arguments)
    whole = contents(out)
    lost, damaged, *_ = sorted(whole)
    (out / lost).unlink()
    (out / damaged).write_bytes(whole[damaged][:-1])
    (out / f".{'0' * 32}.tmp").touch()
    assert run(["measure", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"2 computed, 2 reused, in {out}\n"
    assert len(captured.err.splitlines()) == 1
    assert damaged in captured.err
    assert "is damaged" in captured.err
    assert contents(out) == whole
    assert not list(out.glob(".*.tmp"))
    after = rows(capsys, *arguments)
    assert {row["status"] for row in after} == {"reused"}
    assert [row | {"status": ""} for row in after] == [row | {"status": ""} for row in before]


def test_a_larger_sweep_reuses_the_smaller_one(experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    run(["measure", str(experiment({"[4, 5]": "[4, 4]"})), "--out", out, "--jobs", "1"])
    run(["measure", str(experiment()), "--out", out, "--jobs", "1"])
    run(["measure", str(experiment()), "--out", out, "--jobs", "1", "--seed", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["2 computed", "2 computed", "4 computed"]
    assert sorted({row["seed"] for row in Store(out).rows()}) == [0, 1]


def test_a_diverging_configuration_does_not_stop_the_others(experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = experiment({"eta = 0.1\n": "", "[sweep]": "[sweep]\neta = [1e308, 0.1]"})
    arguments = ["measure", str(file), "--out", str(tmp_path / "out"), "--jobs", "1"]
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("4 computed, 0 reused")
    assert len(captured.err.splitlines()) == 1
    assert "4 of 8 configurations have no values and no file; the first, at eta=1e+308, m=4, topology=ring: the run" in captured.err
    assert run([*arguments, "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert [row["status"] for row in found] == ["failed"] * 4 + ["reused"] * 4
    assert found[0]["file"] is None


def test_a_full_disk_stops_the_sweep_in_one_line(
    experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    replace, calls = os.replace, []

    def fills_up(*paths: Any) -> None:
        calls.append(paths)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        replace(*paths)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fills_up)
        assert run(["measure", str(experiment()), "--out", str(out), "--jobs", "1"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "No space left on device); free some space" in captured.err
    assert len(contents(out)) == 2
    assert not list(out.glob(".*.tmp"))
    assert run(["measure", str(experiment()), "--out", str(out), "--jobs", "1"]) == 0
    assert capsys.readouterr().out.startswith("2 computed, 2 reused")


MISTAKES = [
    ({"n = 4": 'n = "x"'}, "[run] n: got 'x'; it takes a valid integer"),
    ({"n = 4": "n = 4.0"}, "[run] n: got 4.0"),
    ({"n = 4": "nn = 4"}, "unknown key 'nn' in [run]; did you mean 'n'?"),
    ({"n = 4\n": ""}, "[run] lacks n"),
    ({"n = 4": "n = 4\nm = 4"}, "m is in [run] and in [sweep]"),
    ({"n = 4": "n = 0"}, "at m=4, topology=ring: got n=0; n takes an integer >= 1"),
    ({"eta = 0.1": "eta = nan"}, "eta=nan"),
    ({"eta = 0.1": "eta = 1979-05-27"}, "[run] eta: got '1979-05-27'; it takes a valid number"),
    ({'"atc"': '"act"'}, "[run] update_form: got 'act'; it takes 'centralized', 'atc'"),
    ({'"linear"': '"liner"'}, "did you mean 'linear'"),
    ({"[4, 5]": '[4, "x"]'}, "[sweep] m, entry 2: got 'x'"),
    ({"[4, 5]": "[]"}, "[sweep] m: got []; write at least one entry"),
    ({"[4, 5]": "4"}, "[sweep] m: got 4; it takes a list"),
    ({"m = [4, 5]": "q = [1]"}, "unknown key 'q' in [sweep]; did you mean 'Q'?"),
    ({"[4, 5]": f"{list(range(1, 50_002))}"}, "100002 configurations; at most 100000"),
    ({'["ring", "complete"]': '["rng"]'}, "did you mean 'ring'"),
    ({'["ring", "complete"]': '["weights.csv"]'}, "cannot read"),
    ({'["ring", "complete"]': "[5]"}, "[sweep] topology, entry 1: got 5; it takes a valid string or a list"),
    ({'["ring", "complete"]': "[[[1.0]]]"}, "set m=1"),
    ({'"l1_stability"': '"l1"'}, "[measure] quantities, entry 1: got 'l1'; it takes 'generalization_error'"),
    ({'"l1_stability"': '"exit_time"'}, "cannot measure exit_time"),
    ({'["l1_stability", "node_average"]': '["l1_stability"]'}, "[measure] needs quantities, a list of pairs"),
    ({"quantities = ": "quantity = "}, "unknown key 'quantity' in [measure]; did you mean 'quantities'?"),
    ({"[measure]": "[measur]"}, "unknown table or key 'measur'; did you mean 'measure'?"),
    ({"[run]": "[run]\nbroken"}, "is not TOML"),
    ({"twins = 2": "twins = 0", "n = 4": "n = 17"}, "twins=0"),
]


@pytest.mark.parametrize(("replaced", "words"), MISTAKES, ids=lambda item: str(item)[:60])
def test_a_mistake_is_one_line_naming_the_key(
    experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str], replaced: dict[str, str], words: str
) -> None:
    assert run(["measure", str(experiment(replaced)), "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
    assert "e.toml" in captured.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "FOLDER/e.toml"], "cannot write to the folder"),
        (["--out", "FOLDER/out", "--device", "tpu"], "tpu"),
        (["--out", "FOLDER/out", "--seed", "-1"], "--seed"),
        ([], "--out"),
    ],
)
def test_a_mistaken_option_is_one_line(
    experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    arguments = [option.replace("FOLDER", str(tmp_path)) for option in options]
    assert run(["measure", str(experiment()), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
    assert not (tmp_path / "out").exists()


def test_a_swept_seed_and_the_option_contradict(experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = experiment({"[sweep]": "[sweep]\nseed = [1, 2]"})
    assert run(["measure", str(file), "--out", str(tmp_path / "out"), "--seed", "3"]) == 2
    assert "leave one of them out" in capsys.readouterr().err


def test_topologies_from_files_and_rows(experiment: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pair.csv").write_text("0.5,0.5\n0.5,0.5\n")
    swept = '["pair.csv", [[0.5, 0.5], [0.5, 0.5]], "complete"]'
    file = experiment({"[4, 5]": "[2]", '["ring", "complete"]': swept})
    found = rows(capsys, str(file), "--out", str(tmp_path / "out"), "--jobs", "1")
    assert len(found) == 2
    assert found[0]["means"] == found[1]["means"]


def test_new_fields_of_run_need_no_edit() -> None:
    from dataclasses import fields

    from empirical.experiment import _model

    tables = _model().model_fields
    names = {field.name for field in fields(Run)}
    for table in ("run", "sweep"):
        annotation: Any = tables[table].annotation
        assert set(annotation.model_fields) == names


def test_errors_keep_their_class(experiment: Write) -> None:
    from empirical.experiment import read_experiment

    with pytest.raises(GossipBoundsError, match="unknown key"):
        read_experiment(experiment({"n = 4": "nn = 4"}))
