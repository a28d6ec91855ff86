"""What the tests of ``measure`` share, on one machine and on a cluster."""

import pytest


@pytest.fixture
def sweep_text() -> str:
    """Four configurations that take a moment each."""
    return """
[run]
problem = "linear"
update_form = "atc"
n = 4
T = 12
eta = 0.1
replicates = 3
twins = 2
checkpoints = [6, 12]

[sweep]
m = [4, 5]
topology = ["ring", "complete"]

[measure]
quantities = [["l1_stability", "node_average"], ["generalization_error", "worst_node"]]
"""
