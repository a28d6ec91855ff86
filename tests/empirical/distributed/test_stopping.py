"""A node that dies ends the run with one line, and the run goes on from the last common checkpoint to the same bits."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bounds.errors import InputFileError, NodeLostError
from empirical import Run, measure, trajectory
from empirical.distributed import Checkpoints, Node, train
from empirical.experiment import read_experiment
from empirical.problems.registry import problem as build_problem
from empirical.samples import draw_samples
from empirical.store.seal import unsealed

LINE = r"gossip-bounds: (node 1|a node) does not answer \((.*)\) after step (\d+) of 30; run the same command again to go on from step (\d+)( or \d+)?\n"


def _finish(processes: list[Any]) -> list[int | None]:
    for one in processes:
        one.join(60)
    return [one.exitcode for one in processes]


def _models(out: Path) -> np.ndarray:
    (path,) = out.glob("*.npz")
    return np.load(io.BytesIO(unsealed(path.read_bytes())))["models"]


def _strike(processes: list[Any], out: Path, number: signal.Signals) -> None:
    """Hit node 1 once all nodes have a checkpoint of step 6."""
    deadline = time.monotonic() + 60
    while len(list(out.glob("checkpoints/*.step-6.ckpt"))) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(processes[1].pid, number)


def _check_resumed(toml: Path, out: Path) -> int:
    """The step that the run went on from."""
    run = read_experiment(toml).configurations[0].run
    expected = trajectory(run, device="cpu", ordered=True)
    assert np.array_equal(_models(out).reshape(2, 2, 3, -1), expected.reshape(2, 2, 3, -1))
    document = json.loads(next(out.glob("*.json")).read_text())
    assert document["resumed_at"] >= 3
    assert list(out.glob("checkpoints/*")) == []
    assert not (out / "stopped.txt").exists()
    return int(document["resumed_at"])


@pytest.mark.slow
def test_a_killed_node_ends_the_run_and_the_run_goes_on(toml: Any, start: Any, tmp_path: Path) -> None:
    out, path = tmp_path / "out", toml()
    arguments = (str(path), "--out", str(out), "--every", "3")
    processes = start(3, *arguments, "--latency", "0.05", "--timeout", "30")
    _strike(processes, out, signal.SIGKILL)
    statuses = _finish(processes)
    assert statuses == [1, -signal.SIGKILL, 1]
    said = re.fullmatch(LINE, (out / "stopped.txt").read_text())
    assert said is not None
    steps = {int(said[4]), int((said[5] or said[4]).removeprefix(" or "))}
    assert 6 <= max(steps) <= int(said[3]) < 30
    (out / "checkpoints" / f".{'0' * 32}.tmp").write_bytes(b"half")
    assert _finish(start(3, *arguments)) == [0, 0, 0]
    assert _check_resumed(path, out) in steps
    values = json.loads(next(out.glob("*.json")).read_text())["values"]
    one = read_experiment(path)
    for found in measure(one.configurations[0].run, one.requests, device="cpu"):
        name = f"{found.quantity.value}_at_{found.readout.value}"
        step = (4, 30).index(found.setting.T)
        assert np.allclose(values[name][step], found.values, rtol=1e-9, atol=1e-15)


@pytest.mark.slow
def test_a_node_that_hangs_is_given_up(toml: Any, start: Any, tmp_path: Path) -> None:
    out, path = tmp_path / "out", toml()
    arguments = (str(path), "--out", str(out), "--every", "3")
    processes = start(3, *arguments, "--latency", "0.05", "--timeout", "3")
    try:
        _strike(processes, out, signal.SIGSTOP)
        for one in (processes[0], processes[2]):
            one.join(60)
        assert [processes[0].exitcode, processes[2].exitcode] == [1, 1]
    finally:
        processes[1].kill()
        _finish(processes)
    said = re.fullmatch(LINE, (out / "stopped.txt").read_text())
    assert said is not None
    assert "nothing came for 3 s" in said[2]
    assert _finish(start(3, *arguments)) == [0, 0, 0]
    _check_resumed(path, out)


class _Alone:
    """The peers of the only node of a network; the ``lost``-th meeting fails, and others may say which checkpoints they have."""

    def __init__(self, lost: int = 0, others: tuple[list[int], ...] = ()) -> None:
        self.lost, self.others, self.meetings = lost, others, 0

    def exchange(self, outgoing: Any, incoming: Any) -> None:
        assert not outgoing
        assert not incoming

    def everybody(self, value: Any) -> list[Any]:
        return [value, *self.others]

    def meet(self) -> None:
        self.meetings += 1
        if self.meetings == self.lost:
            raise NodeLostError("a node does not answer (gone)")


def _alone(folder: Path, peers: Any) -> tuple[Run, tuple[int, Any], list[str]]:
    run = Run(
        problem="mlp-digits", update_form="atc", m=1, n=9, T=8, eta=0.4, b=2, topology="complete", replicates=2, checkpoints=(1, 4, 8)
    )
    described = build_problem(run.problem)
    kept = Checkpoints(folder, "cd" * 32, 0, print)
    node = Node(run, described, draw_samples(run, described), 0, peers, torch.device("cpu"))
    try:
        found = train(node, peers, kept, 2)
    except NodeLostError as error:
        return run, (-1, str(error)), sorted(path.name[-6:] for path in folder.iterdir())
    return run, found, sorted(path.name[-6:] for path in folder.iterdir())


def test_a_checkpoint_stays_until_all_nodes_have_the_next(tmp_path: Path) -> None:
    said = "a node does not answer (gone) after step {} of 8; run the same command again to go on from step {}"
    assert _alone(tmp_path, _Alone(lost=1))[1:] == ((-1, said.format(2, "0 or 2")), ["2.ckpt"])
    # Another node has not got as far as this one: both begin anew.
    assert _alone(tmp_path, _Alone(lost=3, others=([],)))[1:] == ((-1, said.format(6, "4 or 6")), ["4.ckpt", "6.ckpt"])
    run, (begun, readings), files = _alone(tmp_path, _Alone(others=([4],)))
    assert (begun, files) == (4, ["8.ckpt"])
    expected = trajectory(run, device="cpu", ordered=True)
    assert np.array_equal(readings.numpy().transpose(1, 0, 2, 3).reshape(expected.shape), expected)


def test_checkpoints_are_whole_or_not_there(tmp_path: Path) -> None:
    reports: list[str] = []
    key = "ab" * 32
    kept = Checkpoints(tmp_path, key, 3, reports.append)
    assert kept.steps() == []
    models, readings = np.arange(6, dtype=np.float32).reshape(2, 1, 3), np.zeros((0, 2, 1, 3), dtype=np.float32)
    for step in (5, 10, 20):
        kept.save(step, (models + step, readings))
    assert kept.steps() == [5, 10, 20]
    loaded = kept.load(10)
    assert np.array_equal(loaded[0], models + 10)
    assert loaded[0].dtype == np.float32
    assert loaded[1].shape == (0, 2, 1, 3)
    assert Checkpoints(tmp_path, key, 4, reports.append).steps() == []
    whole = kept.path(20).read_bytes()
    for content in (whole[:-1], whole[:100] + bytes([whole[100] ^ 1]) + whole[101:], b"", kept.path(10).read_bytes()):
        kept.path(20).write_bytes(content)
        assert kept.steps() == [5, 10]
        with pytest.raises(InputFileError, match="is damaged"):
            kept.load(20)
    assert len(reports) == 4
    other = Checkpoints(tmp_path, key[:16] + "0" * 48, 3, reports.append)
    assert other.steps() == []
    kept.forget(10)
    assert [path.name.rpartition("-")[2] for path in sorted(tmp_path.iterdir())] == ["10.ckpt", "20.ckpt"]
