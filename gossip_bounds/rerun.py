"""The commands that make a report, or one claim of it, again: folders and files of the caller's own are named by their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from empirical.data import data_folder
from empirical.logs.place import logs_folder
from verify.claims.core import Budget


def report_command(claims: Sequence[str], chosen: Mapping[str, Budget], seed: int, device: str, budget: str | None) -> str:
    """The command of a report: ``claims`` and ``budget`` are what was asked for (none: all claims, the usual numbers of replicates)."""
    return _command(claims, budget or "default", seed, device, any(map(_is_own, chosen)), "out")


def claim_commands(chosen: Mapping[str, Budget], seed: int, device: str) -> dict[str, str]:
    """For each claim the command that runs all of its cases again, with as many replicates."""
    return {claim: _command([claim], budget.name, seed, device, _is_own(claim), "again") for claim, budget in chosen.items()}


def _is_own(claim: str) -> bool:
    return claim.startswith("own-")


def _command(claims: Sequence[str], budget: str, seed: int, device: str, own: bool, out: str) -> str:
    words = ["gossip-bounds verify", *claims]
    words += [f"--{budget}"] * (budget != "default")
    words += ["--bounds FILE"] * own + ["--data-dir DIR"] * (data_folder() is not None) + ["--logs DIR"] * (logs_folder() is not None)
    words += [f"--device {device}"] * (device != "auto")
    return " ".join([*words, f"--seed {seed}", f"--out {out}"])
