"""False alarms of the whole verdict path where theory is exactly tight: the share of trials that end in a wrong word.

A cell is a noise law, a number of replicates and one of points. Its curve is that of a real setting (linear loss, antithetic twins), on which
l1_stability_convex is an equality; the assumptions are checked and the bound is evaluated as for any case, and every trial is judged. The
noise around the exact curve is synthetic, so that its law can be chosen; cells of training runs have the noise that runs have.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.errors import DomainError
from bounds.setting import Setting
from bounds.vocabulary import Quantity, Readout
from empirical import Measurement, measure
from empirical.streams import stream
from verify.audit.results import LEVEL, TRAINING, Cell
from verify.self_check import tight_run
from verify.statistics import KINDS, MIN_REPLICATES, max_t_bands, rate, sampler, verdict_rates_of
from verify.verdict import Verdict

REPLICATES = (10, 20, 50, 100, 200)
_RESAMPLES = 499
_BOUND = "l1_stability_convex"
_FAR = 1e6
_ASKED = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
_RUNS = (20, 50)
_TOO_FEW = 5
_STEPS = (3, 6, 9, 12, 15, 18, 21, 24, 28, 32, 36, 40)
Curve = NDArray[np.float64]


def tight_settings() -> list[Setting]:
    """Settings along a curve on which the bound is attained, read off a run."""
    return [one.setting for one in _read(1, 2, 0)]


def _read(trials: int, replicates: int, seed: int) -> list[Measurement]:
    return measure(dataclasses.replace(tight_run(trials, replicates, seed), checkpoints=_STEPS), [_ASKED], device="cpu")


@cache
def tight_curve() -> tuple[float, ...]:
    """The bound along the settings.

    Raises:
        DomainError: when an assumption fails there, so that nothing may be compared.
    """
    bound, settings = bounds.get(_BOUND), tight_settings()
    for setting in settings:
        if unmet := bound.supports(setting):
            raise DomainError(f"got an assumption of {_BOUND} that fails on the audit's own problem: {'; '.join(unmet)}; mend the problem")
    return tuple(bound.at(setting) for setting in settings)


def cell(noise: str, replicates: int, points: int, trials: int, seed: int) -> Cell:
    """One cell of the table, on the last ``points`` of the curve; its stream is fixed by everything but the trials.

    Raises:
        UnknownNameError, DomainError: as :func:`verify.statistics.verdict_rates`.
    """
    truth = np.array(tight_curve())[-points:]
    rng = stream(seed, f"audit {noise} {replicates} {points}", 0)
    if noise == TRAINING:
        found = _read(trials, replicates, seed + replicates)
        values = np.stack([one.values for one in found], axis=-1).reshape(trials, replicates, len(found))[..., -points:]
    else:
        values = sampler(noise)(truth, trials, replicates, rng)
    return judged(noise, values, truth, rng)


def judged(noise: str, values: NDArray[np.float64], truth: Curve, rng: np.random.Generator) -> Cell:
    """The wrong verdicts over ``values`` (trials, replicates, points) of mean ``truth`` (points,)."""
    trials, replicates, points = values.shape
    lone = truth + np.where(np.arange(points) == 0, 0.0, _FAR)
    if replicates < MIN_REPLICATES:
        bands = max_t_bands(values, LEVEL, _RESAMPLES, rng)
        violated, holds = (sum(words) for words in zip(*(((b.low > truth).any(), (b.high <= lone).all()) for b in bands), strict=True))
        return Cell(noise, replicates, points, rate(int(violated), trials), rate(int(holds), trials))
    equal, above = verdict_rates_of(values, [truth, lone], LEVEL, _RESAMPLES, rng)
    return Cell(noise, replicates, points, equal[Verdict.VIOLATED], above[Verdict.HOLDS])


def cells() -> list[tuple[str, int, int]]:
    """Every law with every number of replicates and of points, one too few for any verdict included; and the training runs."""
    synthetic = product(KINDS, (_TOO_FEW, *REPLICATES), (1, len(_STEPS)))
    return [*synthetic, *((TRAINING, count, len(_STEPS)) for count in _RUNS)]
