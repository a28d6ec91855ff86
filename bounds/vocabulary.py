"""The fixed words of the toolkit: update forms, readouts, quantities, kinds, and how people read them."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from bounds.errors import unknown_name


class _Word(StrEnum):
    """A string enum whose members also carry the words shown to people."""

    label: str

    def __new__(cls, value: str, label: str) -> _Word:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class UpdateForm(_Word):
    """How a step combines gossip with the stochastic gradient (W^Q is Q gossip steps)."""

    CENTRALIZED = "centralized", "centralized mini-batch SGD"
    ATC = "atc", "adapt-then-combine: X <- W^Q (X - eta G(X))"
    CTA = "cta", "combine-then-adapt: Y = W^Q X; X <- Y - eta G(Y)"
    CONSENSUS = "consensus", "consensus form: X <- W^Q X - eta G(X)"


class Readout(_Word):
    """Which model of the network a quantity is read from."""

    NODE_AVERAGE = "node_average", "node average (mean over nodes of the quantity)"
    NETWORK_MEAN = "network_mean", "network mean (quantity of the averaged model)"
    GRADIENT_POINT = "gradient_point", "gradient point (mean over the models where gradients are evaluated)"
    WORST_NODE = "worst_node", "worst node (largest expectation over the nodes)"


class Quantity(_Word):
    """What a bound bounds or a run measures."""

    GENERALIZATION_ERROR = "generalization_error", "generalization error"
    L1_STABILITY = "l1_stability", "l1 on-average stability"
    L2_STABILITY = "l2_stability", "squared l2 on-average stability"
    EXCESS_RISK = "excess_risk", "excess risk"
    CONSENSUS_DISTANCE = "consensus_distance", "consensus distance (mean square)"
    GRADIENT_NORM = "gradient_norm", "squared gradient norm"
    EXIT_TIME = "exit_time", "exit time"
    STEP_LIMIT = "step_limit", "step limit"
    GOSSIP_STEPS = "gossip_steps", "gossip steps"
    OTHER = "other", "other"


class Kind(_Word):
    """How a formula relates to the quantity it speaks about."""

    UPPER = "upper", "proved upper bound"
    EXACT = "exact", "equality under its assumptions"
    LEADING = "leading", "leading order only; never used alone for a verdict"
    STATED = "stated", "a paper's shape, reconstructed; never decides a verdict about a run"
    SOLUTION = "solution", "a parameter value that meets a target"


class Direction(_Word):
    """How a bound moves with one of its parameters (never strict)."""

    INCREASING = "increasing", "increasing"
    DECREASING = "decreasing", "decreasing"
    CONSTANT = "constant", "constant"
    MIXED = "mixed", "not monotone"
    UNKNOWN = "unknown", "not declared"


_W = TypeVar("_W", bound=_Word)


def word(kind: type[_W], value: str) -> _W:
    """Look up a member of one of the enums above by value.

    Raises:
        UnknownNameError: when the vocabulary has no such word.
    """
    members = _members(kind)
    if value not in members:
        spelled = "update form" if kind is UpdateForm else kind.__name__.lower()
        raise unknown_name(spelled, value, members)
    found: _W = members[value]
    return found


@cache
def _members(kind: type[_Word]) -> dict[str, Any]:
    return {member.value: member for member in kind}
