"""What logs support, on made-up runs with planted gaps: spreads, verdicts, dependence, seeds, false alarms, and the paper's claim."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.logs import AccuracyLog, LogPair, LogSetting, read_folder, use_logs
from empirical.logs.names import setting
from verify.case import Context
from verify.claims.averaged_sam import logged
from verify.claims.core import Budget
from verify.logged import Support, judge_pair, judge_pairs, late_part, pool, study
from verify.logged.pairs import FLOOR
from verify.logged.pooled import half_width, units
from verify.plan import execute
from verify.suite import select
from verify.verdict import CaseResult, Evidence, Verdict

SUPPORT = Support()


def ran(topology: str, **fields: object) -> LogSetting:
    told = {"dataset": "D", "model": "N", "local_batch": 512, "nodes": 16, "seed": 1} | fields
    return setting({"topology": topology, **{name: str(value) for name, value in told.items()}})


def run(values: np.ndarray, topology: str = "ring", file: str = "", **fields: object) -> AccuracyLog:
    return AccuracyLog(file or f"{topology} {fields}", ran(topology, **fields), np.arange(values.size), values)


def flat(level: float, topology: str, spread: float = 0.05, rows: int = 120, key: int = 0, **fields: object) -> AccuracyLog:
    noise = np.random.default_rng([key, len(topology)]).standard_normal(rows)
    return run(level + spread * noise, topology, **fields)


def pair(gap: float, spread: float = 0.05, key: int = 0, topology: str = "ring", **fields: object) -> LogPair:
    return LogPair(flat(90 + gap, topology, spread, key=key, **fields), flat(90, "csgd", spread, key=key, **fields))


def ar1(memory: float, trials: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal((trials, rows + 60))
    for k in range(1, rows + 60):
        noise[:, k] = memory * noise[:, k - 1] + np.sqrt(1 - memory**2) * noise[:, k]
    return noise[:, 60:]


def test_the_late_part_is_the_last_sixth_and_never_under_eight_rows() -> None:
    values = np.concatenate([np.zeros(100), np.tile([89.0, 91.0], 10)])
    late = late_part(values)
    assert late is not None
    assert (late.rows, late.mean) == (20, 90)
    # Alternating values are not positively correlated: tau = 1, and the deviation is that with 1/(n-1).
    assert (late.effective, late.spread) == pytest.approx((20, np.sqrt(20 / 19)))
    assert late_part(values[:7]) is None
    short = late_part(values[-9:])
    assert short is not None
    assert short.rows == 8


@pytest.mark.parametrize(("memory", "low"), [(0.0, 0.9), (0.6, 0.85), (0.9, 0.65)])
def test_the_spread_sees_through_autocorrelation(memory: float, low: float) -> None:
    found = [late_part(values) for values in ar1(memory, 300, 240, np.random.default_rng(3))]
    root = np.sqrt(np.mean([one.spread**2 for one in found if one is not None]))
    assert low < root < 1.15
    naive = np.sqrt(np.mean([np.var(values[-40:]) for values in ar1(memory, 300, 240, np.random.default_rng(3))]))
    assert root > naive
    # More autocorrelation, fewer independent values.
    effective = np.median([one.effective for one in found if one is not None])
    assert effective <= 40 / (1 + memory)


@pytest.mark.parametrize("memory", [0.0, 0.6])
def test_late_fluctuation_alone_hardly_ever_makes_a_verdict(memory: float) -> None:
    """Two runs of one level without a floor: a verdict is a false alarm, nominally 5 %."""
    rng = np.random.default_rng(11)
    ours, centres = (90 + ar1(memory, 400, 240, rng) for _ in range(2))
    judged = [judge_pair(LogPair(run(a), run(b, "csgd")), Support(floor=0.0), 0.025) for a, b in zip(ours, centres, strict=True)]
    wrong = np.mean([one.verdict is not Verdict.UNDECIDED for one in judged])
    assert wrong < 0.09


@pytest.mark.parametrize(
    ("gap", "spread", "expected"),
    [
        (5.0, 0.05, "HOLDS"),
        (-5.0, 0.05, "VIOLATED"),
        (0.7, 0.05, "UNDECIDED"),
        (-0.7, 0.001, "UNDECIDED"),
        (1.3, 0.001, "HOLDS"),
        (3.0, 2.0, "UNDECIDED"),
        (0.0, 0.0, "UNDECIDED"),
    ],
)
def test_planted_gaps_of_one_seed(gap: float, spread: float, expected: str) -> None:
    (found,) = judge_pairs([pair(gap, spread)], SUPPORT)
    assert found.verdict.name == expected
    assert found.interval is not None
    assert found.difference == pytest.approx(np.mean(found.interval))
    assert found.difference == found.pair.decentralized.final - found.pair.centralized.final
    assert (found.interval[1] - found.interval[0]) / 2 >= FLOOR
    assert ("One seed does not support" in found.reason) == (expected == "UNDECIDED")


def test_a_run_that_still_moves_has_not_settled() -> None:
    climbing = run(np.linspace(60, 92, 120))
    found = judge_pair(LogPair(climbing, flat(89, "csgd")), SUPPORT, 0.025)
    assert found.verdict is Verdict.UNDECIDED


def test_short_curves_decide_nothing() -> None:
    found = judge_pair(LogPair(run(np.full(5, 99.0)), flat(50, "csgd")), SUPPORT, 0.025)
    assert (found.verdict, found.interval) == (Verdict.UNDECIDED, None)
    assert "5 rows are too few" in found.reason
    assert pool("all", None, [found.pair], SUPPORT, 0.025).verdict is Verdict.UNDECIDED


def test_the_floor_is_what_it_says() -> None:
    assert stats.norm.ppf(0.975) * np.sqrt(2 * SUPPORT.seed_variance) == pytest.approx(FLOOR)
    # Independent errors on 10,000 images at 85 %.
    assert np.sqrt(SUPPORT.seed_variance) == pytest.approx(100 * np.sqrt(0.85 * 0.15 / 1e4), rel=0.02)
    narrow, wide = (judge_pair(pair(2.0), Support(floor=floor), 0.025) for floor in (0.5, 3.0))
    assert (narrow.verdict, wide.verdict) == (Verdict.HOLDS, Verdict.UNDECIDED)


def shared(gaps: dict[str, list[float]], spread: float = 0.05) -> list[LogPair]:
    """Per model several topologies against one centralized run."""
    found = []
    for k, (model, values) in enumerate(gaps.items()):
        centre = flat(90, "csgd", spread, key=k, model=model)
        found += [LogPair(flat(90 + gap, f"t{i}", spread, key=10 * k + i, model=model), centre) for i, gap in enumerate(values)]
    return found


def test_pairs_that_share_a_centralized_run_are_dependent() -> None:
    pairs = shared({"A": [1, 2, 3], "B": [5]}, 0.0)
    assert [(one.mean, len(one.seeds)) for one in units(pairs)] == [(pytest.approx(2), 1), (pytest.approx(5), 1)]
    assert pool("all", None, pairs, SUPPORT, 0.025).difference == pytest.approx(3.5)
    # By hand: the mean of three differences has the covariance 1/3 of the own and all of the shared run's variance.
    covariance = SUPPORT.seed_variance * (np.eye(3) + np.ones((3, 3)))
    weights = np.full(3, 1 / 3)
    assert units(pairs)[0].variance(SUPPORT) == pytest.approx(weights @ covariance @ weights)
    # Twenty topologies against one run are one unit, and never narrower than the floor.
    many = pool("all", None, shared({"A": [0.6] * 20}), SUPPORT, 0.025)
    assert (many.units, many.centralized, many.pairs, many.verdict) == (1, 1, 20, Verdict.UNDECIDED)
    assert many.interval is not None
    assert many.interval[0] < -0.4


def test_three_settings_measure_their_spread() -> None:
    alike = pool("all", None, shared({name: [2.0] for name in "ABCDE"}, 0.0), SUPPORT, 0.025)
    unlike = pool("all", None, shared(dict(zip("ABCDE", [[9.0], [-4.0], [1.0], [6.0], [-2.0]], strict=True))), SUPPORT, 0.025)
    assert (alike.verdict, unlike.verdict) == (Verdict.HOLDS, Verdict.UNDECIDED)
    assert alike.interval is not None
    # Settings that agree by luck are not believed beyond the stated spread between seeds.
    assert (alike.interval[1] - alike.interval[0]) / 2 == pytest.approx(stats.t.isf(0.025, 4) * np.sqrt(2 * SUPPORT.seed_variance / 5))


def seeds(gaps: list[float], spread: float = 0.02) -> list[LogPair]:
    return [pair(gap, spread, key=k, seed=k) for k, gap in enumerate(gaps)]


def test_seeds_replace_the_floor() -> None:
    gaps = [0.52, 0.61, 0.47, 0.55, 0.58]
    found = pool("seeds", "x", seeds(gaps, 0.0), SUPPORT, 0.025)
    assert (found.units, found.seeds, found.verdict) == (1, 5, Verdict.HOLDS)
    assert found.interval is not None
    assert found.interval == pytest.approx(stats.t.interval(0.95, 4, np.mean(gaps), stats.sem(gaps)))
    assert pool("seeds", "x", seeds(gaps[:2]), SUPPORT, 0.025).verdict is Verdict.UNDECIDED
    # Seeds that agree by luck still carry the late fluctuation, and copies measure nothing.
    assert half_width(units(seeds([0.5, 0.5, 0.5001], 0.0)), SUPPORT, 0.025)[0] < 0.001
    assert half_width(units(seeds([0.5, 0.5, 0.5], 1.0)), SUPPORT, 0.025)[0] > 1
    assert half_width(units(seeds([0.5, 0.5, 0.5], 0.0)), SUPPORT, 0.025)[0] == FLOOR


def test_seeds_that_differ_by_more_than_the_floor_raise_it() -> None:
    gaps = [3.5, -2.0, 1.0]
    judged = judge_pairs(seeds(gaps), SUPPORT)
    assert {one.verdict for one in judged} == {Verdict.UNDECIDED}
    assert judge_pair(seeds(gaps)[0], SUPPORT, 0.025).verdict is Verdict.HOLDS
    assert f"{stats.t.isf(0.025, 2) * np.std([one.difference for one in judged], ddof=1):.2f} points that seeds" in judged[0].reason


def test_no_gap_is_hardly_ever_called_one() -> None:
    """Nine pairs of three models at three seeds each, without a gap, at between-seed spreads from none to the stated one."""
    rng = np.random.default_rng(5)
    wrong = 0
    for trial in range(60):
        spread = (0.0, 0.2, 0.35)[trial % 3]
        levels = rng.normal(90, spread, (3, 3, 2))
        pairs = [
            LogPair(
                *(
                    flat(levels[m, s, side], name, key=int(rng.integers(2**31)), model=f"M{m}", seed=s)
                    for side, name in enumerate(("ring", "csgd"))
                )
            )
            for m in range(3)
            for s in range(3)
        ]
        folder = read_folder_of(pairs)
        found = study(folder, SUPPORT)
        wrong += any(one.verdict is not Verdict.UNDECIDED for one in (*found.pairs, *found.pooled))
    assert wrong <= 9


def read_folder_of(pairs: list[LogPair]) -> Any:
    from empirical.logs import LogFolder

    return LogFolder(tuple({one.file: one for pair in pairs for one in (pair.decentralized, pair.centralized)}.values()), tuple(pairs), ())


def test_groups_that_are_pooled() -> None:
    pairs = [pair(1.0, seed=k, local_batch=batch, model=model) for k in range(3) for batch in (64, 512) for model in ("A", "B")]
    found = study(read_folder_of(pairs), SUPPORT)
    assert [(one.by, one.value, one.pairs) for one in found.pooled[:5]] == [
        ("all", None, 12),
        ("total_batch", 1024, 6),
        ("total_batch", 8192, 6),
        ("model", "A", 6),
        ("model", "B", 6),
    ]
    assert [(one.by, one.pairs, one.seeds) for one in found.pooled[5:]] == [("seeds", 3, 3)] * 4
    assert study(read_folder_of([]), SUPPORT).pooled == ()


MODELS = ("AlexNet", "ResNet18_M", "ResNet34_M")


def publish(made: Any, large: dict[str, float], small: dict[str, float], **fields: object) -> Path:
    for batch, lr, gaps in ((512, 0.8, large), (64, 0.1, small)):
        for model, gap in gaps.items():
            made.write(88.0, topology="csgd", local_batch=batch, lr=lr, model=model, **fields)
            made.write(88.0 + gap, topology="ring", local_batch=batch, lr=lr, model=model, **fields)
    return Path(made.folder)


def decided(folder: Path | None, level: float = 0.001) -> dict[str, CaseResult]:
    with use_logs(folder):
        built = logged.cases(Budget("quick", 2, 1), 0, "cpu")
    results = execute([task for case in built for task in case.tasks()], jobs=1)
    return {case.case: case.decide(results, Context(level, 0)) for case in built}


@pytest.mark.parametrize(
    ("large", "small", "expected"),
    [
        ((5.0, 5.2, 4.9), (0.2, 0.1, -0.1), ("HOLDS", "HOLDS", "HOLDS")),
        ((-5.0, -5.2, -4.9), (0.2, 0.1, -0.1), ("VIOLATED", "VIOLATED", "VIOLATED")),
        ((0.5, 0.3, 0.6), (0.4, 0.5, 0.3), ("UNDECIDED", "UNDECIDED", "UNDECIDED")),
        ((5.0, 5.2, 0.3), (5.0, 5.1, 0.2), ("UNDECIDED", "UNDECIDED", "UNDECIDED")),
    ],
)
def test_the_claim_on_planted_gaps(made: Any, large: tuple[float, ...], small: tuple[float, ...], expected: tuple[str, ...]) -> None:
    folder = publish(made, dict(zip(MODELS, large, strict=True)), dict(zip(MODELS, small, strict=True)))
    found = decided(folder, 0.01)
    assert tuple(one.verdict.name for one in found.values()) == expected
    assert all(one.evidence is Evidence.LOGGED and one.claim == "zhu2023-large-batch-accuracy" for one in found.values())
    assert found["logs-every-pair"].numbers.measured == pytest.approx(min(large), abs=0.3)
    assert found["logs-gain-with-batch"].numbers.measured == pytest.approx(np.mean(large) - np.mean(small), abs=0.2)


def test_other_optimizers_are_no_dsgd_and_small_batches_no_large_ones(made: Any) -> None:
    folder = publish(made, dict.fromkeys(MODELS, 5.0), {}, prefix="lamb_")
    publish(made, {}, dict.fromkeys(MODELS, 5.0))
    found = decided(folder)
    assert {one.verdict for one in found.values()} == {Verdict.UNDECIDED}
    assert "no pair of plain SGD at a total batch of 4096 or more" in found["logs-every-pair"].reason


def test_without_logs_the_claim_says_where_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GOSSIP_BOUNDS_LOGS", raising=False)
    for folder, words in (
        (None, "github.com/Raiden-Zhu/ICML-2023-DSGD-and-SAM, folder csv_data"),
        (tmp_path / "none", "there is no folder"),
    ):
        found = decided(folder)
        assert {one.verdict for one in found.values()} == {Verdict.UNDECIDED}
        assert all(words in one.reason for one in found.values())
    assert "zhu2023-large-batch-accuracy" in select(["zhu2023"])


def test_a_swapped_sign_is_seen(made: Any) -> None:
    folder = read_folder(publish(made, dict.fromkeys(MODELS, 5.0), {}))
    swapped = [replace(pair, decentralized=pair.centralized, centralized=pair.decentralized) for pair in folder.pairs]
    assert {one.verdict for one in judge_pairs(swapped, SUPPORT)} == {Verdict.VIOLATED}
