"""What notebooks show: tables and formulas, and results in pandas and xarray."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pandas
import xarray

import bounds
from bounds.notebook import table
from empirical import Run, measure


def cells(html: str) -> list[str]:
    return ["".join(cell.itertext()) for cell in ElementTree.fromstring(f"<div>{html}</div>").iter("td")]


def test_a_bound_shows_its_formula_symbols_and_assumptions() -> None:
    bound = bounds.get("dsgd_convex")
    assert bound._repr_latex_() == f"$\\displaystyle {bound.latex()}$"
    shown = cells(bound._repr_html_())
    assert "2*L**2*eta*T/(m*n)" in shown
    assert "eta <= 2/beta" in shown


def test_every_answer_is_a_table_of_its_document() -> None:
    bound = bounds.get("dsgd_convex")
    given = {"L": 1, "T": 100, "m": 4, "n": 50}
    answers = (
        bounds.rate(bound, "T"),
        bounds.limit(bound, "m", 1),
        bounds.calibrate(bound, "eta", target=0.01, **given),
        bounds.certify(bound, "T"),
        bounds.compare(bound, bounds.get("dsgd_strongly_convex")),
    )
    for answer in answers:
        shown = cells(answer._repr_html_())
        assert shown[0] in answer.document()
        assert "schema_version" not in shown


def test_tables_escape_and_cut() -> None:
    rows = [("<b>",), (list(range(40)),), ({"x": 0.123456789},)]
    assert cells(table(("a",), rows)) == [
        "<b>",
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ... 40 in all",
        "x: 0.123457",
    ]


def test_measurements_become_xarray_and_pandas() -> None:
    run = Run(problem="softmax-digits", update_form="atc", m=2, n=4, T=3, eta=0.1, replicates=5, twins=1)  # type: ignore[arg-type]
    readings = [("generalization_error", "node_average"), ("generalization_error", "worst_node")]
    average, worst = measure(run, readings, device="cpu")  # type: ignore[arg-type]
    array = average.to_xarray()
    assert isinstance(array, xarray.DataArray)
    assert array.dims == ("replicate",)
    assert (array.attrs["m"], array.attrs["readout"]) == (2, "node_average")
    assert worst.to_xarray().dims == ("replicate", "node")
    frame = average.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert np.array_equal(frame["generalization_error"], average.values)
    assert len(worst.to_pandas()) == 10
    assert "<table" in average._repr_html_()
