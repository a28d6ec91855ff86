"""``constants`` on files as a user writes them."""

import json
from pathlib import Path

import numpy as np
import pytest

from gossip_bounds.main import run

MODEL = (
    '[model]\nmodule = "my_models_for_constants:{0}"\nradius = 2.0\n{1}\n'
    '[data]\nfile = "data.npz"\nnodes = 4\n[search]\ngroups = 2\npoints = 1\nsamples = 8\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_models_for_constants.py").write_text(
        "from torch import nn\n"
        "def softmax(): return nn.Linear(3, 2, bias=False)\n"
        "def net(hidden=2): return nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, 2))\n"
        "def wrong(): return 3\n"
        "def narrow(): return nn.Sequential(nn.Linear(9, 2), nn.Tanh())\n"
    )
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=rng.standard_normal((16, 3)), y=rng.integers(0, 2, 16))
    return tmp_path


def written(folder: Path, text: str) -> str:
    (folder / "f.toml").write_text(text)
    return str(folder / "f.toml")


def test_a_recognised_model_is_proved_and_feeds_evaluate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(folder, MODEL.format("softmax", ""))
    assert run(["constants", path, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["recognised"] == "softmax regression"
    assert {row["tag"] for row in document["constants"].values()} == {"certified"}
    assert run(["constants", path, "--for", "dsgd_convex"]) == 0
    pairs = capsys.readouterr().out.split()
    assert [pair.split("=")[0] for pair in pairs] == ["L", "beta"]
    assert run(["evaluate", "dsgd_convex", *pairs, "eta=0.01", "T=10", "m=4", "n=4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["applies"] is True


def test_another_model_is_estimated_with_standard_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["constants", written(folder, MODEL.format("net", "arguments = {hidden = 3}")), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["recognised"] is None
    assert document["parameters"] == 3 * 3 + 3 + 3 * 2 + 2
    assert set(document["constants"]) == {"L", "beta", "M", "sigma2", "zeta2"}
    for row in document["constants"].values():
        assert row["tag"] == "estimated"
        assert row["value"] > 0
        assert row["standard_error"] >= 0
    assert run(["constants", str(folder / "f.toml")]) == 0
    assert "not a class with proved constants" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MODEL.format("nothing", ""), "cannot build model.module"),
        (MODEL.format("wrong", ""), "must be, or return, a torch.nn.Module"),
        (MODEL.format("narrow", ""), "do not fit"),
        (MODEL.format("net", "arguments = {depth = 3}"), "cannot build"),
        (MODEL.format("net", 'loss = "hinge"'), "allowed: binary_cross_entropy_with_logits, cross_entropy"),
        (MODEL.format("net", "radus = 1.0"), "model.radus"),
        (MODEL.format("net", "").replace("radius = 2.0", "radius = -1"), "model.radius"),
        (MODEL.format("net", "").replace("data.npz", "none.npz"), "cannot read"),
        (MODEL.format("net", "").replace("my_models_for_constants:", ""), "package.file:Class"),
        ("[model\n", "not TOML"),
        ("", "model"),
    ],
)
def test_mistakes_give_one_line_and_status_2(folder: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["constants", written(folder, text)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err


def test_an_unknown_bound_is_said_before_the_search(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["constants", written(folder, MODEL.format("net", "")), "--for", "dsgd_convx"]) == 2
    assert "did you mean" in capsys.readouterr().err
