"""The check of a saved certificate: accepted, or not confirmed with one reason."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flint import ctx

from bounds.bound import Bound
from bounds.box import check_box
from bounds.checker.claims import Claim, Label
from bounds.checker.scope import UnconfirmedError
from bounds.checker.trees import Trees
from bounds.checker.witnesses import check_witness
from bounds.errors import ExpressionError, GossipBoundsError, PrecisionError
from bounds.registry import get
from bounds.vocabulary import Direction, UpdateForm, word

_SCHEMA = 1
_BITS = 80
_NEEDED = ("bound", "parameter", "direction", "status", "box", "engine", "boxes", "seconds", "proofs", "witness", "update_form")


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a certificate was confirmed; ``reason`` says what stands, or in one line what could not be confirmed."""

    accepted: bool
    reason: str


def check(source: str | Path | Mapping[str, Any], bound: Bound | None = None) -> Finding:
    """Check a certificate, given as a file or as its JSON document, by arithmetic and rules that share nothing with the prover's.

    Args:
        bound: the bound it speaks about; the one of that id in the catalogue (or added to it) when left out.
    """
    saved = ctx.prec
    ctx.prec = _BITS
    try:
        return Finding(True, _confirmed(_document(source), bound))
    except UnconfirmedError as problem:
        return Finding(False, f"not confirmed: {problem}")
    except (PrecisionError, ExpressionError, GossipBoundsError) as problem:
        return Finding(False, f"not confirmed: {problem}")
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as problem:
        # A document may hold anything anywhere; nothing of it is accepted then.
        return Finding(False, f"not confirmed: a part of the document is not what it should be ({type(problem).__name__})")
    except RecursionError:
        return Finding(False, "not confirmed: the proof is nested too deep")
    finally:
        ctx.prec = saved


def _document(source: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    try:
        document = json.loads(Path(source).read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (OSError, UnicodeDecodeError) as problem:
        raise UnconfirmedError(f"cannot read {str(source)!r}: {getattr(problem, 'strerror', None) or 'it is no text'}") from None
    except ValueError as problem:
        raise UnconfirmedError(f"{str(source)!r} is no JSON: {problem}") from None
    if not isinstance(document, dict):
        raise UnconfirmedError("the file holds no certificate")
    return document


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _confirmed(document: Mapping[str, Any], bound: Bound | None) -> str:
    if document.get("schema_version") != _SCHEMA or type(document.get("schema_version")) is not int:
        raise UnconfirmedError(f"schema version {document.get('schema_version')!r}; this checker reads version {_SCHEMA}")
    missing = [name for name in _NEEDED if name not in document]
    if missing:
        raise UnconfirmedError(f"{missing[0]} is missing")
    bound = bound or get(str(document["bound"]))
    if bound.id != document["bound"]:
        raise UnconfirmedError(f"it speaks about {document['bound']!r}, not about {bound.id!r}")
    parameter, direction, status = (document[name] for name in ("parameter", "direction", "status"))
    if parameter not in bound.formula.parameters or direction not in ("increasing", "decreasing", "constant", "mixed"):
        raise UnconfirmedError(f"{bound.id} has no parameter {parameter!r}, or {direction!r} is no direction")
    _check_box(bound, document["box"])
    form = document["update_form"]
    if form is not None and form not in [known.value for known in bound.update_forms]:
        raise UnconfirmedError(f"{bound.id} does not speak about the update form {form!r}")
    subject = f"{bound.id} is {word(Direction, direction).label} in {parameter}"
    if status == "proved" and direction != "mixed":
        return f"{subject}: proved, {_proved(bound, document)}"
    if status == "refuted" or (status == "proved" and direction == "mixed"):
        return f"{subject}: {status}, {_witnessed(bound, document)}"
    raise UnconfirmedError(f"it claims nothing (status {status!r})")


def _check_box(bound: Bound, box: Any) -> None:
    if not isinstance(box, dict) or box.keys() != set(bound.formula.parameters):
        raise UnconfirmedError("the box does not name every parameter of the bound once")
    for name, ends in box.items():
        numbers = (
            isinstance(ends, list | tuple) and len(ends) == 2 and all(type(end) in (int, float) and math.isfinite(end) for end in ends)
        )
        if not numbers:
            raise UnconfirmedError(f"the range of {name} is no pair of numbers")
    # A spectrum is one of those of known graphs, whatever the range of its entries.
    check_box(bound, {name: tuple(ends) for name, ends in box.items() if name != "spectrum"})


def _proved(bound: Bound, document: Mapping[str, Any]) -> str:
    if document["witness"] is not None:
        raise UnconfirmedError("a proof with a witness against it")
    claim = Claim(bound, document["parameter"], document["direction"], document["box"], Trees())
    given, cases = document.get("given", []), document["proofs"]
    if not isinstance(given, list) or not set(given) <= set(bound.formula.optional) or not isinstance(cases, list):
        raise UnconfirmedError("the names given, or the proofs, are no list of what they should be")
    required = list(claim.labels(document["update_form"], given))
    proved = set()
    for case in cases:
        label = _label(case)
        if label not in required:
            raise UnconfirmedError(f"the case {label} is none of this bound and parameter")
        try:
            claim.check(label, case)
        except UnconfirmedError as problem:
            raise UnconfirmedError(f"{_words(label)}: {problem}") from None
        proved.add(_identity(claim, label))
    for label in required:
        if _identity(claim, label) not in proved:
            raise UnconfirmedError(f"the case {_words(label)} is missing")
    return f"{len(cases)} cases cover all {len(required)} of update form, readout, reading and spectrum"


def _label(case: Any) -> Label:
    match case:
        case {"update_form": str(form), "readout": str(readout), "given": list(given), "spectrum": None | str() as spectrum}:
            return form, readout, tuple(map(str, given)), spectrum
    raise UnconfirmedError("a case without a label")


def _identity(claim: Claim, label: Label) -> Any:
    node, facts = claim.spelt_out(label)
    return id(node), frozenset((id(left), id(right)) for left, right in facts), claim.parameter in label[2] and _twin(claim, label)


def _twin(claim: Claim, label: Label) -> Any:
    """For a parameter that is 0 or 1 also the tree without it."""
    from bounds.formula import FLAGS

    if claim.parameter not in FLAGS:
        return None
    form, readout, given, spectrum = label
    node, facts = claim.spelt_out((form, readout, tuple(name for name in given if name != claim.parameter), spectrum))
    return id(node), frozenset((id(left), id(right)) for left, right in facts)


def _words(label: Label) -> str:
    return ", ".join([label[0], label[1], *([label[3]] if label[3] else []), "with " + " ".join(label[2])])


def _witnessed(bound: Bound, document: Mapping[str, Any]) -> str:
    if document["proofs"]:
        raise UnconfirmedError("a refutation with proofs")
    witness, direction = document["witness"], document["direction"]
    forms = [document["update_form"]] if document["update_form"] else [form.value for form in UpdateForm if form in bound.update_forms]
    claims = [(witness, direction)]
    if direction == "mixed":
        opposite = witness.get("opposite") if isinstance(witness, dict) else None
        claims = [(witness, "increasing"), (opposite, "decreasing")]
    elif isinstance(witness, dict) and "opposite" in witness:
        raise UnconfirmedError("a second witness where one is enough")
    problem: UnconfirmedError | None = None
    for form in forms:
        try:
            for one, against in claims:
                check_witness(bound, document["parameter"], against, document["box"], form, one)
        except UnconfirmedError as found:
            problem = problem or found
        else:
            return f"{len(claims)} witness{'es' if len(claims) > 1 else ''} evaluated again"
    raise problem or UnconfirmedError("no update form")
