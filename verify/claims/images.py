"""Networks on images that the user has: which cases run, and what a report says of a data set that is absent."""

from __future__ import annotations

import numpy as np

from empirical.data.folder import how_to_get, is_present
from empirical.data.sets import DataSet, data_set
from verify.case import Case
from verify.claims.core import Budget
from verify.finding_case import Finding, Heading, TasksCase
from verify.verdict import Verdict

#: A perceptron of 51,000 weights, and a convolutional network of 12,000.
MLP, CNN = "mlp-fashion-mnist:test:1000", "cnn-cifar-10:test:500"
#: Populations for accuracies, which are read off in steps of one image.
LARGE_MLP, LARGE_CNN = "mlp-fashion-mnist:test:2000", "cnn-cifar-10:test:2000"
#: The budgets that have images; a convolutional network takes minutes where a perceptron takes seconds.
_BUDGETS = {"mlp": ("default", "full"), "cnn": ("full",)}
NETWORKS = (MLP, CNN)


def set_of(problem: str) -> DataSet:
    """The data set of a problem on images."""
    return data_set(problem.partition("-")[2].partition(":")[0])


def wanted(budget: Budget, networks: tuple[str, ...] = NETWORKS) -> tuple[str, ...]:
    """Those of ``networks`` that this budget has, whether or not their data are there: none is in a quick report."""
    return tuple(problem for problem in networks if budget.name in _BUDGETS[problem.partition("-")[0]])


def image_problems(budget: Budget, networks: tuple[str, ...] = NETWORKS) -> tuple[str, ...]:
    """Those of ``networks`` that this budget has and whose data are in the folder that the user gave."""
    return tuple(problem for problem in wanted(budget, networks) if is_present(set_of(problem)))


def absent(claim: str, paper: str, statement: str, budget: Budget, networks: tuple[str, ...] = NETWORKS) -> list[Case]:
    """One UNDECIDED case for every data set that this budget would train on and that is absent, called as the set is."""
    names = dict.fromkeys(set_of(problem).name for problem in wanted(budget, networks) if not is_present(set_of(problem)))
    return [
        TasksCase(Heading(claim, name, paper, statement, "atc", "node_average"), (), not_trained, (name,), measured=False) for name in names
    ]


def not_trained(results: tuple[()], level: float, rng: np.random.Generator, name: str) -> Finding:
    """That nothing was trained on the data set ``name``, and how to get it."""
    return Finding(Verdict.UNDECIDED, f"The data set {name} is absent, so that nothing was trained on it; {how_to_get(data_set(name))}.")
