"""Statistics of verdicts: simultaneous bands, judgements against a bound or a margin, and the calibration of both."""

from __future__ import annotations

from verify.statistics.bands import Band, max_t_band, max_t_bands, resamples_for
from verify.statistics.calibration import (
    CalibrationRow,
    PowerPoint,
    Rate,
    calibration_table,
    false_alarm,
    power,
    power_curve,
    rate,
    verdict_rates,
    verdict_rates_of,
)
from verify.statistics.comparison import RatioJudgement, decay_test, exponent_verdict, grouped, grouped_band, ratio_test, slower_or_equal
from verify.statistics.contrast import Contrast, contrast
from verify.statistics.decision import MIN_REPLICATES, POWER, Judgement
from verify.statistics.judge import equivalent, judge, split_level
from verify.statistics.noise import KINDS, Sampler, decaying_curve, sampler, standard_noise
from verify.statistics.slopes import SlopeCalibrationRow, SlopeJudgement, slope_calibration, slope_test
from verify.statistics.trends import Trend, TrendCalibrationRow, blocked, trend_calibration, trend_test

__all__ = [
    "KINDS",
    "MIN_REPLICATES",
    "POWER",
    "Band",
    "CalibrationRow",
    "Contrast",
    "Judgement",
    "PowerPoint",
    "Rate",
    "RatioJudgement",
    "Sampler",
    "SlopeCalibrationRow",
    "SlopeJudgement",
    "Trend",
    "TrendCalibrationRow",
    "blocked",
    "calibration_table",
    "contrast",
    "decay_test",
    "decaying_curve",
    "equivalent",
    "exponent_verdict",
    "false_alarm",
    "grouped",
    "grouped_band",
    "judge",
    "max_t_band",
    "max_t_bands",
    "power",
    "power_curve",
    "rate",
    "ratio_test",
    "resamples_for",
    "sampler",
    "slope_calibration",
    "slope_test",
    "slower_or_equal",
    "split_level",
    "standard_noise",
    "trend_calibration",
    "trend_test",
    "verdict_rates",
    "verdict_rates_of",
]
