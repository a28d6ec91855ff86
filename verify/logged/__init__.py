"""Verdicts on logged runs: what one seed, several seeds and several settings support."""

from __future__ import annotations

from verify.logged.late import Late, late_part
from verify.logged.pairs import FLOOR, FLOOR_WORDS, PairResult, Support, judge_pair, judge_pairs, side
from verify.logged.pooled import Pooled, pool
from verify.logged.study import Study, network_words, setting_words, study

__all__ = [
    "FLOOR",
    "FLOOR_WORDS",
    "Late",
    "PairResult",
    "Pooled",
    "Study",
    "Support",
    "judge_pair",
    "judge_pairs",
    "late_part",
    "network_words",
    "pool",
    "setting_words",
    "side",
    "study",
]
