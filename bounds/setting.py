"""The frozen description of what ran, or would run: complete enough to check a theorem against it without the code that ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bounds.errors import DomainError
from bounds.vocabulary import Readout, UpdateForm

Fact = float | int | bool | str | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A problem constant with the evidence for it.

    ``certified`` means proved for this model class and these data; ``estimated`` means found on sampled points only.
    """

    value: float
    tag: Literal["certified", "estimated"]
    source: str


@dataclass(frozen=True, slots=True)
class LossClass:
    """What is known of the loss as a function of the weights.

    ``L``, ``beta``, ``mu``, ``M`` are the Lipschitz constant, smoothness, strong convexity and supremum of the loss, which
    is never negative where it has an ``M``;
    ``sigma2`` bounds the per-sample gradient variance at one node and ``zeta2`` the heterogeneity, both squared and as
    means over nodes (1/m). ``None`` means unknown. ``diameter`` is the diameter of the set the iterates stay in.
    """

    name: str
    convex: bool
    L: Constant | None = None
    beta: Constant | None = None
    mu: Constant | None = None
    M: Constant | None = None
    sigma2: Constant | None = None
    zeta2: Constant | None = None
    diameter: Constant | None = None

    def constants(self) -> dict[str, Constant]:
        """The known constants by symbol name (the diameter is none of the bounds' symbols and is left out)."""
        names = ("L", "beta", "mu", "M", "sigma2", "zeta2")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Network:
    """What a theorem may ask of the mixing matrix W of ``m`` nodes raised to the power ``Q``.

    ``gap`` is 1 - max_{i>=2} |lambda_i(W)|, ``w_min`` the smallest diagonal entry of W^Q, ``spectrum`` the eigenvalues
    of W in descending order (``None`` for an asymmetric W).
    """

    name: str
    m: int
    gap: float
    w_min: float
    spectrum: tuple[float, ...] | None
    symmetric: bool = True
    doubly_stochastic: bool = True
    nonnegative: bool = True


@dataclass(frozen=True, slots=True)
class Schedule:
    """Learning rates eta_t for the steps t = 1, 2, ...: constant (``eta``), or c/(t + tau) (``c`` and ``tau``).

    Raises:
        DomainError: unless exactly one of ``eta`` and ``c`` is given and tau >= 0 (0 with ``eta``).
    """

    eta: float | None = None
    c: float | None = None
    tau: float = 0.0

    def __post_init__(self) -> None:
        if (self.eta is None) == (self.c is None):
            raise DomainError(
                f"got eta={self.eta!r} and c={self.c!r}; a schedule has a constant step eta or a decaying step c/(t+tau): give one"
            )
        if self.tau < 0 or (self.eta is not None and self.tau != 0):
            raise DomainError(f"got tau={self.tau!r}; the offset of c/(t+tau) is a number >= 0, and a constant step has none")

    def step(self, t: int) -> float:
        """The learning rate of step ``t`` (1, 2, ...)."""
        if self.eta is not None:
            return self.eta
        assert self.c is not None
        return self.c / (t + self.tau)

    def facts(self) -> dict[str, Fact]:
        """``eta``, or ``c`` and ``tau``, by symbol name."""
        return {"eta": self.eta} if self.eta is not None else {"c": self.c or 0.0, "tau": self.tau}


@dataclass(frozen=True, slots=True)
class Setting:
    """One configuration of one algorithm on one problem.

    Attributes:
        update_form, readout: see :mod:`bounds.vocabulary`.
        n: samples per node (all ``N`` samples for the centralized form, where ``network`` is ``None``).
        T: steps; b: local batch; Q: gossip steps per step; schedule: the learning rates.
        sampling: how a node draws its batch from its own samples.
        projection_radius: radius of the ball every node projects onto after its gradient step, ``None`` for none.
        common_start: all nodes (and twins) start from one point.
        t0: stabilities count only where the replaced sample is not drawn in the steps 1..t0.
        one_mixing: every step applies one and the same W^Q; False for graphs that change or steps without gossip, where
            ``network`` says what they are made from.
        conditions: further facts for the reader (data set, seed, precision); no theorem reads them.
    """

    update_form: UpdateForm
    readout: Readout
    n: int
    T: int
    schedule: Schedule
    loss: LossClass
    network: Network | None = None
    b: int = 1
    Q: int = 1
    sampling: Literal["with_replacement", "stratified"] = "with_replacement"
    projection_radius: float | None = None
    common_start: bool = True
    t0: int = 0
    one_mixing: bool = True
    conditions: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def m(self) -> int:
        """Number of nodes; 1 for the centralized form."""
        return 1 if self.network is None else self.network.m

    def facts(self) -> dict[str, Fact]:
        """Everything that an assumption or an expression may ask for, by symbol or property name."""
        known: dict[str, Fact] = {"n": self.n, "N": self.m * self.n, "m": self.m, "T": self.T, "b": self.b, "Q": self.Q}
        known |= self.schedule.facts()
        known |= {name: constant.value for name, constant in self.loss.constants().items()}
        known |= {"convex": int(self.loss.convex), "uniform_sampling": self.sampling in ("with_replacement", "stratified")}
        known |= {} if self.loss.M is None else {"bounded_loss": True, "nonnegative_loss": True}
        known |= {"t0": self.t0, "common_start": self.common_start, "unprojected": self.projection_radius is None}
        known |= {"update_form": self.update_form.value, "readout": self.readout.value}
        if self.network is not None:
            net = self.network
            known |= {"gap": net.gap, "w_min": net.w_min, "symmetric": net.symmetric}
            known |= {"doubly_stochastic": net.doubly_stochastic, "nonnegative": net.nonnegative}
            known |= {"spectrum": net.spectrum} if net.spectrum is not None else {}
        return known

    def estimated(self) -> list[str]:
        """Names of the constants that are estimated rather than proved."""
        return [name for name, constant in self.loss.constants().items() if constant.tag == "estimated"]
