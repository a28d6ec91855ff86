"""The symbol registry: the one owner of each symbol's name, LaTeX, meaning, unit and domain.

Units are written in ``w`` (the unit of the model's weights) and ``loss``; ``-`` means a pure number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bounds.errors import DomainError, unknown_name


@dataclass(frozen=True, slots=True)
class Domain:
    """An interval of the reals or of the integers."""

    low: float
    high: float = math.inf
    low_open: bool = False
    integer: bool = False

    def __contains__(self, value: float) -> bool:
        if value != value or math.isinf(value):
            return False
        if self.integer and value != int(value):
            return False
        above = value > self.low if self.low_open else value >= self.low
        return above and value <= self.high

    def __str__(self) -> str:
        relation = ">" if self.low_open else ">="
        kind = "an integer" if self.integer else "a number"
        upper = "" if math.isinf(self.high) else f" and <= {self.high:g}"
        return f"{kind} {relation} {self.low:g}{upper}"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol of the vocabulary."""

    name: str
    latex: str
    meaning: str
    unit: str
    domain: Domain

    def check(self, value: float) -> None:
        """Raise :class:`DomainError` unless ``value`` is in the symbol's domain."""
        if value not in self.domain:
            raise DomainError(f"{self.name}={value!r} is out of its domain; {self.name} ({self.meaning}) takes {self.domain}")

    @property
    def label(self) -> str:
        """The meaning with the symbol in mathtext, for axes and table heads."""
        return f"{self.meaning} ${self.latex}$"


_COUNT = Domain(1, integer=True)
_POSITIVE = Domain(0, low_open=True)
_NONNEGATIVE = Domain(0)
_GAP = Domain(0, 1, low_open=True)
_FLAG = Domain(0, 1, integer=True)

_SYMBOLS = (
    Symbol("m", "m", "nodes", "-", _COUNT),
    Symbol("n", "n", "samples per node", "-", _COUNT),
    Symbol("N", "N", "samples in total", "-", _COUNT),
    Symbol("T", "T", "steps", "-", _COUNT),
    Symbol("eta", r"\eta", "learning rate (constant step)", "w^2/loss", _POSITIVE),
    Symbol("c", "c", "learning rate constant of c/(t+tau)", "w^2/loss", _POSITIVE),
    Symbol("tau", r"\tau", "offset of the learning rate c/(t+tau)", "-", _NONNEGATIVE),
    Symbol("t0", "t_0", "steps before which the replaced sample is not drawn", "-", Domain(0, integer=True)),
    Symbol("b", "b", "local batch size", "-", _COUNT),
    Symbol("Q", "Q", "gossip steps per step", "-", _COUNT),
    Symbol("gap", r"\delta", "spectral gap of the mixing matrix", "-", _GAP),
    Symbol("w_min", r"w_{\min}", "smallest diagonal entry of W^Q", "-", Domain(0, 1)),
    Symbol("L", "L", "Lipschitz constant of the loss", "loss/w", _POSITIVE),
    Symbol("beta", r"\beta", "smoothness of the loss", "loss/w^2", _POSITIVE),
    Symbol("mu", r"\mu", "strong convexity", "loss/w^2", _POSITIVE),
    Symbol("M", "M", "supremum of the loss", "loss", _POSITIVE),
    Symbol("G", "G", "mean gradient norm met on the way", "loss/w", _NONNEGATIVE),
    Symbol("sigma2", r"\sigma^2", "per-sample gradient variance at one node", "(loss/w)^2", _NONNEGATIVE),
    Symbol("zeta2", r"\zeta^2", "heterogeneity of the node gradients", "(loss/w)^2", _NONNEGATIVE),
    Symbol("convex", r"\mathrm{convex}", "1 when every local loss is convex, else 0", "-", _FLAG),
)

REGISTRY: dict[str, Symbol] = {symbol.name: symbol for symbol in _SYMBOLS}


def symbol(name: str) -> Symbol:
    """Look a symbol up by name.

    Raises:
        UnknownNameError: when the registry has no such symbol.
    """
    try:
        return REGISTRY[name]
    except KeyError:
        raise unknown_name("symbol", name, REGISTRY) from None
