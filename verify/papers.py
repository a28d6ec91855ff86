"""The papers whose claims are decided: what people call them and where they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as a report names it; ``source`` cites it and is empty where there is nothing to cite."""

    title: str
    source: str = ""


_PAPERS = {
    "core": Paper(
        "Base experiments",
        "Stability bounds of SGD (Hardt, Recht and Singer 2016, arXiv 1509.01240) and of D-SGD (Le Bars et al. 2024, arXiv 2306.02939)",
    ),
    "li2025": Paper("Multi-gossip stability", "Li, Liu, Zhang, Cao, Yin and Shen (2025), arXiv 2510.07980"),
    "cao2025": Paper("Flatness against optimization", "Cao et al. (2025), arXiv 2406.20006"),
    "zhu2023": Paper("D-SGD as average-direction SAM", "Zhu et al. (2023), arXiv 2306.02913"),
}


def paper(name: str) -> Paper:
    """The paper of this name; the name itself is the title of one that is not known, such as the source of a loaded theorem."""
    return _PAPERS.get(name, Paper(name))
