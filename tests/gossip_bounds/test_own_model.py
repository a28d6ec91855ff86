"""``measure`` on a model and data of the user's: every process builds the same one, and mistakes are one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bounds.errors import DomainError
from empirical import Run, measure
from empirical.experiment import read_experiment
from empirical.models import seeded
from empirical.models.importing import imported
from empirical.models.losses import LOSSES
from empirical.problems import own, register
from empirical.problems.module import ModuleProblem
from empirical.problems.registry import PROBLEMS
from gossip_bounds.main import run
from gossip_bounds.measuring import compute

MODULE = """
from torch import nn


def net(hidden=3):
    return nn.Sequential(nn.Linear(4, hidden), nn.Tanh(), nn.Linear(hidden, 2))


def scorer():
    return nn.Linear(4, 1)


def nothing():
    return 3
"""
TEXT = """
[model]
module = "own_model_of_a_sweep:net"
arguments = { hidden = 4 }

[data]
file = "data.npz"

[run]
update_form = "atc"
m = 3
n = 4
T = 6
eta = 0.2
replicates = 2
twins = 2

[sweep]
Q = [1, 2]

[measure]
quantities = [["l1_stability", "node_average"], ["generalization_error", "network_mean"]]
"""
RNG = np.random.default_rng(5)
X, Y = RNG.standard_normal((20, 4)), RNG.integers(0, 2, 20)
Write = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    (tmp_path / "own_model_of_a_sweep.py").write_text(MODULE)
    np.savez(tmp_path / "data.npz", x=X, y=Y)

    def write(*replaced: tuple[str, str]) -> Path:
        text = TEXT
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "e.toml").write_text(text)
        return tmp_path / "e.toml"

    return write


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes this process one that knows no model of a user's, as a new worker is."""

    def forget() -> None:
        for name in [name for name in PROBLEMS if "@" in name]:
            monkeypatch.delitem(PROBLEMS, name)
        own._registered.cache_clear()

    return forget


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.nc")}


def test_a_sweep_gives_the_numbers_of_the_model_registered_by_hand(
    written: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["measure", str(written()), "--out", str(tmp_path / "out"), "--jobs", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    module = imported("own_model_of_a_sweep:net", {"hidden": 4}, tmp_path)
    name = register(ModuleProblem("mine", module, X, Y))
    for row, Q in zip(rows, (1, 2), strict=True):
        by_hand = Run(problem=name, update_form="atc", m=3, n=4, T=6, eta=0.2, replicates=2, twins=2, Q=Q)
        found = measure(by_hand, [("l1_stability", "node_average")])
        (mean,) = row["means"]["l1_stability_at_node_average"]
        assert mean == float(found[0].values.mean()) > 0
    assert run(["measure", str(written()), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert capsys.readouterr().out.startswith("0 computed, 2 reused")


def test_a_process_that_does_not_know_the_model_builds_it(written: Write, tmp_path: Path, forgotten: Callable[[], None]) -> None:
    experiment = read_experiment(written())
    one, folder = experiment.configurations[0].run, tmp_path / "out"
    folder.mkdir()
    forgotten()
    assert compute(str(folder), one, experiment.requests, "cpu", own=experiment.own) is None
    here = contents(folder)
    assert run(["measure", str(written()), "--out", str(tmp_path / "again"), "--jobs", "1"]) == 0
    assert here.items() <= contents(tmp_path / "again").items()
    assert len(here) == 1


def test_a_process_that_finds_other_samples_refuses(written: Write, tmp_path: Path, forgotten: Callable[[], None]) -> None:
    experiment = read_experiment(written())
    np.savez(tmp_path / "data.npz", x=X + 1e-9, y=Y)
    forgotten()
    reason = compute(str(tmp_path), experiment.configurations[0].run, experiment.requests, "cpu", own=experiment.own)
    assert reason is not None
    assert "other samples" in reason
    assert contents(tmp_path) == {}


@pytest.mark.slow
def test_worker_processes_give_the_same_bits(written: Write, tmp_path: Path) -> None:
    for jobs in ("1", "2"):
        assert run(["measure", str(written()), "--out", str(tmp_path / jobs), "--jobs", jobs]) == 0
    assert contents(tmp_path / "1") == contents(tmp_path / "2") != {}


def test_the_key_changes_with_the_arguments_and_the_loss(written: Write, tmp_path: Path) -> None:
    names = set()
    for change in ([], [("hidden = 4", "hidden = 5")], [(":net", ":scorer"), ("arguments = { hidden = 4 }", 'loss = "mse"')]):
        names |= {one.run.problem for one in read_experiment(written(*change)).configurations}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        (('[data]\nfile = "data.npz"\n', ""), "[model] needs the table [data]"),
        (('update_form = "atc"', 'problem = "linear"\nupdate_form = "atc"'), "problem is in [run], and [model] describes one"),
        ((":net", ":nets"), "cannot build model.module"),
        ((":net", ""), "write 'package.file:Class'"),
        ((":net", ":nothing"), "cannot build model.module"),
        (("hidden = 4", "hiden = 4"), "check the name, model.path and model.arguments"),
        (("arguments = { hidden = 4 }", 'loss = "cross-entropy"\narguments = { hidden = 4 }'), "did you mean 'cross_entropy'?"),
        (("data.npz", "date.npz"), "cannot read"),
        (('module = "own', 'modul = "own'), "unknown key 'modul' in [model]; did you mean 'module'?"),
    ],
)
def test_mistakes_are_one_line(
    replaced: tuple[str, str], words: str, written: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["measure", str(written(replaced)), "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert len(captured.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_samples_dealt_to_nodes_are_refused(written: Write, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=X, y=Y, node=np.arange(20) % 2)
    with pytest.raises(DomainError, match="leave it out, and use split"):
        read_experiment(written())


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_losses_are_those_of_torch_sample_by_sample(name: str) -> None:
    import torch
    from torch import nn

    outputs = torch.from_numpy(RNG.standard_normal((6, 3 if name == "cross_entropy" else 1)))
    targets = torch.from_numpy({"cross_entropy": RNG.integers(0, 3, 6), "sigmoid": RNG.choice([-1.0, 1.0], 6)}.get(name, RNG.random(6)))
    by_torch = {
        "cross_entropy": lambda f, y: nn.functional.cross_entropy(f, y),
        "mse": lambda f, y: nn.functional.mse_loss(f, y.unsqueeze(1)),
        "sigmoid": lambda f, y: 1 / (1 + torch.exp(y * f)).squeeze(),
        "binary_cross_entropy_with_logits": lambda f, y: -(y * torch.sigmoid(f).log() + (1 - y) * (1 - torch.sigmoid(f)).log()).squeeze(),
    }[name]
    expected = torch.stack([by_torch(outputs[i : i + 1], targets[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(LOSSES[name](outputs, targets), expected, rtol=1e-12, atol=1e-14)


def test_initial_weights_do_not_move_torchs_generator() -> None:
    import torch

    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    seeded(lambda: torch.nn.Linear(2, 2))
    assert torch.rand(1) == expected
