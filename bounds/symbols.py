"""The symbol registry: the one owner of each symbol's name, LaTeX, meaning, unit and domain.

Units are written in ``w`` (the unit of the model's weights) and ``loss``; ``-`` means a pure number.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from bounds.errors import DomainError, unknown_name


@dataclass(frozen=True, slots=True)
class Domain:
    """An interval of the reals or of the integers."""

    low: float
    high: float = math.inf
    low_open: bool = False
    integer: bool = False
    rank: ClassVar[int] = 0

    def __contains__(self, value: Any) -> bool:
        if not isinstance(value, int | float) and not _is_number(value):
            return False
        if value != value or abs(value) == math.inf:
            return False
        if self.integer and value != int(value):
            return False
        above = value > self.low if self.low_open else value >= self.low
        return bool(above and value <= self.high)

    def __str__(self) -> str:
        kind = "an integer" if self.integer else "a number"
        lower = "" if math.isinf(self.low) else f"{'>' if self.low_open else '>='} {self.low:g}"
        upper = "" if math.isinf(self.high) else f"<= {self.high:g}"
        return f"{kind} {' and '.join(filter(None, (lower, upper)))}".rstrip()


def _is_number(value: Any) -> bool:
    """A number of numpy or the like, without importing any of them."""
    return hasattr(value, "__float__") and not getattr(value, "shape", ())


def entries_of(value: Any) -> Iterator[Any]:
    """The numbers of an array (nested lists, tuples, or numpy), or the number itself."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        for entry in value:
            yield from entries_of(entry)
    else:
        yield value


def _bounds(value: Any, rank: int) -> tuple[float, float] | None:
    """Least and largest number of a numpy array of floats with up to ``rank`` axes (nan where one is); None for anything else."""
    if getattr(getattr(value, "dtype", None), "kind", "") != "f" or not 1 <= value.ndim <= rank or not value.size:
        return None
    return float(value.min()), float(value.max())


def rank_in(value: Any) -> int:
    """0 for a number, 1 for a list of numbers, 2 for a list of lists, ..."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return 1 + max(map(rank_in, value), default=0) if isinstance(value, list | tuple) else 0


@dataclass(frozen=True, slots=True)
class Array:
    """Arrays of up to ``rank`` axes and at least ``least`` entries, each in ``entry``; one number stands for an array of one entry."""

    entry: Domain
    rank: int = 1
    least: int = 1
    integer: ClassVar[bool] = False

    @property
    def low(self) -> float:
        """The least value of an entry."""
        return self.entry.low

    @property
    def high(self) -> float:
        """The largest value of an entry."""
        return self.entry.high

    def __contains__(self, value: Any) -> bool:
        fast = _bounds(value, self.rank)
        if fast is not None:
            return fast[0] in self.entry and fast[1] in self.entry and not self.entry.integer
        numbers = list(entries_of(value))
        return len(numbers) >= self.least and rank_in(value) <= self.rank and all(number in self.entry for number in numbers)

    def __str__(self) -> str:
        if self.rank > 1:
            return f"rows of {self.entry}, written v1,v2,...;w1,w2,..."
        return f"{'one' if self.least == 1 else self.least} or more of {self.entry}, written v1,v2,..."


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The eigenvalues of a mixing matrix: in [-1, 1], largest first, and the first is 1."""

    low: ClassVar[float] = -1.0
    high: ClassVar[float] = 1.0
    rank: ClassVar[int] = 1
    integer: ClassVar[bool] = False

    def __contains__(self, value: Any) -> bool:
        fast = _bounds(value, 1)
        if fast is not None:
            falls = bool((value[1:] <= value[:-1]).all())
            return falls and fast[0] >= -1 - _ROUNDING and fast[1] <= 1 + _ROUNDING and abs(float(value[0]) - 1) <= _ROUNDING
        numbers = list(entries_of(value))
        entry = Domain(-1 - _ROUNDING, 1 + _ROUNDING)
        sorted_ = all(first >= second for first, second in itertools.pairwise(numbers))
        return rank_in(value) == 1 and all(number in entry for number in numbers) and sorted_ and abs(numbers[0] - 1) <= _ROUNDING

    def __str__(self) -> str:
        return "eigenvalues in [-1, 1], largest first, the first of them 1, written 1,v2,v3,... or set by --topology"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol of the vocabulary."""

    name: str
    latex: str
    meaning: str
    unit: str
    domain: Domain | Array | Spectrum

    def check(self, value: Any) -> None:
        """Raise :class:`DomainError` unless ``value`` is in the symbol's domain."""
        if value not in self.domain:
            told = " ".join(repr(value).split())
            raise DomainError(f"{self.name}={told} is out of its domain; {self.name} ({self.meaning}) takes {self.domain}")

    @property
    def label(self) -> str:
        """The meaning with the symbol in mathtext, for axes and table heads."""
        return f"{self.meaning} ${self.latex}$"


#: Eigenvalue solvers return 1 only up to this.
_ROUNDING = 1e-9
_COUNT = Domain(1, integer=True)
_POSITIVE = Domain(0, low_open=True)
_NONNEGATIVE = Domain(0)
_REAL = Domain(-math.inf)
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
    Symbol("G2", "G^2", "bound on the mean square of a sample's gradient norm", "(loss/w)^2", _NONNEGATIVE),
    Symbol("F", r"\bar F", "mean training loss met on the way", "loss", _NONNEGATIVE),
    Symbol("R_S", "R_S", "expected training loss of the output", "loss", _NONNEGATIVE),
    Symbol("D", "D", "squared l2 on-average stability", "w^2", _NONNEGATIVE),
    Symbol("gam", r"\gamma", "free Young parameter", "loss/w^2", _POSITIVE),
    Symbol("D0", "D_0", "training loss at the start above its minimum", "loss", _NONNEGATIVE),
    Symbol("r0", "r_0", "distance of the start from a minimiser of the training loss", "w", _NONNEGATIVE),
    Symbol("theta", r"\theta", "largest share of the leading terms that the consensus term may have", "-", _POSITIVE),
    Symbol("spectrum", r"\lambda", "eigenvalues of the mixing matrix W", "-", Spectrum()),
    Symbol("rho", r"\rho", "eigenvalues of the Hessian at the minimum", "loss/w^2", Array(_POSITIVE)),
    Symbol("r", "r", "per-sample gradient variance along each eigenvector of the Hessian", "(loss/w)^2", Array(_NONNEGATIVE)),
    Symbol("heterogeneity", r"\tilde b", "local gradients at the minimum in the eigenvectors of W (rows) and H", "loss/w", Array(_REAL, 2)),
    Symbol("rho_max", r"\rho_{\max}", "largest eigenvalue of the Hessian", "loss/w^2", _POSITIVE),
    Symbol("curvature", "h", "curvature of the loss", "loss/w^2", _NONNEGATIVE),
    Symbol("curvatures", "H", "curvature at the minimum and its size at the top of the barrier", "loss/w^2", Array(_POSITIVE, least=2)),
    Symbol("barrier", r"\Delta L", "height of the barrier above the minimum", "loss", _POSITIVE),
    Symbol("alpha", r"\alpha", "Lipschitz constant of the unsmoothed loss", "loss/w", _POSITIVE),
    Symbol("xi_min", r"\xi_{\min}", "smallest eigenvalue of the smoothing covariance", "w^2", _NONNEGATIVE),
    Symbol("M4", "M_4", "bound on the fourth derivative of the loss", "loss/w^4", _NONNEGATIVE),
    Symbol("rho3", r"\rho_3", "mean cubed distance of the nodes from their mean", "w^3", _NONNEGATIVE),
)

#: What a bound is asked with besides its parameters.
_ARGUMENTS = frozenset({"update_form", "readout"})
REGISTRY: dict[str, Symbol] = {symbol.name: symbol for symbol in _SYMBOLS}


def rank_of(name: str) -> int:
    """0 for a number (and for a name that the registry does not have), 1 for a vector, 2 for a matrix."""
    return REGISTRY[name].domain.rank if name in REGISTRY else 0


def register(new: Symbol) -> Symbol:
    """Add a symbol for a theorem of one's own; adding the same one again changes nothing.

    Raises:
        DomainError: when the name cannot be written in an expression, or already means something else.
    """
    from bounds.expression.parse import is_free_name

    if new.name in _ARGUMENTS or not is_free_name(new.name):
        raise DomainError(f"{new.name!r} cannot name a symbol; write letters, digits and _, no function and no word of Python")
    known = REGISTRY.setdefault(new.name, new)
    if known != new:
        raise DomainError(f"the symbol {new.name} already means {known.meaning!r} ({known.unit}, {known.domain}); choose another name")
    return new


def symbol(name: str) -> Symbol:
    """Look a symbol up by name.

    Raises:
        UnknownNameError: when the registry has no such symbol.
    """
    try:
        return REGISTRY[name]
    except KeyError:
        raise unknown_name("symbol", name, REGISTRY) from None
