"""Mistakes that people make in formulas, in labels, in runs and in readings, each planted and then put through the ordinary tests."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import bounds
from bounds.expression.tree import Name, Number, Power, walk
from verify.audit.contracts import Place
from verify.audit.mutants import judged, witnesses
from verify.audit.results import Mutant
from verify.audit.rules import Change, Planted, rewritten, values
from verify.audit.witness import Witness
from verify.audit.wrong_runs import wrong_runs
from verify.verdict import Verdict

#: A labelled exact value with the mistake in it; None where the mistake changes nothing there.
Slip = Callable[[Place, float], tuple[Place, float] | None]
_SPREADS = ("consensus_distance_atc", "consensus_distance_cta", "consensus_distance_consensus")
_DECENTRALIZED = ("atc", "cta", "consensus")


@dataclass(frozen=True, slots=True)
class _Labelling:
    """A mistake in what is written beside a right value, with the bounds that it is tried on."""

    name: str
    bound_ids: tuple[str, ...]
    slip: Slip


def mistakes() -> list[Mutant]:
    """Every named mistake, judged."""
    return [*_formulas(), *_labels(), *_forms(), *_readouts(), *wrong_runs()]


def _formulas() -> Iterator[Mutant]:
    square = Power(Name("eta"), Number(Fraction(2)))
    for bound in bounds.entries().values():
        if any(node == square for tree in values(bound) for node in walk(tree)):
            change = Change(node=square, other=Name("eta"))
            found = judged(Planted(rewritten(bound, change), "eta for eta squared", ""), bound, "mistake")
            if found is not None:
                yield found


def _labels() -> Iterator[Mutant]:
    for mistake in _LABELLINGS:
        for bound_id in mistake.bound_ids:
            yield relabelled(mistake.name, bound_id, _known(bound_id), mistake.slip)


def _known(bound_id: str) -> Witness:
    return witnesses(bound_id)[0]


def relabelled(name: str, bound_id: str, known: Witness, slip: Slip) -> Mutant:
    """The verdict on ``bound_id`` when every exact value of ``known`` is read or labelled with the mistake."""
    wrong = [found for pair in zip(known.places, known.truths, strict=True) if (found := slip(*pair)) is not None]
    assert wrong, f"{name} changes nothing in {known.name} of {bound_id}"
    places, truths = zip(*wrong, strict=True)
    verdict = replace(known, bound_id=bound_id, places=tuple(places), truths=tuple(truths)).verdict(bounds.get(bound_id))
    caught = verdict is Verdict.VIOLATED
    return Mutant(f"{bound_id}: {name}", bound_id, name, "mistake", "verdict" if caught else "missed", known.name if caught else "")


def _forms() -> Iterator[Mutant]:
    """A run of one update form held against the theory of another."""
    for ran in _DECENTRALIZED:
        for called in _DECENTRALIZED:
            if ran == called:
                continue
            name = f"{ran} run called {called}"
            yield relabelled(name, "disagreement_trace", _known("disagreement_trace"), _called(ran, called))
            yield relabelled(name, f"excess_risk_{called}", _known(f"excess_risk_{ran}"), _called(ran, called))
        if ran != "atc":
            yield relabelled(f"{ran} run called atc", "consensus_distance_atc", _known(f"consensus_distance_{ran}"), _called(ran, "atc"))
    yield relabelled("centralized run called atc", "excess_risk_atc", _known("excess_risk_centralized"), _called("centralized", "atc"))


def _called(ran: str, called: str) -> Slip:
    def slip(place: Place, truth: float) -> tuple[Place, float] | None:
        return (replace(place, form=called), truth) if place.form == ran and place.readout == "node_average" else None

    return slip


def _readouts() -> Iterator[Mutant]:
    """The value at one readout held against the theory of another one."""
    pairs = (("network_mean", "node_average"), ("node_average", "network_mean"))
    for form in _DECENTRALIZED:
        known = _known(f"excess_risk_{form}")
        more = (("node_average", "gradient_point"), ("gradient_point", "node_average")) if form == "cta" else ()
        for read, called in (*pairs, *more):
            yield relabelled(f"{read} called {called}", f"excess_risk_{form}", known, _read(read, called))
    known = _known("disagreement_trace")
    ctas = replace(known, **dict(zip(("places", "truths"), _only(known, "cta"), strict=True)))  # type: ignore[arg-type]
    for read, called in (("node_average", "gradient_point"), ("gradient_point", "node_average")):
        yield relabelled(f"{read} called {called}", "disagreement_trace", ctas, _read(read, called))


def _only(known: Witness, form: str) -> tuple[tuple[Place, ...], tuple[float, ...]]:
    places, truths = zip(*((p, t) for p, t in zip(known.places, known.truths, strict=True) if p.form == form), strict=True)
    return tuple(places), tuple(truths)


def _read(read: str, called: str) -> Slip:
    def slip(place: Place, truth: float) -> tuple[Place, float] | None:
        return (replace(place, readout=called), truth) if place.readout == read else None

    return slip


def _changed(change: Callable[[Mapping[str, float]], dict[str, object] | None]) -> Slip:
    """Other parameters than those of the run; None where they are the same."""

    def slip(place: Place, truth: float) -> tuple[Place, float] | None:
        wrong = change(place.point)
        return None if wrong is None else (replace(place, point={**place.point, **wrong}), truth)

    return slip


def _batched(name: str) -> Slip:
    def change(point: Mapping[str, Any]) -> dict[str, object] | None:
        if point.get("b", 1) == 1:
            return None
        value = point[name]
        return {name: [entry / point["b"] for entry in value] if isinstance(value, list) else value / point["b"]}

    return _changed(change)


def _mixed_twice(point: Mapping[str, float]) -> dict[str, object] | None:
    return {"gap": 1 - (1 - point["gap"]) ** point["Q"]} if point["Q"] > 1 else None


def _fewer_steps(point: Mapping[str, float]) -> dict[str, object] | None:
    return {"T": point["T"] - 1} if point.get("T", 1) > 1 else None


_SUMMED = ("l1_stability_convex", "l1_stability_strongly_convex", "l1_stability_nonconvex")
_LABELLINGS = (
    _Labelling("per-step for per-sample variance", (*_SPREADS, "disagreement_trace", "disagreement_trace_ring"), _batched("sigma2")),
    _Labelling(
        "per-step for per-sample variance",
        tuple(f"excess_risk_{form}" for form in ("centralized", *_DECENTRALIZED)),
        _batched("r"),
    ),
    _Labelling(
        "one gossip step more than ran",
        (*_SPREADS, "disagreement_trace", "excess_risk_atc", "l2_stability_atc_gap", "dsgd_worst_node_convex"),
        _changed(lambda point: {"Q": point["Q"] + 1}),
    ),
    _Labelling(
        "gap of W^Q given with Q", (*_SPREADS, "dsgd_worst_node_convex", "dsgd_worst_node_convex_consensus"), _changed(_mixed_twice)
    ),
    _Labelling(
        "divided by m - 1 for m",
        (*_SPREADS, "disagreement_trace_ring"),
        lambda place, truth: (place, truth * place.point["m"] / (place.point["m"] - 1)),
    ),
    _Labelling(
        "root of the mean square",
        (*_SPREADS, "l2_stability_atc", "l2_stability_atc_gap"),
        lambda place, truth: (place, math.sqrt(truth)),
    ),
    _Labelling("all samples for those of one node", (*_SUMMED, "dsgd_convex"), _changed(lambda point: {"n": point["n"] * point["m"]})),
    _Labelling("steps counted from 0", (*_SUMMED, "l2_stability_atc", "dsgd_worst_node_convex"), _changed(_fewer_steps)),
    _Labelling("steps c/t called c/(t+1)", ("l1_stability_nonconvex",), _changed(lambda point: {"tau": point.get("tau", 0) + 1})),
    _Labelling(
        "step of the schedule halved in the label", (*_SPREADS, "l1_stability_convex"), _changed(lambda point: {"eta": point["eta"] / 2})
    ),
)
