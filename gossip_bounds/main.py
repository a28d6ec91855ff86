"""The ``gossip-bounds`` command: one line and exit status 2 for any bad input, never a traceback."""

from __future__ import annotations

import os
import sys

from bounds.errors import GossipBoundsError
from bounds.registry import nothing_kept
from gossip_bounds.quick import plain_evaluate

_INTERRUPTED = 130


def _fail(message: str) -> int:
    print(f"gossip-bounds: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _interrupted() -> int:
    _fail("interrupted; nothing half-written was left behind")
    return _INTERRUPTED


def _commands(arguments: list[str] | None) -> object:
    # The command-line library takes longer to import than a bound takes to evaluate.
    from gossip_bounds.app import app

    return app(arguments, standalone_mode=False)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:
        # Called twice in one process, each call knows the theorems of its own --bounds only.
        with nothing_kept():
            status = 0 if plain_evaluate(sys.argv[1:] if arguments is None else arguments) else _commands(arguments)
        # Typer turns Ctrl-C into this status without a word.
        return _interrupted() if status == _INTERRUPTED else status if isinstance(status, int) else 0
    except GossipBoundsError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        # The reader of a pipe (head, less) closed it: not an error of ours, and no complaint at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        # Typer's own usage errors are not exported as one class; they all carry format_message.
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        return _fail(f"{describe()} Try 'gossip-bounds --help'.")


def main() -> None:
    """Console entry point."""
    sys.exit(run())
