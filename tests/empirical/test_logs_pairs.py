"""Which logged runs are compared: only whole ones, each setting once, in pairs that differ in the topology and its shuffling alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from empirical.logs import LogFolder, Options, logs_folder, read_folder, use_logs
from empirical.logs.pairs import is_centralized


def problems(found: LogFolder) -> dict[str, str]:
    return {one.file: one.problem for one in found.problems}


def pairs(found: LogFolder) -> list[tuple[str, str]]:
    return [(pair.decentralized.file, pair.centralized.file) for pair in found.pairs]


def test_pairs_agree_in_all_but_topology_and_shuffling(made: Any) -> None:
    centre = made.write(90.0, topology="csgd", shuffle="fixed")
    ours = [made.write(91.0, topology=name, shuffle=shuffle) for name in ("exponential", "ring") for shuffle in ("fixed", "random")]
    others = {
        made.write(91.0, **{field: value}): word
        for field, value, word in (
            ("seed", 1, "seed"),
            ("lr", 0.1, "lr"),
            ("model", "ResNet18", "variant"),
            ("dataset", "CIFAR100", "dataset"),
            ("image_size", 32, "image_size"),
            ("prefix", "lamb_", "optimizer"),
            ("nodes", 8, "nodes"),
            ("pretrained", 0, "pretrained"),
        )
    }
    found = read_folder(made.folder)
    assert pairs(found) == [(file, centre) for file in ours]
    assert problems(found).keys() == others.keys()
    for file, word in others.items():
        assert problems(found)[file] == f"no complete centralized run has its setting; the nearest differs in {word}"


def test_a_host_of_another_name_changes_nothing(made: Any) -> None:
    centre, ours = made.write(90.0, topology="csgd", host="gpu-7"), made.write(90.0, host="cpu-1")
    assert pairs(read_folder(made.folder)) == [(ours, centre)]


def test_truncated_runs_are_read_and_not_compared(made: Any) -> None:
    centre = made.write(90.0, topology="csgd")
    short = made.write(90.0, rows=119)
    whole = made.write(90.0, topology="meshgrid")
    cut = made.write(90.0, topology="exponential")
    path = made.folder / cut
    path.write_bytes(path.read_bytes()[:-30])
    found = read_folder(made.folder)
    assert pairs(found) == [(whole, centre)]
    assert {run.file: run.complete for run in found.runs} == {centre: True, whole: True, short: False, cut: False}
    assert problems(found) == {
        short: "it ends at step 5900, and its name promises 6000: it is cut short and not compared",
        cut: "it ends within a row, so it was cut short",
    }


def test_without_a_promise_the_longest_run_of_a_kind_tells(made: Any) -> None:
    for name, rows in (("csgd", 20), ("ring", 18), ("star", 19)):
        made.text(f"topology={name}.csv", made.export(made.curve(90.0, rows=rows) / 100))
    found = read_folder(made.folder)
    assert {run.setting.topology: run.complete for run in found.runs} == {"csgd": True, "star": False, "ring": False}
    assert problems(found)["topology=ring.csv"].startswith("it ends at step 850, and the longest run of its kind ends at 950")
    assert problems(found)["topology=csgd.csv"].startswith("no complete decentralized run")


def test_few_epochs_may_end_a_run_before_its_last_step(made: Any) -> None:
    centre, ours = made.write(90.0, topology="csgd", epoch=30, rows=60), made.write(90.0, epoch=30, rows=60)
    short = made.write(90.0, topology="star", epoch=30, rows=50)
    found = read_folder(made.folder)
    assert pairs(found) == [(ours, centre)]
    assert problems(found).keys() == {short}


def test_duplicates_are_named_and_contradictions_decide_nothing(made: Any) -> None:
    centre = made.write(90.0, topology="csgd")
    ours = made.write(91.0)
    copy = made.text(f"copies/{Path(ours).stem} (1).csv", (made.folder / ours).read_bytes())
    found = read_folder(made.folder)
    assert pairs(found) == [(copy, centre)]
    assert problems(found) == {ours: f"it has the same setting and seed as {copy}, and the numbers of {copy} as well, which is used"}
    other = made.write(89.0, topology="csgd", shuffle="random")
    found = read_folder(made.folder)
    assert pairs(found) == []
    assert f"other numbers than {centre}: neither is compared" in problems(found)[other]
    assert len(found.runs) == 4


def test_a_truncated_copy_does_not_contradict(made: Any) -> None:
    centre, ours = made.write(90.0, topology="csgd"), made.write(91.0)
    made.write(91.0, within="old", rows=60)
    assert pairs(read_folder(made.folder)) == [(ours, centre)]


def test_missing_pairs_and_other_words_for_centralized(made: Any) -> None:
    alone = made.write(90.0, topology="allreduce")
    assert problems(read_folder(made.folder))[alone] == "no complete centralized run has its setting"
    ours = made.write(90.0)
    assert pairs(read_folder(made.folder, Options(), ("AllReduce",))) == [(ours, alone)]
    made.write(90.0, topology="Centralized")
    found = read_folder(made.folder)
    assert [is_centralized(run) for run in found.runs] == [run.setting.topology == "Centralized" for run in found.runs]


def test_the_folder_of_published_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOSSIP_BOUNDS_LOGS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert logs_folder() is None
    with use_logs("here"):
        assert logs_folder() == tmp_path / "here"
        with use_logs(None):
            assert logs_folder() == tmp_path / "here"
    assert logs_folder() is None
