"""Solving a bound for one of its parameters: the value that meets a target, enclosed and certified."""

from bounds.calibration.answer import Calibration
from bounds.calibration.graphs import GossipSteps, gossip_table
from bounds.calibration.solve import calibrate, solve

__all__ = ["Calibration", "GossipSteps", "calibrate", "gossip_table", "solve"]
