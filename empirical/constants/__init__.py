"""L, beta, M, sigma2 and zeta2 of a user's own model and data: proved where the class is recognised, estimated otherwise."""

from empirical.constants.data import NodeData, load_arrays
from empirical.constants.estimate import Estimate, estimate_constants
from empirical.constants.met import constants_met
from empirical.constants.recognise import recognise

__all__ = ["Estimate", "NodeData", "constants_met", "estimate_constants", "load_arrays", "recognise"]
