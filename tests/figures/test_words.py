"""Captions: what is shown, the conditions, and what a verdict does not claim."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figures import alt_text, caption
from figures.words import confidence, join_words, limits
from verify.verdict import CaseResult, Evidence


def test_a_caption_says_what_is_shown_and_under_which_conditions(by_case: dict[str, CaseResult]) -> None:
    text = caption(by_case["atc-n"]).replace("\N{NO-BREAK SPACE}", " ")
    assert text.startswith(
        "Generalization error over samples per node (n): measured mean, simultaneous 99.87 % band (40 replicates), "
        "against the bound dsgd_convex. Either end of a band, taken alone, holds"
    )
    assert "Conditions: update form atc, readout node average, loss = softmax, topology = ring, n = 16" in text
    assert "own_data = yes" in text
    assert text.count("update") == 1


@pytest.mark.parametrize(
    ("case", "said", "unsaid"),
    [
        ("atc-n", "A pass does not say that the bound is tight, nor that it holds at other settings, nor that the measured", "vacuous"),
        ("atc-eta", "The bound is vacuous here: it exceeds the trivial bound, so the pass carries no information.", "undecided"),
        ("atc-bounds", "A pass does not say that the statement is true at other settings.", "tight"),
        ("atc-m", "A refutation here says neither which step of the argument fails, nor", "A pass"),
        ("atc-T", "neither that the statement is true nor that it is false. About 120 more replicates", "A pass"),
        ("no-bound", "neither that the statement is true nor that it is false.", "more replicates"),
        ("worst", "Nothing here speaks for or against the statement.", "A pass"),
    ],
)
def test_a_verdict_says_what_it_does_not_claim(by_case: dict[str, CaseResult], case: str, said: str, unsaid: str) -> None:
    text = " ".join(limits(by_case[case]))
    assert said in text
    assert unsaid not in text
    assert text in caption(by_case[case])
    assert by_case[case].verdict.value in caption(by_case[case])


def test_estimated_constants_are_named_only_where_a_verdict_rests_on_them(by_case: dict[str, CaseResult]) -> None:
    sentence = "It is conditional on sigma2, estimated rather than proved."
    assert sentence in caption(by_case["atc-n"])
    assert sentence in caption(by_case["atc-m"])
    assert sentence not in caption(by_case["atc-T"])
    assert sentence not in caption(by_case["atc-bounds"])


def test_exact_curves_promise_no_confidence(by_case: dict[str, CaseResult]) -> None:
    text = caption(by_case["sgd"])
    assert "exact value, against the bound l2_stability" in text
    assert "Either end" not in text


def test_the_alternative_text_gives_the_ends_of_each_curve(by_case: dict[str, CaseResult]) -> None:
    text = alt_text(by_case["atc-n"])
    assert "Generalization error over samples per node (n), 4 points" in text
    assert "from 0.021 to 0.0029" in text
    assert "bound dsgd_convex from 0.4 to 0.05" in text
    assert text.endswith("Verdict: HOLDS.")
    assert alt_text(by_case["one-point"]).count(" at 0.") == 2
    assert alt_text(by_case["gaps"]).count("from") == 2
    assert alt_text(by_case["four"]).startswith("4 charts for core-consensus, case four.")


@pytest.mark.parametrize(
    ("level", "text"),
    [(0.05, "95"), (0.5, "50"), (0.1, "90"), (0.00125, "99.87"), (0.025, "97.5"), (1e-6, "99.9999"), (0.05 / 37, "99.86"), (0.9, "10")],
)
def test_confidence_is_never_rounded_up(level: float, text: str) -> None:
    assert confidence(level) == f"{text}\N{NO-BREAK SPACE}%"
    assert float(text) <= 100 * (1 - level) + 1e-9


def test_logged_evidence_is_not_called_measured(by_case: dict[str, CaseResult]) -> None:
    logged = replace(by_case["atc-n"], evidence=Evidence.LOGGED)
    assert "logged mean" in caption(logged)
    assert ": measured mean" not in caption(logged)


def test_words_are_joined_as_people_do() -> None:
    assert [join_words(list(text)) for text in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
