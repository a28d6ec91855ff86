"""The page of all commands, from their own help."""

from __future__ import annotations

import click
import typer
from markup import directive, page, section

from gossip_bounds.app import app


def command_page() -> str:
    """Every command with what ``--help`` prints."""
    group = typer.main.get_command(app)
    commands: dict[str, click.Command] = getattr(group, "commands", {})
    return page(
        "Commands",
        "What ``gossip-bounds COMMAND --help`` prints. Bad input ends in one line and exit status 2; a refuted claim is a finding, not an "
        "error, unless ``--strict`` asks for status 1.",
        *(section(name, directive("code-block", "text", _help(name, command))) for name, command in commands.items()),
    )


def _help(name: str, command: click.Command) -> str:
    with click.Context(command, info_name=f"gossip-bounds {name}", max_content_width=88, terminal_width=88) as context:
        return command.get_help(context)
