"""Results in, pictures and the report page out. Computes nothing."""

from __future__ import annotations

from figures.calibration import CalibrationSummary, FalseAlarmRow, PowerRow, calibration_figure, power_figure
from figures.cells import Cells, cells_figure
from figures.crossover import crossover_figure
from figures.directions import certificates_figure
from figures.gossip import gossip_steps_figure
from figures.learning_curves import Line, Panel, learning_curves
from figures.maps import ValueMap, value_map
from figures.measured import bound_against_measured, case_figure
from figures.networks import topology_figure
from figures.parameter import MeasuredSeries, Series, bound_over_parameter
from figures.regions import region_figure
from figures.report import write_figures, write_report
from figures.scatter import scatter_figure
from figures.style import save, to_png_base64, to_svg_text
from figures.tightness import tightness_figure
from figures.words import alt_text, caption

__all__ = [
    "CalibrationSummary",
    "Cells",
    "FalseAlarmRow",
    "Line",
    "MeasuredSeries",
    "Panel",
    "PowerRow",
    "Series",
    "ValueMap",
    "alt_text",
    "bound_against_measured",
    "bound_over_parameter",
    "calibration_figure",
    "caption",
    "case_figure",
    "cells_figure",
    "certificates_figure",
    "crossover_figure",
    "gossip_steps_figure",
    "learning_curves",
    "power_figure",
    "region_figure",
    "save",
    "scatter_figure",
    "tightness_figure",
    "to_png_base64",
    "to_svg_text",
    "topology_figure",
    "value_map",
    "write_figures",
    "write_report",
]
