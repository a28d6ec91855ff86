"""Settings from the names of logs: the published pattern and its variants, other exporters, patterns of one's own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.errors import DomainError, MissingParameterError
from empirical.logs.names import LogSetting, compile_pattern, recover, setting, split_name
from empirical.logs.tags import Curve, is_averaged, is_local_folder, kind

PUBLISHED = "jupyter-chenkaixuan_CIFAR10s56-512-csgd-fixed-16-DenseNet121_M-1-0.8-0.0-0.1-0.0-150-6000-6000-666-True"


def read(name: str, pattern: str | None = None) -> LogSetting:
    fields = recover([name], None if pattern is None else compile_pattern(pattern))
    assert fields is not None
    return setting(fields)


def test_a_published_name() -> None:
    ran = read(PUBLISHED)
    assert (ran.dataset, ran.model, ran.topology, ran.shuffle, ran.optimizer) == ("CIFAR10", "DenseNet121", "csgd", "fixed", "sgd")
    assert (ran.local_batch, ran.nodes, ran.total_batch) == (512, 16, 8192)
    assert dict(ran.fields) == {
        "amp": "True",
        "early_stop": "6000",
        "epoch": "6000",
        "gamma": "0.1",
        "image_size": "56",
        "lr": "0.8",
        "momentum": "0",
        "pretrained": "1",
        "seed": "666",
        "variant": "M",
        "warmup": "150",
        "weight_decay": "0",
    }


@pytest.mark.parametrize(
    ("before", "optimizer"),
    [
        ("", "sgd"),
        ("host_", "sgd"),
        ("lamb_", "lamb"),
        ("lamb_jupyter-someone_", "lamb"),
        ("my_opt_host_", "my_opt"),
        ("Feb24_08:21:03_host_", "sgd"),
        ("adamw_Feb24_08-21-03_host_", "adamw"),
    ],
)
def test_what_stands_before_the_data_set(before: str, optimizer: str) -> None:
    ran = read(before + PUBLISHED.partition("_")[2])
    assert ran.optimizer == optimizer
    assert ran.partner() == tuple((name, optimizer if name == "optimizer" else value) for name, value in read(PUBLISHED).partner())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (PUBLISHED.replace("CIFAR10s56", "TinyImageNets64").replace("csgd-fixed", "meshgrid-random"), ("TinyImageNet", "64", "meshgrid")),
        (PUBLISHED.replace("CIFAR10s56", "CIFAR100s32"), ("CIFAR100", "32", "csgd")),
        (PUBLISHED.replace("CIFAR10s56", "Fashion-MNISTs28"), ("Fashion-MNIST", "28", "csgd")),
        (PUBLISHED.replace("CIFAR10s56", "flowerss224").replace("csgd", "star_2"), ("flowers", "224", "star_2")),
    ],
)
def test_other_data_sets_sizes_and_topologies(name: str, expected: tuple[str, str, str]) -> None:
    ran = read(name)
    assert (ran.dataset, ran.field("image_size"), ran.topology) == expected


LETTERS = st.text("abcXYZ", min_size=1, max_size=6)
WHOLE = st.integers(0, 10**6)
REAL = st.floats(0, 100, allow_nan=False)


@settings(max_examples=40)
@given(
    dataset=st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}[A-Za-z]", fullmatch=True),
    model=st.lists(LETTERS, min_size=1, max_size=3).map("-".join),
    words=st.tuples(LETTERS, LETTERS),
    counts=st.tuples(WHOLE, *2 * (st.integers(1, 9999),)),
    reals=st.tuples(*4 * (REAL,)),
    rest=st.tuples(*5 * (WHOLE,)),
    micro=st.booleans(),
    before=st.sampled_from(["", "host-1_", "lamb_host-1_"]),
)
def test_names_round_trip(
    dataset: str,
    model: str,
    words: tuple[str, str],
    counts: tuple[int, int, int],
    reals: tuple[float, ...],
    rest: tuple[int, ...],
    micro: bool,
    before: str,
) -> None:
    size, batch, nodes = counts
    name = f"{before}{dataset}s{size}-{batch}-{words[0]}-{words[1]}-{nodes}-{model}{'_M' * micro}-{rest[0]}-"
    ran = read(name + "-".join(map(repr, (*reals, *rest[1:], True))))
    assert (ran.dataset, ran.model, ran.topology, ran.shuffle) == (dataset, model, *words)
    assert (ran.local_batch, ran.nodes, ran.total_batch) == (batch, nodes, batch * nodes)
    assert ran.field("variant") == ("M" if micro else None)
    assert ran.optimizer == ("lamb" if before.startswith("lamb") else "sgd")
    told = [ran.field(name) for name in ("lr", "weight_decay", "gamma", "momentum")]
    assert [float(text or "") for text in told] == list(reals)
    assert [ran.field(name) for name in ("pretrained", "warmup", "epoch", "early_stop", "seed")] == [str(one) for one in rest]
    assert ran.field("image_size") == str(size)


def test_other_exporters() -> None:
    assert split_name(f"run-{PUBLISHED}-tag-valid acc") == (PUBLISHED, "valid acc")
    assert split_name(f"{PUBLISHED} (1)") == (PUBLISHED, None)
    ran = read("data.name=CIFAR10,arch=ViT,mode=ring,batch_size=64,size=8,opt=adam,seed=0,note=")
    assert (ran.dataset, ran.model, ran.topology, ran.total_batch, ran.optimizer) == (None, "ViT", "ring", 512, "adam")
    assert (ran.field("name"), ran.field("seed")) == ("CIFAR10", "0")
    assert recover(["accuracy", "README"], None) is None


def test_a_pattern_of_ones_own() -> None:
    ran = read("ring8_run03", r"(?P<mode>[a-z]+)(?P<nodes>\d+)_run(?P<seed>\d+)")
    assert (ran.topology, ran.nodes, ran.field("seed"), ran.dataset, ran.local_batch) == ("ring", 8, "3", None, None)
    assert recover(["ring8_run03x"], re.compile(r"(?P<topology>[a-z]+)8_run03")) is None
    with pytest.raises(DomainError, match="no regular expression"):
        compile_pattern("(?P<topology>[a-z")
    with pytest.raises(MissingParameterError, match="no group topology"):
        compile_pattern("(?P<nodes>.*)")


def test_numbers_have_one_spelling() -> None:
    spelled = [setting({"topology": "ring", "lr": text, "seed": seed}) for text, seed in (("0.10", "07"), ("1e-1", "7"), (" 0.1", "7.0"))]
    assert spelled[0] == spelled[1] == spelled[2]
    with pytest.raises(ValueError, match="nodes is '0'"):
        setting({"topology": "ring", "nodes": "0"})
    with pytest.raises(ValueError, match="which topology"):
        setting({"nodes": "4"})


def test_only_the_averaged_models_accuracy_is_compared() -> None:
    assert kind("valid acc") is kind("Accuracy/test") is kind("eval/top1") is Curve.AVERAGED
    assert kind("worker 3 valid acc") is kind("local/valid acc") is kind("valid acc rank0") is kind("node_average val acc") is Curve.LOCAL
    assert kind("train acc") is kind("valid loss") is Curve.OTHER
    assert kind("train acc", "train acc") is Curve.AVERAGED
    assert kind("valid acc", "train acc") is Curve.OTHER
    assert all(map(is_averaged, ("mean", "averaged model", "center", "Global", "network_mean")))
    assert not any(map(is_averaged, ("node_average", "worker0", "local", "meaningless", "")))
    assert all(map(is_local_folder, ("local", "worker3", "rank_0", "local models")))
    assert not any(map(is_local_folder, ("locality", "workers-ring-16", "nodes16")))
