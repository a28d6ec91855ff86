"""``list`` and ``show``: filters, the card, and its example, which runs."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import pytest

import bounds
from gossip_bounds.main import run

TEMPLATE = str(Path(__file__).parents[2] / "docs" / "template_theorem.toml")
ARRAYS = """
id = "arrays"
title = "A value per eigenvalue"
kind = "exact"
quantity = "other"
update_forms = ["atc", "cta"]
readouts = ["gradient_point", "network_mean"]
expression = [
  { text = "total(v, spectrum, v**2)*s", forms = ["cta"] },
  { text = "total(v, spectrum, v**2)", readouts = ["network_mean"] },
  { text = "size(spectrum)*s" },
]
required = ["spectrum", "rho", "Q"]
optional = ["heterogeneity"]
[where]
s = "total(h, rho, h)"
"""


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.fixture
def arrays(tmp_path: Path) -> str:
    (tmp_path / "arrays.toml").write_text(ARRAYS)
    return str(tmp_path / "arrays.toml")


def ids(capsys: pytest.CaptureFixture[str], *filters: str) -> set[str]:
    return {row["id"] for row in json.loads(output(capsys, "list", "--json", *filters))}


def test_filters(capsys: pytest.CaptureFixture[str]) -> None:
    every = bounds.entries().values()
    assert ids(capsys) == {b.id for b in every}
    assert ids(capsys, "--quantity", "consensus_distance") == {b.id for b in every if b.quantity.value == "consensus_distance"}
    assert ids(capsys, "--update-form", "cta") == {b.id for b in every if "cta" in b.update_forms}
    assert ids(capsys, "--paper", "hardt2016") == {b.id for b in every if b.source.paper == "hardt2016"}
    assert ids(capsys, "--kind", "upper") == {b.id for b in every if b.kind.value == "upper"}
    both = ids(capsys, "--update-form", "cta", "--quantity", "l1_stability")
    assert both == {b.id for b in every if "cta" in b.update_forms and b.quantity.value == "l1_stability"}
    assert both
    assert ids(capsys, "--paper", "own work", "--bounds", TEMPLATE) == {"my_bound"}
    assert json.loads(output(capsys, "list", "--json", "--paper", "hardt2016", "--update-form", "cta")) == []
    assert "no bound fits" in output(capsys, "list", "--paper", "hardt2016", "--update-form", "cta")


def test_the_table_fits_120_columns(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = output(capsys, "list", "--csv", str(tmp_path / "l.csv")).splitlines()
    assert max(map(len, lines)) <= 120
    assert len(lines) == 2 + len(bounds.entries())
    assert len(list(csv.DictReader((tmp_path / "l.csv").read_text().splitlines()))) == len(bounds.entries())


@pytest.mark.parametrize("bound_id", bounds.entries())
def test_the_card(bound_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    bound = bounds.get(bound_id)
    text = output(capsys, "show", bound_id)
    example = text.splitlines()[-1].strip()
    assert all(len(line) <= 100 for line in text.splitlines()[:-1])
    for title in ("expression", "parameters", "assumptions", "source", "derivation", "example"):
        assert f"\n\n{title}" in text
    # Without blanks, because long formulas are broken anywhere.
    flat = "".join(text.split())
    for words in (*(let.text for let in bound.formula.lets), bound.source.result, bound.source.derivation, bound.notes):
        assert "".join(words.split()) in flat
    for name in bound.formula.parameters:
        assert any(line.split()[:1] == [name] for line in text.splitlines()), name
    program, *arguments = shlex.split(example)
    assert program == "gossip-bounds"
    document = json.loads(output(capsys, *arguments, "--json"))
    assert document["applies"] is True
    assert document["value"] is not None


@pytest.mark.parametrize("bound_id", bounds.entries())
def test_the_json(bound_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    card = json.loads(output(capsys, "show", bound_id, "--json"))
    assert card["latex"] == bounds.get(bound_id).latex()
    assert card["readings"][-1]["name"] == "value"
    assert output(capsys, *shlex.split(card["example"])[1:])


def test_a_superseded_bound_names_its_successor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text('id = "new"\nexpression = "eta"\nrequired = ["eta"]\nsupersedes = ["dsgd_convex"]')
    arguments = ["--bounds", str(tmp_path / "new.toml"), "--json"]
    assert json.loads(output(capsys, "show", "dsgd_convex", *arguments))["superseded_by"] == ["new"]
    assert json.loads(output(capsys, "show", "new", *arguments))["supersedes"] == ["dsgd_convex"]
    assert "superseded by\n  - new" in output(capsys, "show", "dsgd_convex", *arguments[:2])


def test_which_reading_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    every = output(capsys, "show", "consensus_distance_atc")
    assert "[with mu given]" in every
    assert "[otherwise]" in every
    one = output(capsys, "show", "consensus_distance_atc", "--given", "T,mu")
    assert "rho = 1 - eta*mu" in one
    assert "rho = 1 + eta*beta" not in one
    assert "[" not in one.partition("parameters")[0]
    card = json.loads(output(capsys, "show", "consensus_distance_atc", "--given", "mu", "--json"))
    assert card["expression"] == bounds.get("consensus_distance_atc").formula.text(frozenset({"mu"}))
    assert card["given"] == ["mu"]


def test_readings_by_form_and_readout(capsys: pytest.CaptureFixture[str], arrays: str) -> None:
    text = output(capsys, "show", "arrays", "--bounds", arrays)
    assert "[CTA]" in text
    assert "[at the network mean]" in text
    assert "The quantity in the title itself, an equality under the assumptions below, for ATC and CTA" in " ".join(text.split())

    def expression(*options: str) -> str:
        return str(json.loads(output(capsys, "show", "arrays", "--bounds", arrays, "--json", *options))["expression"])

    assert expression().startswith("size(spectrum)*s")
    assert expression("--readout", "network_mean") == "total(v, spectrum, v**2)"
    assert expression("--update-form", "cta").startswith("total(v, spectrum, v**2)*s")
    for options in ([], ["--update-form", "cta"], ["--readout", "network_mean"]):
        card = json.loads(output(capsys, "show", "arrays", "--bounds", arrays, "--json", *options))
        assert json.loads(output(capsys, *shlex.split(card["example"])[1:], "--bounds", arrays, "--json"))["value"] > 0


def test_latex(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "show", "my_bound", "--latex", "--bounds", TEMPLATE, "--given", "mu")
    canonical, _, source = text.partition("\n\n")
    assert canonical.startswith(r"\frac{T \kappa s}{m n}")
    assert r"\mu" in canonical
    assert source.splitlines()[-1] == r"\varepsilon \le 2 L^2 \eta T \kappa / (m n)"


def test_arrays_and_words_as_name_value(capsys: pytest.CaptureFixture[str], arrays: str) -> None:
    base = ["evaluate", "arrays", "rho=1,2", "Q=1", "--bounds", arrays, "--json"]

    def value(*more: str) -> float:
        return float(json.loads(output(capsys, *base, *more))["value"])

    assert value("spectrum=1,0.5") == 6
    assert value("spectrum=1,0.5", "readout=network_mean") == value("spectrum=1,0.5", "--readout", "network_mean") == 1.25
    assert value("spectrum=1,0.5", "update_form=cta") == 3.75
    assert value("m=4", "--topology", "ring") == 12
    assert value("spectrum=1,0.5", "heterogeneity=0,0;1,-1") == 6


def test_text_of_one_value(capsys: pytest.CaptureFixture[str]) -> None:
    """A quantity without a word of its own is named by the title; rows are separated; a limit on the left is shown as one."""
    risk = ["evaluate", "excess_risk_atc", "eta=0.1", "b=1", "rho=1,2", "r=1,1", "Q=1", "m=4", "--topology", "ring"]
    text = output(capsys, *risk, "heterogeneity=0,0;1,2;0,1;2,1")
    assert "(excess risk: equality under its assumptions)" in text
    assert "heterogeneity=0,0;1,2;0,1;2,1, spectrum=1,0.3333," in text
    text = output(capsys, "evaluate", "sam_residual", "eta=0.1", "M4=1", "rho3=1")
    assert "(Step of the averaged model against" in text
    network = ["m=16", "gap=0.5", "Q=1", "sigma2=1", "zeta2=1"]
    text = output(capsys, "evaluate", "mgs_excess_pl", "L=1", "c=0.5", "tau=10", "T=9", "n=64", "beta=1", "M=1", "mu=1", "D0=1", *network)
    assert "1 < mu*c fails: got 0.5, allowed > 1" in text


def test_long_arrays_of_a_witness_are_cut_in_text_only(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["certify", "step_limit_consensus", "Q"]
    text, document = output(capsys, *command), json.loads(output(capsys, *command, "--json"))
    assert "entries]" in text
    assert "spectrum of ring 8 or torus 16" in text
    assert "entries]" not in json.dumps(document)


PLOT = ["plot", "my_bound", "L=1", "eta=0.1", "m=4", "n=8", "kappa=2", "T=10:20:3"]
MISTAKES = [
    (["list", "--quantity", "excess_risc"], "unknown quantity 'excess_risc'; did you mean 'excess_risk'?"),
    (["list", "--kind", "uper"], "did you mean 'upper'"),
    (["list", "--update-form", "act"], "unknown update form"),
    (["list", "--paper", "hard2016"], "unknown paper 'hard2016'; did you mean 'hardt2016'?"),
    (["show", "dsgd"], "did you mean 'dsgd_convex' or"),
    (["show", "hardt2016"], "did you mean 'hardt2016_convex' or"),
    (["show", "DSGD_Convex"], "did you mean 'dsgd_convex'?"),
    (["show", "dsgd_covnex"], "did you mean 'dsgd_convex'?"),
    (["show", "dsgd-convex"], "did you mean 'dsgd_convex'?"),
    (["show", "consensus_distance"], "did you mean 'consensus_distance_"),
    (["show", "l1_stabilty_convex"], "did you mean 'l1_stability_convex'?"),
    (["show", "my_bound"], "unknown bound 'my_bound'"),
    (["show", "my_bnd", "--bounds", TEMPLATE], "did you mean 'my_bound'?"),
    (["show", "dsgd_convex", "--given", "betta"], "unknown optional parameter 'betta'; did you mean 'beta'?"),
    (["show", "dsgd_convex", "--update-form", "centralized"], "allowed: atc, cta, consensus"),
    (["show", "dsgd_convex", "--readout", "worst"], "did you mean 'worst_node'"),
    (["show", "dsgd_convex", "--bounds", "FOLDER/none.toml"], "cannot read"),
    (["list", "--bounds", "FOLDER/bad.toml"], "bad.toml': required is missing"),
    (["evaluate", "my_bound", "--bounds", "FOLDER/bad.toml"], "required is missing"),
    (["certify", "my_bound", "m", "--bounds", "FOLDER/bad.toml"], "required is missing"),
    ([*PLOT, "--bounds", "FOLDER/bad.toml", "-o", "FOLDER/a.png"], "required is missing"),
    (["verify", "own", "--bounds", "FOLDER/bad.toml", "--out", "FOLDER/out"], "required is missing"),
    (["verify", "own", "--out", "FOLDER/out"], "unknown claim 'own'"),
    (["verify", "own-arrays", "--bounds", "FOLDER/arrays.toml", "--out", "FOLDER/out"], "which no run measures"),
    (["list", "--bounds", "FOLDER/two.toml", "--bounds", TEMPLATE], "exists already in"),
    (["list", "--bounds", TEMPLATE, "--bounds", "FOLDER/kappa.toml"], "the symbol kappa already means 'condition number'"),
    (
        ["evaluate", "arrays", "m=4", "spectrum=1,0.5", "rho=1", "Q=1", "--bounds", "FOLDER/arrays.toml"],
        "arrays takes no m, which is the number of eigenvalues",
    ),
    (
        ["evaluate", "l2_stability_atc", "L=1"],
        "give eta=VALUE T=VALUE n=VALUE Q=VALUE spectrum=1,v2,v3,... (--topology NAME with m=NODES sets",
    ),
    (["evaluate", "mgs_gossip_needed", "eta=1", "m=2", "beta=1", "sigma2=1", "zeta2=1", "theta=1"], "gap=VALUE (--topology NAME sets gap)"),
    (["evaluate", "mgs_pl", "foo=1"], "mgs_pl has no parameter 'foo'"),
    (["evaluate", "exit_time_centralized", "eta=1", "b=1", "m=1", "r=1", "barrier=1", "curvatures=1"], "takes 2 or more of a number > 0"),
    (["evaluate", "step_limit_consensus", "rho_max=1", "m=4", "--topology", "ring", "Q=1", "readout=network_mean"], "does not speak about"),
    (["evaluate", "arrays", "rho=1", "Q=1", "--topology", "ring", "--bounds", "FOLDER/arrays.toml"], "give m=VALUE"),
    (["evaluate", "arrays", "spectrum=1,x", "--bounds", "FOLDER/arrays.toml"], "write spectrum=v1,v2,..."),
    (["evaluate", "arrays", "spectrum=0.5,1", "rho=1", "Q=1", "--bounds", "FOLDER/arrays.toml"], "largest first"),
    (["evaluate", "dsgd_convex", "update_form=atc", "--update-form", "cta"], "update_form is given twice"),
    (["evaluate", "dsgd_convex", "update_form=atcc"], "needs L"),
    (["evaluate", "dsgd_convex", "L=1", "eta=1", "T=1", "m=1", "n=1", "update_form=atcc"], "did you mean 'atc'"),
    (["evaluate", "dsgd_convex", "L=1", "eta=1", "T=1", "m=1", "n=1", "readout=node_avrage"], "did you mean 'node_average'"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda x: " ".join(x)[-60:] if isinstance(x, list) else "")
def test_mistakes_give_one_line_and_status_2(
    arguments: list[str], words: str, tmp_path: Path, arrays: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.toml").write_text('id = "my_bound"\nexpression = "eta"')
    (tmp_path / "two.toml").write_text('id = "my_bound"\nexpression = "eta"\nrequired = ["eta"]')
    kappa = '[[symbols]]\nname = "kappa"\nmeaning = "another"\ndomain = {}'
    (tmp_path / "kappa.toml").write_text(f'id = "other"\nexpression = "kappa"\nrequired = ["kappa"]\n{kappa}')
    before = sorted(tmp_path.rglob("*"))
    assert run([text.replace("FOLDER", str(tmp_path)) for text in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
    assert sorted(tmp_path.rglob("*")) == before


def test_every_command_takes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / "a.png"
    assert "my_bound" in output(capsys, "list", "--bounds", TEMPLATE)
    assert "my_bound" in output(capsys, "show", "my_bound", "--bounds", TEMPLATE)
    assert "REFUTED" in output(capsys, "certify", "my_bound", "m", "--direction", "increasing", "--samples", "9", "--bounds", TEMPLATE)
    document = json.loads(output(capsys, "evaluate", *PLOT[1:-1], "T=8", "beta=1", "--bounds", TEMPLATE, "--json"))
    assert document["value"] == pytest.approx(2 * 0.1 * 8 * 2 / 32)
    assert document["applies"] is True
    output(capsys, *PLOT, "readout=node_average", "--bounds", TEMPLATE, "-o", str(figure))
    assert figure.stat().st_size > 1000


def test_nothing_is_kept_from_one_command_to_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys, "list", "--bounds", TEMPLATE)
    assert "my_bound" not in bounds.entries()
    assert run(["show", "my_bound"]) == 2
