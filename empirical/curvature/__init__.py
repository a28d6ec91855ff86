"""Curvature of mean losses: Hessian-vector products, the top eigenvalue, traces, at a named readout of a network."""

from empirical.curvature.lanczos import Eigenpair, top_eigenvalue
from empirical.curvature.minimum import descend
from empirical.curvature.objective import Objective, module_objective, module_weights, problem_objective
from empirical.curvature.products import gradient, hessian_vector
from empirical.curvature.report import Curvature, curvature
from empirical.curvature.traces import Estimated, hessian_spread, hessian_trace
from empirical.viewpoint import Viewpoint

__all__ = [
    "Curvature",
    "Eigenpair",
    "Estimated",
    "Objective",
    "Viewpoint",
    "curvature",
    "descend",
    "gradient",
    "hessian_spread",
    "hessian_trace",
    "hessian_vector",
    "module_objective",
    "module_weights",
    "problem_objective",
    "top_eigenvalue",
]
