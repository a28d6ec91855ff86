"""Training runs of decentralized learning, and the quantities that theory speaks about measured on them."""

from empirical.configuration import Run
from empirical.device import resolve_device
from empirical.measurement import Measurement
from empirical.measuring import measure, trajectory
from empirical.path_norms import gradient_norms
from empirical.splits import partition

__all__ = ["Measurement", "Run", "gradient_norms", "measure", "partition", "resolve_device", "trajectory"]
