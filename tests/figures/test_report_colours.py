"""The colours of the report: text, controls and the focus ring stand out in light, in dark and in print."""

from __future__ import annotations

import re
from pathlib import Path

import figures.report
from verify.verdict import Verdict

STYLE = "".join((Path(figures.report.__file__).parent / name).read_text(encoding="utf-8") for name in ("page.css", "print.css"))


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_enough_in_light_dark_and_print() -> None:
    palettes = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{([^}]*)\}", STYLE)]
    assert len(palettes) == 3
    for colours in palettes:
        pairs = [(ink, paper) for ink in ("ink", "soft", "link") for paper in ("page", "panel")]
        edges = [("edge", "page"), ("edge", "panel"), ("link", "page")]
        pairs += [(f"{verdict.name.lower()}-ink", verdict.name.lower()) for verdict in Verdict]
        for ink, paper in pairs:
            assert _contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        assert all(_contrast(colours[edge], colours[paper]) >= 3 for edge, paper in edges), "edges of controls and the focus ring"
