"""The two figures about the verifier's own error rates."""

from __future__ import annotations

import pytest

from bounds.errors import DomainError, UnknownNameError
from figures import CalibrationSummary, FalseAlarmRow, calibration_figure, power_figure
from figures.calibration import wrong_verdict


def test_rates_and_intervals_stand_on_their_rows(calibration: CalibrationSummary) -> None:
    figure = calibration_figure(calibration.false_alarms, calibration.level)
    figure.canvas.draw()
    axes = figure.axes[0]
    nominal, violated, holds = axes.get_lines()[:3]
    assert nominal.get_xdata() == [0.05, 0.05]
    assert violated.get_xydata().tolist() == [[0.052, 0.0], [0.041, 1.0]]
    assert holds.get_xydata().tolist() == [[0.048, 2.0]]
    ends = [segment[:, 0].tolist() for lines in axes.collections for segment in lines.get_segments()]  # type: ignore[attr-defined]
    assert ends == [[row["low"], row["high"]] for row in calibration.false_alarms]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [f"{row['noise']} (2000 trials)" for row in calibration.false_alarms]
    labels = [line.get_label() for line in (nominal, violated, holds)]
    assert labels == ["nominal level 5 %", "false VIOLATED, 95 % interval", "false HOLDS, 95 % interval"]
    assert "wrong verdicts" in axes.get_xlabel()


def test_power_is_drawn_in_the_order_of_the_factors() -> None:
    axes = power_figure([0.9, 0.5], [0.2, 0.8], [0.1, 0.7], [0.3, 0.9]).axes[0]
    assert axes.get_lines()[0].get_xydata().tolist() == [[0.5, 0.8], [0.9, 0.2]]
    segments = axes.collections[0].get_segments()  # type: ignore[attr-defined]
    assert [segment.tolist() for segment in segments] == [[[0.5, 0.7], [0.5, 0.9]], [[0.9, 0.1], [0.9, 0.3]]]
    assert "factor" in axes.get_xlabel()


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(DomainError, match="got 0 false-alarm rows"):
        calibration_figure([], 0.05)
    with pytest.raises(DomainError, match=r"got lengths \[2, 1, 1, 1\]"):
        power_figure([1.0, 2.0], [0.1], [0.0], [0.2])
    with pytest.raises(DomainError):
        power_figure([], [], [], [])


def test_a_wrong_verdict_is_violated_or_holds() -> None:
    row = FalseAlarmRow(noise="a", rate=0.0, low=0.0, high=0.1, trials=9)
    assert wrong_verdict(row) == "VIOLATED"
    with pytest.raises(UnknownNameError, match="unknown wrong verdict 'HOLD'; did you mean 'HOLDS'"):
        wrong_verdict({**row, "verdict": "HOLD"})
