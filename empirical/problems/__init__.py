"""Training problems: losses, gradients and proved constants, one file each."""

from empirical.problems.registry import PROBLEMS, problem, register

__all__ = ["PROBLEMS", "problem", "register"]
