"""The command on a case's page asks for what ran: the claim, its number of replicates, the seed, and what else must be at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from empirical.data import use_folder
from empirical.logs.place import use_logs
from gossip_bounds.rerun import claim_commands, report_command
from verify.suite import budgets


@pytest.mark.parametrize(("claims", "budget"), [([], None), (["li2025"], None), (["core-convex", "zhu2023"], "quick"), ([], "full")])
def test_a_claims_command_chooses_the_same_budget(claims: list[str], budget: str | None) -> None:
    chosen = budgets(claims, budget)
    for claim, command in claim_commands(chosen, 3, "auto").items():
        program, verb, name, *options = command.split()
        assert (program, verb, name) == ("gossip-bounds", "verify", claim)
        asked = next((one.removeprefix("--") for one in options if one in ("--quick", "--full")), None)
        assert budgets([name], asked) == {claim: chosen[claim]}
        assert " ".join(options[-4:]) == "--seed 3 --out again"


def test_the_reports_command_is_what_was_asked_for() -> None:
    assert report_command([], budgets([]), 0, "auto", None) == "gossip-bounds verify --seed 0 --out out"
    asked = report_command(["li2025", "core-convex"], budgets(["li2025", "core-convex"], "full"), 7, "cuda", "full")
    assert asked == "gossip-bounds verify li2025 core-convex --full --device cuda --seed 7 --out out"


def test_files_of_ones_own_are_named_by_their_kind(tmp_path: Path) -> None:
    budget = budgets(["core-convex"])["core-convex"]
    with use_folder(tmp_path), use_logs(tmp_path):
        command = claim_commands({"own-mine": budget}, 0, "auto")["own-mine"]
    assert command == "gossip-bounds verify own-mine --bounds FILE --data-dir DIR --logs DIR --seed 0 --out again"
    assert claim_commands({"core-convex": budget}, 0, "auto")["core-convex"].count("--") == 2
