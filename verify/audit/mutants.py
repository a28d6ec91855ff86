"""Every planted error held against exact values, contracts and proofs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache, partial

import bounds
from bounds.bound import Bound
from bounds.box import Point, default_box
from bounds.certificates import refutation
from bounds.errors import GossipBoundsError
from bounds.expression import PrecisionError
from bounds.sampling import Sampler
from bounds.symbols import rank_of
from bounds.vocabulary import Direction
from verify.audit import moments, others, spreads, stabilities, training_losses
from verify.audit.contracts import broken, has_equality_test, moves
from verify.audit.results import Catcher, Class, Mutant
from verify.audit.rules import Planted, planted
from verify.audit.witness import Witness
from verify.verdict import Verdict

_CHAINS = 2
_MONOTONE = (Direction.INCREASING, Direction.DECREASING, Direction.CONSTANT)


_CONSENSUS = ("consensus_distance_atc", "consensus_distance_cta", "consensus_distance_consensus")
#: Who makes the exact problems of which bounds.
_MAKERS: tuple[tuple[tuple[str, ...], Callable[[], list[Witness]]], ...] = (
    *(((name,), partial(spreads.consensus_distances, name.removeprefix("consensus_distance_"))) for name in _CONSENSUS),
    (("disagreement_trace",), spreads.disagreements),
    (("disagreement_trace_ring",), spreads.ring_disagreements),
    (("l1_stability_convex", "l1_stability_strongly_convex", "l1_stability_nonconvex"), stabilities.l1_stabilities),
    (("l1_stability_nonconvex",), stabilities.late_stabilities),
    (("dsgd_worst_node_convex", "dsgd_worst_node_convex_consensus"), stabilities.worst_nodes),
    (("l2_stability_atc", "l2_stability_atc_gap"), stabilities.l2_stabilities),
    (("hardt2016_convex", "hardt2016_strongly_convex", "dsgd_convex", "dsgd_strongly_convex"), stabilities.generalization_errors),
    (tuple(f"excess_risk_{form}" for form in ("centralized", "atc", "cta", "consensus")), moments.excess_risks),
    (("excess_gap_consensus_atc", "excess_gap_consensus_cta"), moments.excess_gaps),
    ((*(f"step_limit_{form}" for form in ("centralized", "atc", "cta", "consensus")), "edge_of_stability"), moments.step_limits),
    (("mgs_stationarity", "mgs_pl", "mgs_convex", "mgs_excess_convex"), training_losses.constant_steps),
    (("mgs_excess_pl",), training_losses.falling_steps),
    (("lei2020_on_average",), others.one_sample),
    (("mgs_gossip_needed",), others.gossip_steps),
    (("exit_time_centralized", "exit_time_ratio"), others.exits),
    (("smoothing_lipschitz", "sam_residual"), others.smoothings),
)


@cache
def witnesses(bound_id: str) -> tuple[Witness, ...]:
    """Every exact problem of a bound."""
    made = [one for bound_ids, make in _MAKERS if bound_id in bound_ids for one in _made(make)]
    return tuple(one for one in made if one.bound_id == bound_id)


@cache
def _made(make: Callable[[], list[Witness]]) -> tuple[Witness, ...]:
    return tuple(make())


def caught(bound: Bound, original: Bound) -> tuple[Catcher, str]:
    """What catches a changed bound first: a verdict on exact values, a contract, or a certified counterexample to a declared direction."""
    known = witnesses(original.id)
    for one in known:
        if one.verdict(bound) is Verdict.VIOLATED:
            return "verdict", one.name
    if found := broken(bound, original):
        return "contract", found
    for one in known:
        if one.loose(bound):
            return "contract", f"attained by {one.name}"
    parameter = _wrong_direction(bound)
    return ("proof", f"its direction in {parameter} is refuted") if parameter else ("missed", "")


def _wrong_direction(bound: Bound) -> str:
    """The first parameter in which two points where the original applies contradict the declared direction, certified; else empty."""
    for form, parameter, chain in _chains(bound.id):
        try:
            pairs = itertools.pairwise(chain)
            if any(refutation(bound, bound.directions[parameter], first, second, form) for first, second in pairs):
                return parameter
        except (PrecisionError, GossipBoundsError, ArithmeticError, ValueError):
            continue
    return ""


@cache
def _chains(bound_id: str) -> list[tuple[str, str, list[Point]]]:
    """Update form, parameter, and admissible points that differ in this parameter alone, in ascending order of it."""
    bound, found = bounds.get(bound_id), []
    for (parameter, direction), form in itertools.product(bound.directions.items(), bound.update_forms):
        if direction in _MONOTONE and not rank_of(parameter):
            sampler = Sampler(bound, parameter, default_box(bound), form.value, 0)
            found += [(form.value, parameter, chain) for chain in filter(None, (sampler.random_chain() for _ in range(_CHAINS)))]
    return found


def judged(one: Planted, original: Bound, kind: Class | None = None) -> Mutant | None:
    """The planted error with what caught it; None where it changes nothing, or has no value anywhere."""
    signs = set(moves(one.bound, original))
    if not signs - {0}:
        return None
    chosen: Class = kind or ("tightening" if -1 in signs else "loosening")
    catcher, how = caught(one.bound, original)
    counts = chosen != "loosening" or has_equality(original)
    return Mutant(one.name, original.id, one.rule, chosen, catcher, how, counts)


def has_equality(bound: Bound) -> bool:
    """Whether some test of the bound asks for equality."""
    return has_equality_test(bound) or any(one.relation != "dominates" for one in witnesses(bound.id))


def mutants_of(bound_id: str) -> list[Mutant]:
    """Every error that the rules plant in one bound, judged."""
    original = bounds.get(bound_id)
    return [found for one in planted(original) if (found := judged(one, original)) is not None]
