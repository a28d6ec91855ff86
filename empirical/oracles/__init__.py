"""Exact expectations without sampling error: moment recursions of affine gradients, and enumeration of tiny runs."""

from empirical.oracles.engine import affine_gradients, engine_step, method_of
from empirical.oracles.enumeration import outcomes
from empirical.oracles.gradients import Gradients, Objective, Quadratic
from empirical.oracles.method import Method
from empirical.oracles.moments import Moments, State
from empirical.oracles.recursion import evolve, steady_state
from empirical.oracles.sampled import SampledGradients, least_squares
from empirical.oracles.twins import TwinState, evolve_twins, l2_stability, steady_twins

__all__ = [
    "Gradients",
    "Method",
    "Moments",
    "Objective",
    "Quadratic",
    "SampledGradients",
    "State",
    "TwinState",
    "affine_gradients",
    "engine_step",
    "evolve",
    "evolve_twins",
    "l2_stability",
    "least_squares",
    "method_of",
    "outcomes",
    "steady_state",
    "steady_twins",
]
