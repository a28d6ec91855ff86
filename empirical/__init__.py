"""Training runs of decentralized learning, and the quantities that theory speaks about measured on them."""

from empirical.configuration import Run
from empirical.device import resolve_device
from empirical.measurement import Measurement
from empirical.measuring import measure, trajectory

__all__ = ["Measurement", "Run", "measure", "resolve_device", "trajectory"]
