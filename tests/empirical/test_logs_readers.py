"""Files of logs: whatever is wrong with one is said in one line, and the others are read all the same."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bounds.errors import DomainError, InputFileError
from empirical.logs import LogFolder, Options, read_folder

HEAD = "Wall time,Step,Value\n"
needs_tensorboard = pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="needs the extra [logs]")
needs_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="needs the extra [logs]")


def scan(made: Any, **options: Any) -> LogFolder:
    return read_folder(made.folder, Options(**options))


def problems(found: LogFolder) -> dict[str, str]:
    assert all("\n" not in one.problem for one in found.problems)
    return {one.file: one.problem for one in found.problems}


def test_exports_are_read_however_they_are_spelled(made: Any) -> None:
    rows = "1.5,0,0.25\n1.5,50,0.75\n2.5,100,0.5\n"
    spellings = {
        "plain": HEAD + rows,
        "bom": b"\xef\xbb\xbf" + (HEAD + rows).encode(),
        "crlf": (HEAD + rows).replace("\n", "\r\n"),
        "blank": "\n" + HEAD + "\n" + rows + "\n\n",
        "case": "STEP, value\n0,0.25\n50.0,7.5e-1\n1e2,0.5",
        "percent": HEAD + "1,0,25\n1,50,75\n1,100,50\n",
    }
    for k, content in enumerate(spellings.values()):
        made.text(f"{made.name(early_stop=100, seed=k)}.csv", content)
    found = scan(made)
    assert len(found.runs) == len(spellings)
    for run in found.runs:
        assert run.steps.tolist() == [0, 50, 100]
        assert run.accuracy.tolist() == [25, 75, 50]
        assert (run.final, run.best, run.complete) == (50, 75, True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        (HEAD, "it has no rows"),
        ("Step,Loss\n0,1\n", "its columns are Step, Loss; a scalar export has"),
        ("Wall time,Step,Value,worker\n1,0,0.5,3\n", "its columns are Wall time, Step, Value, worker"),
        ("Step,Value,Value\n0,1,1\n", "its columns are Step, Value, Value"),
        (HEAD + "1,0,0.5\n1,50,abc\n1,100,0.5\n", "line 3: the value 'abc' is not a number"),
        (HEAD + "1,0,0.5\n1,x,0.5\n1,100,0.5\n", "line 3: the step 'x' is not a number"),
        (HEAD + "1,0.5,0.5\n", "line 2: the step '0.5' is not a whole number"),
        (HEAD + "1,0,0.5\n1,50,nan\n", "line 3: the value is nan, so the run diverged"),
        (HEAD + "1,0,-inf\n", "line 2: the value is -inf"),
        (HEAD + "1,0,0.5\n1,50,\n1,100,0.5\n", "line 3 does not have 3 filled cells"),
        (HEAD + "1,0,0.5,9\n", "line 2 does not have 3 filled cells"),
        (HEAD + "1,50,0.5\n1,50,0.5\n", "step 50 follows step 50"),
        (HEAD + "1,50,0.5\n1,0,0.5\n", "step 0 follows step 50"),
        (HEAD + "1,0,0.5\n1,50,1.2\n1,100,0.7\n", "its values reach from 0.5 to 1.2, which are no accuracies in [0, 1]"),
        (HEAD + "1,0,2.3\n1,50,1.9\n1,100,0.7\n", "its values reach from 0.7 to 2.3"),
        (HEAD + "1,0,-0.1\n", "its values reach from -0.1"),
        (HEAD + "1,0,50\n1,50,101\n", "its values reach from 50 to 101"),
        (b"\xff\xfe\x00S", "it is not UTF-8 text"),
        ("Step,Value\n0," + "9" * 140_000 + "\n", "it is no CSV file"),
    ],
)
def test_a_bad_file_is_named_and_the_rest_is_read(made: Any, content: str | bytes, expected: str) -> None:
    good = made.write(90.0, topology="csgd"), made.write(91.0)
    bad = made.text(f"{made.name(seed=1)}.csv", content)
    found = scan(made)
    assert sorted(run.file for run in found.runs) == sorted(good)
    assert len(found.pairs) == 1
    assert problems(found).keys() == {bad}
    assert expected in problems(found)[bad]


def test_other_files_pass_by_and_unknown_names_are_problems(made: Any) -> None:
    made.write(90.0)
    made.text("LICENSE", "text")
    made.text("notes.txt", "Step,Value\n")
    made.text(".hidden.csv", "x")
    made.text(".ipynb_checkpoints/a.csv", "x")
    odd = made.text("accuracy.csv", HEAD + "1,0,0.5\n")
    assert "fits no known pattern; state one with --pattern" in problems(scan(made))[odd]
    assert "does not match the pattern" in problems(scan(made, pattern="(?P<topology>x)"))[odd]


def test_no_folder_and_no_logs(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="there is no folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(InputFileError, match="holds no log"):
        read_folder(tmp_path)


def test_links_and_nested_folders(made: Any) -> None:
    deep = made.write(90.0, within="a/b")
    os.symlink(made.folder / "a", made.folder / "a" / "b" / "loop")
    os.symlink(made.folder / deep, made.folder / "z.csv")
    os.symlink(made.folder / "nothing", made.folder / "gone.csv")
    found = scan(made)
    assert [run.file for run in found.runs] == [deep]
    assert problems(found)["z.csv"] == f"it is a link to {deep}, which is read already"
    assert problems(found)["gone.csv"] == "it is no file, or a link to nothing"


def test_local_models_are_left_out(made: Any) -> None:
    text = made.export(np.full(120, 0.5))
    files = [
        made.text(f"local/{made.name()}.csv", text),
        made.text(f"run-{made.name()}-tag-worker 2 valid acc.csv", text),
        made.text(f"run-{made.name()}-tag-train acc.csv", text),
    ]
    good = made.text(f"run-{made.name()}-tag-valid acc.csv", text)
    found = scan(made)
    assert [run.file for run in found.runs] == [good]
    assert ["local model" in problems(found)[file] for file in files] == [True, True, False]
    assert "which is no accuracy on held-out data" in problems(found)[files[2]]
    assert [run.file for run in scan(made, tag="train acc").runs] == [files[2]]


MAP = """
[columns]
step = "it"
value = "acc"
mode = "graph"
seed = "seed"
readout = "which"
[setting]
dataset = "D"
batch_size = 4
size = 8
[values]
unit = "percent"
"""


def table() -> dict[str, list[Any]]:
    rows = [
        (it, 0.5 + 0.01 * it + seed, graph, seed, which)
        for graph in ("csgd", "ring")
        for seed in (0, 1)
        for which in ("center", "worker 1")
        for it in range(9)
    ]
    return dict(zip(("it", "acc", "graph", "seed", "which"), map(list, zip(*rows, strict=True)), strict=True))


def check_table(found: LogFolder, file: str) -> None:
    assert [run.file for run in found.runs] == [f"{file}[topology={graph}, seed={seed}]" for graph in ("csgd", "ring") for seed in (0, 1)]
    first = found.runs[0]
    assert (first.setting.dataset, first.setting.total_batch, first.setting.field("seed")) == ("D", 32, "0")
    assert first.accuracy == pytest.approx([0.5 + 0.01 * it for it in range(9)])
    assert len(found.pairs) == 2
    assert problems(found)[file].startswith("36 rows of local models are left out")


def write_map(made: Any, text: str = MAP) -> Path:
    made.text("map.toml", text)
    return Path(made.folder / "map.toml")


def test_a_plain_table_with_a_column_map(made: Any) -> None:
    values = table()
    lines = [",".join(values), *(",".join(map(str, row)) for row in zip(*values.values(), strict=True))]
    file = made.text("all.csv", "\n".join(lines))
    check_table(scan(made, columns=write_map(made)), file)
    export = made.write(90.0)
    mixed = scan(made, columns=write_map(made, MAP.replace('unit = "percent"', "")))
    assert export in [run.file for run in mixed.runs]
    other = made.text("other.csv", "it,acc\n0,1\n")
    assert problems(scan(made, columns=write_map(made)))[other] == "it has no column graph, seed, which; it has it, acc"
    made.text("all.csv", "it,acc,graph,seed,which\n0,bad,ring,0,mean\n")
    assert problems(scan(made, columns=write_map(made)))["all.csv"] == "line 2: the value 'bad' is not a number"


@needs_pyarrow
def test_a_parquet_table(made: Any) -> None:
    import pyarrow
    import pyarrow.parquet

    made.folder.mkdir()
    pyarrow.parquet.write_table(pyarrow.table(table()), made.folder / "all.parquet")
    check_table(scan(made, columns=write_map(made)), "all.parquet")
    assert "say which is which with --columns" in problems(scan(made))["all.parquet"]
    made.text("bad.parquet", b"PAR1 and no more")
    assert "pyarrow cannot read it" in problems(scan(made, columns=write_map(made)))["bad.parquet"]


def test_readers_that_are_not_installed_are_named(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made.write(90.0)
    made.text("a.parquet", b"")
    made.text("events.out.tfevents.1.host", b"")
    for module in ("pyarrow.parquet", "tensorboard.backend.event_processing.event_accumulator"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    found = problems(scan(made, columns=write_map(made)))
    assert "needs pyarrow to be read: pip install 'gossip-bounds[logs]'" in found["a.parquet"]
    assert "needs tensorboard to be read" in found["events.out.tfevents.1.host"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[columns]\nstep = 'a'\n", r"\[columns\] lacks value"),
        ("[setting]\nseed = 1\n", "columns"),
        ("[columns]\nstep = 'a'\nvalue = 'b'\nmode = 'c'\n[setting]\ntopology = 'ring'\n", "topology is in"),
        ("[columns]\nstep = 'a'\nvalue = 'b'\n[values]\nunit = 'promille'\n", "unit"),
        ("[column]\n", "column"),
    ],
)
def test_a_wrong_column_map_is_one_line(made: Any, text: str, expected: str) -> None:
    made.write(90.0)
    with pytest.raises(DomainError, match=expected):
        scan(made, columns=write_map(made, text))


@needs_tensorboard
def test_event_files(made: Any) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for topology, level in (("csgd", 0.8), ("ring", 0.85)):
        writer = SummaryWriter(log_dir=str(made.folder / made.name(topology=topology, early_stop=500)))
        for k in range(11):
            for tag, value in (("valid acc", level), ("train acc", 0.99), ("worker 1 valid acc", 0.1), ("valid loss", 2.0)):
                writer.add_scalar(tag, value - 0.5 / (1 + k), 50 * k)
        writer.close()
    found = scan(made)
    assert not found.problems
    (pair,) = found.pairs
    assert pair.decentralized.final - pair.centralized.final == pytest.approx(5, abs=1e-5)
    assert pair.decentralized.steps.tolist() == list(range(0, 501, 50))
    assert all("train" not in run.file and run.best < 90 for run in found.runs)
    chosen = scan(made, tag="train acc")
    assert {round(run.final) for run in chosen.runs} == {94}
    assert "no tag is 'x'; it has 'train acc'" in next(iter(problems(scan(made, tag="x")).values()))
