"""The toolkit's own calibration: its verdict path on a training problem where theory is exactly tight, and on synthetic noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import bounds
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical import Run, measure
from empirical.streams import stream
from verify.plan import Task
from verify.statistics import (
    CalibrationRow,
    PowerPoint,
    Rate,
    SlopeCalibrationRow,
    calibration_table,
    power_curve,
    slope_calibration,
    verdict_rates,
)
from verify.verdict import Verdict

LEVEL = 0.05
FACTORS = (1.0, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.5)
_RESAMPLES = 999
_CHECKPOINTS = (5, 10, 20, 40)


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """How often the verdict is wrong where the truth is known.

    ``tight_*`` come from training runs on a linear loss with antithetic twins, where l1_stability_convex is an equality;
    ``power`` multiplies that bound by factors below 1; ``noise`` are synthetic curves at equality; ``slopes`` are synthetic
    power laws whose exponent lies on the margin of the slope test.
    """

    level: float
    trials: int
    replicates: int
    tight_violated: Rate
    tight_holds: Rate
    power: tuple[PowerPoint, ...]
    noise: tuple[CalibrationRow, ...]
    slopes: tuple[SlopeCalibrationRow, ...]


def self_check_task(quick: bool, seed: int) -> Task:
    """The calibration as a task; a quick one has fewer trials and so wider intervals."""
    return Task(run_self_check, (200 if quick else 400, 40, seed), cost=1e9)


def tight_run(trials: int, replicates: int, seed: int) -> Run:
    """The linear-loss run behind the calibration: ``trials`` times ``replicates`` independent replicates."""
    return Run(
        problem="linear",
        update_form=UpdateForm.ATC,
        m=4,
        n=8,
        T=max(_CHECKPOINTS),
        eta=0.1,
        checkpoints=_CHECKPOINTS,
        replicates=trials * replicates,
        twins=1,
        seed=seed,
    )


def run_self_check(trials: int, replicates: int, seed: int) -> SelfCheck:
    """Measure false alarms and power of the whole path: engine, measurement, bound and judge."""
    found = measure(tight_run(trials, replicates, seed), [(Quantity.L1_STABILITY, Readout.NODE_AVERAGE)], device="cpu")
    values = np.stack([one.values for one in found], axis=-1).reshape(trials, replicates, len(found))
    bound = bounds.get("l1_stability_convex")
    truth = np.array([bound.at(one.setting) for one in found])
    rng = stream(seed, "self check", 0)
    rates = verdict_rates(values, truth, LEVEL, _RESAMPLES, rng)
    return SelfCheck(
        level=LEVEL,
        trials=trials,
        replicates=replicates,
        tight_violated=rates[Verdict.VIOLATED],
        tight_holds=rates[Verdict.HOLDS],
        power=power_curve(values, truth, FACTORS, LEVEL, _RESAMPLES, rng),
        noise=calibration_table(trials, (40,), LEVEL, _RESAMPLES, seed),
        slopes=slope_calibration(trials, 40, LEVEL, _RESAMPLES, seed),
    )
