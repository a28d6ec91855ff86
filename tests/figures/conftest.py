"""A realistic set of results: all four verdicts, long reasons, missing numbers, short and long curves, characters that HTML reserves."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bounds.setting import Constant
from bounds.symbols import symbol
from bounds.vocabulary import Quantity
from figures import CalibrationSummary, FalseAlarmRow, PowerRow
from verify.verdict import CaseResult, Curve, Evidence, Numbers, Verdict

CONVEX = (
    "For a convex, L-Lipschitz, beta-smooth loss the generalization error of T constant steps is at most 2 L^2 eta T / (m n), "
    "whatever the graph."
)
HOSTILE = "If gap < 1 & n > 2, then <script>alert('x')</script> the \"bound\" stays below 1 $ per sample."
LONG = "At m = 32 the lower band 0.0213 lies above the bound 0.0201. " * 6
CERTIFIED = {
    "L": Constant(1.4142135, "certified", "features in the unit ball, softmax"),
    "beta": Constant(0.5, "certified", "features in the unit ball, softmax"),
    "sigma2": Constant(3.2e-5, "estimated", "largest of 4096 sampled points <not a proof>"),
}
FACTS: dict[str, float | int | bool | str] = {
    "update_form": "atc",
    "loss": "softmax",
    "topology": "ring",
    "n": 16,
    "T": 200,
    "eta": 0.05,
    "gap": 1.0 / 3.0,
    "m": "4 to 32",
    "own_data": True,
    "data & seed": "digits <1797>",
}


def curve(
    name: str,
    x: Sequence[float],
    mean: Sequence[float],
    bound: Sequence[float] | None,
    spread: float = 0.2,
    quantity: Quantity = Quantity.GENERALIZATION_ERROR,
    bound_id: str | None = "dsgd_convex",
    level: float = 0.00125,
    replicates: int = 40,
) -> Curve:
    """A curve whose band reaches ``spread`` times the mean, and a little, to either side."""
    middle = np.array(mean, dtype=float)
    half = spread * np.abs(middle)
    limit = None if bound is None else np.array(bound, dtype=float)
    where = np.array(x, dtype=float)
    return Curve(symbol(name), quantity, where, middle, middle - half, middle + half, limit, bound_id, level, replicates)


def _case(claim: str, case: str, verdict: Verdict, curves: tuple[Curve, ...] = (), **changes: object) -> CaseResult:
    base = CaseResult(
        claim=claim,
        case=case,
        paper=claim.split("-")[0],
        statement=CONVEX,
        verdict=verdict,
        reason="The upper band lies at or below the bound at all 4 points; closest at n = 64 (0.0107 against 0.05).",
        evidence=Evidence.MEASURED,
        update_form="atc",
        readout="node_average",
        conditions=FACTS,
        constants=CERTIFIED,
        curves=curves,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


SIZES = (4.0, 8.0, 16.0, 32.0)
BY_N = curve("n", (8, 16, 32, 64), (0.021, 0.0123, 0.006, 0.0029), (0.4, 0.2, 0.1, 0.05))
NOISY = curve("T", (25, 50, 100, 200, 400), (1e-4, 3e-4, -2e-4, 8e-4, 2e-3), (0.02, 0.04, 0.08, 0.16, 0.32), spread=2.5)
CROSSING = curve("m", SIZES, (0.05, 0.04, 0.031, 0.026), (0.09, 0.045, 0.0225, 0.01125), bound_id="dsgd_worst_node_convex_consensus")
LOOSE = curve("eta", (0.25, 0.5, 1, 2, 4), (0.001, 0.002, 0.0042, 0.0079, 0.016), (1e2, 2e2, 4e2, 8e2, 1.6e3))
ALONE = curve("gap", (0.1,), (0.3,), (0.9,), quantity=Quantity.CONSENSUS_DISTANCE, bound_id="consensus_distance_atc")
NO_BOUND = curve("Q", (1, 2, 4, 8, 16), (0.9, 0.5, 0.25, 0.14, 0.05), None, quantity=Quantity.CONSENSUS_DISTANCE, bound_id=None)
DENSE = curve("b", range(1, 9), 1 / np.arange(1, 9), 3 / np.arange(1, 9), quantity=Quantity.GRADIENT_NORM, bound_id="gradient_norm_atc")
IDENTITY = curve("Q", (1, 4, 16, 64, 256), (0.03, 1e-3, 2e-9, 0, 0), [1e-12] * 5, 0.3, Quantity.OTHER, None, level=0.0, replicates=10)
EXACT = curve("sigma2", (0.1, 1, 10), (0.2, 2, 20), (0.5, 5, 50), 0.0, Quantity.L2_STABILITY, "l2_stability", level=0.0, replicates=0)
GAPS = curve("T", (10, 100, 1000), (0.1, np.nan, 0.3), (np.inf, 0.6, 0.9))
NUMBERS = Numbers(0.0123, 0.0098, 0.0151, 0.2, 16.26, 40, None)


def make_results() -> list[CaseResult]:
    holds, violated, undecided, outside = Verdict
    tie = Numbers(0.10021, 0.10004, 0.10042, 0.1, 0.99971, 400, None)
    lone = Numbers(more_replicates=120, replicates=40, measured=-1.2e-3, low=-0.0181, high=2.31e-2, bound=2e-2, tightness=None)
    missing = "scikit-learn is absent; install it with `pip install scikit-learn` to decide this case"
    statement = "The escape time grows as exp(1 / (eta * sharpness)) in every flat minimum."
    return [
        _case("core-convex", "atc-n", holds, (BY_N,), numbers=NUMBERS, vacuous=False),
        _case("core-convex", "atc-m", violated, (CROSSING,), numbers=tie, reason=LONG, vacuous=False),
        _case("core-convex", "atc-T", undecided, (NOISY,), numbers=lone),
        _case("core-convex", "atc-eta", holds, (LOOSE,), numbers=Numbers(0.001, 8e-4, 1.2e-3, 1e2, 1e5, 40), vacuous=True),
        _case("core-convex", "consensus-large-eta", outside, update_form="consensus", reason="eta = 4 is above 2 min_k (W^Q)_kk / beta"),
        _case("core-convex", "atc<n>&co", holds, (BY_N, NOISY), numbers=NUMBERS, statement=HOSTILE, vacuous=False),
        _case("core-convex", "atc-n ", holds, (BY_N,), numbers=NUMBERS),
        _case("core-consensus", "one-point", holds, (ALONE,), readout="gradient_point", numbers=Numbers(0.3, 0.24, 0.36, 0.9, 3.0, 40)),
        _case("core-consensus", "no-bound", undecided, (NO_BOUND,), readout="gradient_point"),
        _case("core-consensus", "four", holds, (BY_N, DENSE, CROSSING, EXACT), numbers=NUMBERS, vacuous=False),
        _case("core-consensus", "seven", undecided, (BY_N, NOISY, CROSSING, LOOSE, ALONE, DENSE, GAPS), numbers=lone),
        _case("core-consensus", "gaps", undecided, (GAPS,), numbers=Numbers(bound=float("inf"), measured=float("nan"))),
        _case(
            "core-atc-minibatch", "atc-ring", holds, (IDENTITY,), evidence=Evidence.EXACT, numbers=Numbers(0.0, bound=1e-12, replicates=10)
        ),
        _case("core-atc-minibatch", "atc-bounds", holds, evidence=Evidence.PROVED, constants={}, conditions={"bound": "dsgd_convex"}),
        _case(
            "li2025-li2025-flat", "sgd", violated, (EXACT,), evidence=Evidence.EXACT, statement=statement, numbers=Numbers(0.2, bound=0.5)
        ),
        _case("li2025-li2025-flat", "no data", undecided, constants={}, conditions={}, reason=missing, update_form="any", readout="final"),
        _case("zhu2022-logs", "csgd-against-ring", violated, evidence=Evidence.LOGGED, numbers=Numbers(91.234, 90.1, 92.3, replicates=3)),
        _case("zhu2022-logs", "n-and-m", undecided, (BY_N, CROSSING), evidence=Evidence.LOGGED, numbers=NUMBERS),
        _case("zhu2022-logs", "three", holds, (BY_N, NOISY, LOOSE), numbers=Numbers(1e-300, 0.0, 1e-299, 3.4e300, 1e9, 12), vacuous=True),
        _case("zhu2022-logs", "worst", outside, readout="worst_node", update_form="cta", reason="W is not symmetric"),
    ]


@pytest.fixture(scope="session")
def results() -> list[CaseResult]:
    return make_results()


@pytest.fixture(scope="session")
def by_case(results: list[CaseResult]) -> dict[str, CaseResult]:
    return {result.case: result for result in results}


@pytest.fixture(scope="session")
def calibration() -> CalibrationSummary:
    alarms = [
        FalseAlarmRow(noise="gaussian", rate=0.052, low=0.043, high=0.062, trials=2000),
        FalseAlarmRow(noise="right-skewed <heavy>", rate=0.041, low=0.033, high=0.051, trials=2000, verdict="VIOLATED"),
        FalseAlarmRow(noise="bounded", rate=0.048, low=0.039, high=0.058, trials=2000, verdict="HOLDS"),
    ]
    power = [PowerRow(factor=f, rate=r, low=r - 0.03, high=min(1.0, r + 0.03)) for f, r in ((0.9, 0.31), (0.7, 0.84), (0.5, 0.98))]
    return CalibrationSummary(0.05, alarms, power)


Browser = Callable[..., str]
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --allow-file-access-from-files --virtual-time-budget=5000 --enable-logging=stderr"
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Opens an address in Debian's chromium, fails on any word on its console, and returns the document after its scripts ran."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's chromium")
    profile = tmp_path_factory.mktemp("profile")

    def open_page(page: Path, address: str = "", width: int = 1280) -> str:
        command = [chromium, *_FLAGS.split(), f"--user-data-dir={profile}", f"--window-size={width},900", "--dump-dom"]
        done = subprocess.run([*command, page.resolve().as_uri() + address], capture_output=True, text=True, timeout=180, check=True)
        assert "CONSOLE" not in done.stderr, re.findall(".*CONSOLE.*", done.stderr)[0]
        return done.stdout

    return open_page
