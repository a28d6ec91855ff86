"""Results in, pictures and the report page out. Computes nothing."""

from __future__ import annotations

from figures.calibration import CalibrationSummary, FalseAlarmRow, PowerRow, calibration_figure, power_figure
from figures.measured import bound_against_measured, case_figure
from figures.parameter import MeasuredSeries, Series, bound_over_parameter
from figures.regions import region_figure
from figures.report import write_figures, write_report
from figures.scatter import scatter_figure
from figures.style import save, to_png_base64, to_svg_text
from figures.words import alt_text, caption

__all__ = [
    "CalibrationSummary",
    "FalseAlarmRow",
    "MeasuredSeries",
    "PowerRow",
    "Series",
    "alt_text",
    "bound_against_measured",
    "bound_over_parameter",
    "calibration_figure",
    "caption",
    "case_figure",
    "power_figure",
    "region_figure",
    "save",
    "scatter_figure",
    "to_png_base64",
    "to_svg_text",
    "write_figures",
    "write_report",
]
