"""The table of verdicts under several seeds says when a verdict swaps."""

from benchmarks.seeds import markdown, swapped
from verify.verdict import Verdict

H, V, U, N = Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNDECIDED, Verdict.NOT_APPLICABLE


def test_only_a_verdict_both_ways_is_swapped() -> None:
    assert swapped([H, U, V])
    assert not any(map(swapped, ([H, U, H], [V, U], [U, N], [])))


def test_the_table_has_a_row_for_each_case_and_marks_what_swapped() -> None:
    lines = markdown({("a", "x"): [H, U], ("a", "y"): [H, V]}, ["seed 0", "seed 1"])
    assert lines[0] == "| claim | case | seed 0 | seed 1 |"
    assert lines[1].count("---") == 4
    assert lines[2:] == ["| `a` | x | holds | undecided |", "| `a` | y | holds | violated | **swapped**"]
