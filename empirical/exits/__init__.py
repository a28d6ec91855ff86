"""Exit times from a basin: walkers in known potentials, runs that leave a minimum, and statistics that know of censoring."""

from empirical.exits.escape import Escape
from empirical.exits.inside import InsideSpread
from empirical.exits.minima import minimum_exits, training_minima
from empirical.exits.pair import Pair
from empirical.exits.passage import Passage, Walk
from empirical.exits.potentials import DoubleWell, Potential, QuadraticBasin
from empirical.exits.rates import LogRank, MeanExit, RateRatio, log_rank, mean_exit_time, rate_ratio
from empirical.exits.survival import ExitTimes, KaplanMeier, RestrictedMean, kaplan_meier
from empirical.exits.times import exit_times

__all__ = [
    "DoubleWell",
    "Escape",
    "ExitTimes",
    "InsideSpread",
    "KaplanMeier",
    "LogRank",
    "MeanExit",
    "Pair",
    "Passage",
    "Potential",
    "QuadraticBasin",
    "RateRatio",
    "RestrictedMean",
    "Walk",
    "exit_times",
    "kaplan_meier",
    "log_rank",
    "mean_exit_time",
    "minimum_exits",
    "rate_ratio",
    "training_minima",
]
