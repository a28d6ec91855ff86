"""Certificates that were tampered with: 200 of them, drawn with a fixed seed, and not one is accepted."""

import copy
import itertools
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bounds
from bounds.checker import check

SEED, COUNT = 20261, 200
#: Together these use every rule but "boxes" over a real range, flags, sections of every kind, and witnesses.
PROVED = [
    ("dsgd_convex", "eta"),
    ("dsgd_convex", "b"),
    ("dsgd_strongly_convex", "mu"),
    ("dsgd_worst_node_convex", "m"),
    ("dsgd_nonconvex_relaxed", "T"),
    ("dsgd_nonconvex_relaxed", "c"),
    ("consensus_distance_consensus", "eta"),
    ("consensus_distance_cta", "convex"),
    ("disagreement_trace_ring", "m"),
    ("l2_stability_atc", "T"),
    ("mgs_stationarity", "gap"),
    ("excess_risk_centralized", "eta"),
]
MIXED = [("lei2020_on_average", "gam"), ("hardt2016_nonconvex", "N")]
REFUTED = [("dsgd_convex", "m", "increasing"), ("dsgd_worst_node_convex", "gap", "increasing"), ("dsgd_convex", "T", "constant")]
Document = dict[str, Any]


def walk(part: Any) -> Iterator[dict[str, Any]]:
    """Every dictionary inside a document, outermost first."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from walk(inner)


def needed(document: Document) -> list[dict[str, Any]]:
    """The cases; none of a bound in which the parameter does not occur, where steps and sections decide nothing."""
    return document["proofs"] if document["direction"] != "constant" else []


def steps(document: Document) -> list[dict[str, Any]]:
    return [part for part in walk(needed(document)) if "rule" in part]


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    found = [bounds.certify(bounds.get(name), parameter) for name, parameter in PROVED + MIXED]
    found += [bounds.certify(bounds.get(name), parameter, direction) for name, parameter, direction in REFUTED]
    return [json.loads(json.dumps(certificate.document(proofs=True))) for certificate in found]


# Each of these changes a document so that it is no valid certificate any more, or gives up (None) where it cannot.


def flip_direction(document: Document, draws: random.Random) -> Document | None:
    turned = {"increasing": "decreasing", "decreasing": "increasing", "mixed": "increasing", "constant": "decreasing"}
    return document | {"direction": turned[document["direction"]]} if document["status"] == "proved" else None


def swap_parameter(document: Document, draws: random.Random) -> Document | None:
    declared = bounds.get(document["bound"]).directions
    others = [name for name, direction in declared.items() if direction.value not in (document["direction"], "mixed", "unknown")]
    others = [name for name in others if "constant" not in (document["direction"], declared[name].value)]
    return document | {"parameter": draws.choice(others)} if others and document["status"] == "proved" else None


def swap_bound(document: Document, draws: random.Random) -> Document:
    mine = bounds.get(document["bound"])
    others = [b.id for b in bounds.entries().values() if set(b.formula.parameters) != set(mine.formula.parameters)]
    return document | {"bound": draws.choice(others)}


def leave_the_domain(document: Document, draws: random.Random) -> Document:
    name = draws.choice(sorted(set(document["box"]) - {"spectrum"}))
    low, high = document["box"][name]
    wider = {"heterogeneity": [low, "inf"]}.get(name, [-1 if low == 0 else -low, high])
    return document | {"box": document["box"] | {name: wider}}


def lose_a_range(document: Document, draws: random.Random) -> Document:
    lost = draws.choice(sorted(document["box"]))
    return document | {"box": {name: ends for name, ends in document["box"].items() if name != lost}}


def remove_a_case(document: Document, draws: random.Random) -> Document | None:
    cases = list(document["proofs"])
    if not cases:
        return None
    cases.pop(draws.randrange(len(cases)))
    return document | {"proofs": cases}


def relabel_a_case(document: Document, draws: random.Random) -> Document | None:
    if not document["proofs"]:
        return None
    case = draws.choice(document["proofs"])
    case |= draws.choice([{"spectrum": "ring 9"}, {"readout": "best_node"}, {"update_form": "push_sum"}, {"given": case["given"][1:]}])
    return document


def flip_a_leaf(document: Document, draws: random.Random) -> Document | None:
    leaves = [(part, side) for part in walk(document["proofs"]) for side in ("low", "high") if part.get(side) == "+"]
    if not leaves:
        return None
    part, side = draws.choice(leaves)
    part[side] = draws.choice(["x", "?", None, 1])
    return document


def move_a_split(document: Document, draws: random.Random) -> Document | None:
    splits = [part for part in walk(document["proofs"]) if "split" in part]
    if not splits:
        return None
    split = draws.choice(splits)
    split["at"] = draws.choice([split["at"] + 0.5, -1.0, 1e9, "4", None])
    return document


def replace_a_rule(document: Document, draws: random.Random) -> Document | None:
    moving = [step for step in steps(document) if step["rule"] != "constant"]
    if not moving:
        return None
    draws.choice(moving)["rule"] = draws.choice(["constant", "trust", "", "ends", "boxes"])
    return document


def empty_the_parts(document: Document, draws: random.Random) -> Document | None:
    with_parts = [step for step in steps(document) if step.get("parts") or step.get("steps")]
    if not with_parts:
        return None
    step = draws.choice(with_parts)
    key = "parts" if "parts" in step else "steps"
    step[key] = draws.choice([[], step[key][1:], step[key] * 2, None])
    return document


def remove_a_section(document: Document, draws: random.Random) -> Document | None:
    cases = [case for case in needed(document) if case["sections"]]
    if not cases:
        return None
    case = draws.choice(cases)
    case["sections"].pop(draws.randrange(len(case["sections"])))
    return document


def turn_a_section(document: Document, draws: random.Random) -> Document | None:
    entries = [entry for case in needed(document) for entry in case["sections"]]
    if not entries:
        return None
    entry = draws.choice(entries)
    key = draws.choice(["way", "assumption", "of"])
    entry[key] = {"way": -entry["way"], "assumption": 99, "of": "neither"}[key]
    return document


def add_a_fact(document: Document, draws: random.Random) -> Document | None:
    symbolic = [step for step in steps(document) if step["rule"] == "symbolic"]
    if not symbolic:
        return None
    names = sorted(name for name in document["box"] if name not in ("spectrum", "rho", "r"))
    draws.choice(symbolic)["facts"].append(draws.choice([draws.sample(names, 2), ["1", "0"], ["log(2)", "log(1/3)"]]))
    return document


def change_a_cut(document: Document, draws: random.Random) -> Document | None:
    through = [step for step in steps(document) if step["rule"] == "through"]
    if not through:
        return None
    step = draws.choice(through)
    key = draws.choice(["cut", "names"])
    step[key][draws.randrange(len(step[key]))] = {"cut": "1 + 2*gap", "names": "beta"}[key]
    return document


def turn_a_way(document: Document, draws: random.Random) -> Document | None:
    ways = [part for part in walk(document["proofs"]) if "way" in part and "assumption" not in part]
    if not ways:
        return None
    draws.choice(ways)["way"] *= -1
    return document


def change_a_value(document: Document, draws: random.Random) -> Document | None:
    if document["witness"] is None:
        return None
    witness = draws.choice([part for part in walk(document["witness"]) if "first_value" in part])
    key = draws.choice(["first_value", "second_value"])
    witness[key] = draws.choice([witness[key] * (1 + 1e-9), witness[key] * 2, 0.0, "1", None])
    return document


def change_a_point(document: Document, draws: random.Random) -> Document | None:
    if document["witness"] is None:
        return None
    witness = draws.choice([part for part in walk(document["witness"]) if "first" in part])
    point = witness[draws.choice(["first", "second"])]
    name = draws.choice(sorted(name for name in point if not isinstance(point[name], list)))
    draws.choice([lambda: point.pop(name), lambda: point.update({name: -1}), lambda: point.update({name: point[name] * 3})])()
    return document


def exchange_the_points(document: Document, draws: random.Random) -> Document | None:
    if document["witness"] is None:
        return None
    witness = document["witness"]
    witness["first"], witness["second"] = witness["second"], witness["first"]
    return document


def leave_the_box(document: Document, draws: random.Random) -> Document | None:
    if document["witness"] is None or not isinstance(document["witness"]["first"][document["parameter"]], int):
        return None
    last = document["witness"]["second"][document["parameter"]]
    return document | {"box": document["box"] | {document["parameter"]: draws.choice([[last, last + 9], [last + 1, last + 9]])}}


def wrong_version(document: Document, draws: random.Random) -> Document:
    return document | {"schema_version": draws.choice([0, 2, "1", None, True, 1.0])}


def lose_a_key(document: Document, draws: random.Random) -> Document:
    lost = draws.choice(["bound", "parameter", "direction", "status", "box", "proofs", "witness", "schema_version"])
    return {key: value for key, value in document.items() if key != lost}


def change_the_status(document: Document, draws: random.Random) -> Document | None:
    turned = {"proved": "refuted", "refuted": "proved"}
    return document | {"status": draws.choice([turned[document["status"]], "undecided", ""])} if document["direction"] != "mixed" else None


def strange_form(document: Document, draws: random.Random) -> Document:
    known = {form.value for form in bounds.get(document["bound"]).update_forms}
    return document | {"update_form": draws.choice(sorted({"atc", "cta", "consensus", "centralized", "gossip"} - known))}


KINDS: list[Callable[[Document, random.Random], Document | None]] = [
    flip_direction, swap_parameter, swap_bound, leave_the_domain, lose_a_range, remove_a_case, relabel_a_case, flip_a_leaf, move_a_split,
    replace_a_rule, empty_the_parts, remove_a_section, turn_a_section, add_a_fact, change_a_cut, turn_a_way, change_a_value, change_a_point,
    exchange_the_points, leave_the_box, wrong_version, lose_a_key, change_the_status, strange_form,
]  # fmt: skip


def pasted(documents: list[Document], draws: random.Random) -> Document | None:
    """A document with the proofs of another direction of another bound."""
    first, second = draws.sample([document for document in documents if document["proofs"]], 2)
    return None if first["bound"] == second["bound"] else first | {"proofs": second["proofs"]}


def tampered(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    draws, seen = random.Random(SEED), set()
    while True:
        for kind in [*KINDS, None]:
            for _ in range(60):
                document = copy.deepcopy(draws.choice(documents))
                changed = pasted(documents, draws) if kind is None else kind(document, draws)
                text = json.dumps(changed, sort_keys=True)
                if changed is not None and text not in seen:
                    seen.add(text)
                    yield kind.__name__ if kind else "pasted", changed
                    break


def test_untouched_certificates_are_accepted(documents: list[Document]) -> None:
    for document in documents:
        found = check(document)
        assert found.accepted, found.reason
        # What is no part of the claim may change.
        assert check(document | {"seconds": 1e9, "boxes": 0, "engine": "by hand"}).accepted


def test_two_hundred_tampered_certificates_are_rejected(documents: list[Document]) -> None:
    kinds = set()
    for kind, document in itertools.islice(tampered(documents), COUNT):
        found = check(document)
        assert not found.accepted, (kind, document["bound"], document.get("parameter"))
        assert found.reason.startswith("not confirmed: ")
        assert "\n" not in found.reason
        kinds.add(kind)
    assert kinds == {kind.__name__ for kind in KINDS} | {"pasted"}


@pytest.mark.parametrize("odd", [None, [], {}, "x", 7, [7], {"rule": []}, [["eta"]]])
def test_odd_things_in_any_place_are_rejected(documents: list[Document], odd: Any) -> None:
    for key in ("bound", "parameter", "direction", "status", "box", "proofs", "schema_version"):
        assert not check(documents[0] | {key: odd}).accepted
    for key in ("rule", "facts", "parts"):
        document = copy.deepcopy(documents[3])
        changed = [step for step in steps(document) if key in step]
        for step in changed:
            step[key] = odd
        assert not changed or key == "facts" or not check(document).accepted


def test_files_that_are_no_certificates(documents: list[Document], tmp_path: Path) -> None:
    file, text = tmp_path / "c.json", json.dumps(documents[0])
    file.write_text(text)
    assert check(file).accepted
    for wrong in (text[: len(text) // 2], "", "[]", "null", text.replace("1", "NaN", 1), text + text):
        file.write_text(wrong)
        assert not check(file).accepted
    file.write_bytes(b"\xff\xfe")
    assert not check(file).accepted
    assert not check(tmp_path / "missing.json").accepted
