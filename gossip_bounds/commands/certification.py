"""``certify``: what is known of a declared or suspected direction; ``check``: whether a saved certificate stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import bounds
from bounds.arrays import SPECTRA
from gossip_bounds.arguments import parse_box
from gossip_bounds.commands.options import Form, Json, Own
from gossip_bounds.output import print_json

if TYPE_CHECKING:
    from bounds.certificates import Certificate, Witness

_SHOWN = 3

Ranges = Annotated[list[str] | None, typer.Argument(help="NAME=lo:hi, in place of the default range.", metavar="NAME=lo:hi ...")]


def certify(
    bound_id: Annotated[str, typer.Argument(metavar="ID")],
    parameter: Annotated[str, typer.Argument(metavar="PARAM")],
    ranges: Ranges = None,
    direction: Annotated[
        str | None, typer.Option(help="increasing, decreasing, constant or mixed; the declared one if left out.", metavar="DIRECTION")
    ] = None,
    update_form: Form = None,
    samples: Annotated[int, typer.Option(help="Random chains of points, after the corners of the box.")] = 1000,
    seconds: Annotated[float, typer.Option(help="When the search for a proof ends; Ctrl-C ends it too.")] = 20.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same certificate.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Also save the certificate to this JSON file.", metavar="FILE")] = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Prove or refute how a bound moves with a parameter, the others held fixed."""
    bound = bounds.get(bound_id)
    box = parse_box(ranges or [])
    certificate = bounds.certify(bound, parameter, direction, box, update_form=update_form, samples=samples, seed=seed, seconds=seconds)
    if out is not None:
        certificate.save(out)
    print_json(certificate.document()) if json else _print(certificate)


def certificates(
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these bounds; the whole catalogue if left out.", metavar="[ID ...]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for certificates.json and report/certificates.html.")] = Path("out"),
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Also draw the table: .png, .svg or .pdf.")] = None,
    jobs: Annotated[int, typer.Option(help="Worker processes; 0 means one per core.", min=0)] = 0,
    json: Json = False,
) -> None:
    """Certify every declared direction of the catalogue on its default box, and write the page of all certificates."""
    from gossip_bounds.verifying import run_certificates

    run_certificates(out, jobs, json, names, output)


def check(
    files: Annotated[list[Path], typer.Argument(help="Certificates saved with 'certify --out'.", metavar="FILE ...")],
    own: Own = None,
    json: Json = False,
) -> None:
    """Check saved certificates with code that shares nothing with the search for proofs; exit code 1 unless all are confirmed."""
    from bounds.checker import check as checked

    findings = [checked(file) for file in files]
    if json:
        rows = zip(files, findings, strict=True)
        print_json([{"file": str(file), "accepted": found.accepted, "reason": found.reason} for file, found in rows])
    else:
        for file, found in zip(files, findings, strict=True):
            print(f"{file}: {'CONFIRMED' if found.accepted else 'NOT CONFIRMED'}, {found.reason.removeprefix('not confirmed: ')}")
    if not all(found.accepted for found in findings):
        raise typer.Exit(1)


def _print(certificate: Certificate) -> None:
    claim = f"{certificate.bound} is {certificate.direction.label} in {certificate.parameter}"
    print(f"{claim}, others held fixed: {certificate.status.upper()}")
    print(f"  by {certificate.engine}; boxes and pairs of points looked at: {certificate.boxes}; seconds: {certificate.seconds:.2f}")
    if certificate.reason:
        print(f"  {certificate.reason}")
    for witness in filter(None, (certificate.witness, certificate.opposite)):
        _print_witness(witness)
    print("  box: " + ", ".join(_range(name, *ends) for name, ends in certificate.box.items()))


def _range(name: str, low: float, high: float) -> str:
    return f"spectrum of {' or '.join(SPECTRA)}" if name == "spectrum" else f"{name}={low:g}:{high:g}"


def _print_witness(witness: Witness) -> None:
    for value, point in ((witness.first_value, witness.first), (witness.second_value, witness.second)):
        print(f"  {value!r} at " + " ".join(f"{name}={_short(given)}" for name, given in point.items()))


def _short(given: Any) -> str:
    """A number in full; of a long array its first entries (all of them are in the JSON document)."""
    if not isinstance(given, list | tuple) or len(given) <= _SHOWN:
        return repr(given)
    return f"[{', '.join(map(repr, given[:_SHOWN]))}, ...{len(given)} entries]"
