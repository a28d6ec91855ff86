"""Loading theorems of one's own from a file, so that they are found by id like those of the catalogue."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path
from typing import Any

from bounds.bound import Bound
from bounds.checking import naming
from bounds.errors import GossipBoundsError, InputFileError
from bounds.files import read_text
from bounds.registry import add, nothing_kept_on_error

_SUFFIXES = (".toml", ".py")


def load(path: str | Path) -> tuple[Bound, ...]:
    """The bounds in a file, which :func:`bounds.get` finds from now on; loading the file again replaces them.

    A TOML file holds one theorem, and nothing in it is executed. A Python file is executed: it must define ``BOUND``, or
    ``BOUNDS`` for several.

    Raises:
        GossipBoundsError: one line naming the file and the key; nothing is then kept of the file.
    """
    path = Path(path)
    with nothing_kept_on_error():
        bounds = _read(path)
        with naming(repr(str(path))):
            for bound in bounds:
                add(bound, str(path.resolve()))
    return bounds


def _read(path: Path) -> tuple[Bound, ...]:
    if path.suffix == ".toml":
        from bounds.theorem_file import read_theorem

        return (read_theorem(path),)
    if path.suffix == ".py":
        # Read first, for the error of a file that is not there or not text.
        read_text(path)
        with naming(repr(str(path))):
            return _run(path)
    raise InputFileError(f"{str(path)!r} has the suffix {path.suffix!r}; a theorem is in a file that ends in {' or '.join(_SUFFIXES)}")


def _run(path: Path) -> tuple[Bound, ...]:
    try:
        found: dict[str, Any] = runpy.run_path(str(path), run_name=path.stem)
    except GossipBoundsError:
        raise
    except (Exception, SystemExit) as error:
        words = " ".join(str(error).split())
        raise InputFileError(f"{_line(path, error)}{type(error).__name__}: {words}; correct the file") from None
    several = found.get("BOUNDS", (found["BOUND"],) if "BOUND" in found else ())
    if not isinstance(several, list | tuple) or not several:
        raise InputFileError("it defines no bound; write BOUND = bounds.define(...), or BOUNDS = (...) for several")
    for bound in several:
        if not isinstance(bound, Bound):
            raise InputFileError(f"BOUND or BOUNDS holds a {type(bound).__name__}; write what bounds.define(...) returns")
    ids = [bound.id for bound in several]
    if len(set(ids)) < len(ids):
        raise InputFileError(f"BOUNDS has one id twice ({', '.join(ids)}); choose another id")
    return tuple(several)


def _line(path: Path, error: BaseException) -> str:
    """``line 3: `` where the error happened in the file; empty when that is not known."""
    inside = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = inside[-1] if inside else getattr(error, "lineno", None)
    return "" if line is None else f"line {line}: "
