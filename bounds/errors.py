"""One exception per mistake, each derived from the builtin that people already catch.

Every message is one line: what was got, what is allowed, how to fix it. The command line turns any
:class:`GossipBoundsError` into that line and exit status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 6


class GossipBoundsError(Exception):
    """Base of every error that a user's input can cause."""

    def __str__(self) -> str:
        return " ".join(str(argument) for argument in self.args)


class UnknownNameError(GossipBoundsError, LookupError):
    """A name that is in none of our registries (bound, claim, topology, update form, ...)."""


class MissingParameterError(GossipBoundsError, TypeError):
    """A required parameter was not given."""


class UnknownParameterError(GossipBoundsError, TypeError):
    """A parameter that the bound does not have."""


class DomainError(GossipBoundsError, ValueError):
    """A value outside its symbol's domain."""


class LengthError(GossipBoundsError, ValueError):
    """Arrays whose lengths do not fit together."""


class ExpressionError(GossipBoundsError, ValueError):
    """Expression text that our grammar does not allow."""


class MixingMatrixError(GossipBoundsError, ValueError):
    """A matrix that is not a mixing matrix (shape, entries, row or column sums)."""


class DisconnectedGraphError(GossipBoundsError, ValueError):
    """A communication graph whose nodes can never agree."""


class TopologyError(GossipBoundsError, ValueError):
    """A topology that cannot be built with the given number of nodes."""


class DeviceError(GossipBoundsError, RuntimeError):
    """A compute device that this machine does not have."""


class InputFileError(GossipBoundsError, OSError):
    """A file or folder that cannot be read, parsed or written."""


class MissingDataError(GossipBoundsError, FileNotFoundError):
    """A data set that is not there yet; the message names the package it comes in and the command that gets it."""


class ClientError(GossipBoundsError, RuntimeError):
    """A package manager that is not on this machine, or that could not get a package."""


class NodeLostError(GossipBoundsError, ConnectionError):
    """A node of a distributed run that does not answer any more."""


class ClusterError(GossipBoundsError, RuntimeError):
    """A cluster that cannot be reached, has no workers, or whose workers differ from this machine."""


class PrecisionError(ArithmeticError):
    """The value could not be enclosed sharply; it is not a number or hides behind a sign that no precision resolves."""


def unknown_name(kind: str, got: str, allowed: Iterable[str], otherwise: str = "") -> UnknownNameError:
    """Build the error for a mistyped name, suggesting the nearest allowed one; without any, all of them, or ``otherwise``."""
    names = sorted(allowed)
    same = [name for name in names if name.lower() == got.lower()]
    starts = [name for name in names if got and name.lower().startswith(got.lower())]
    parts = [name for name in names if got and got.lower() in name.lower()]
    found = (same or starts or difflib.get_close_matches(got, names, n=1) or parts)[:_MOST]
    hint = f"did you mean {' or '.join(map(repr, found))}?" if found else otherwise or f"allowed: {', '.join(names) or 'none'}"
    return UnknownNameError(f"unknown {kind} {got!r}; {hint}")
