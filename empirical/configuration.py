"""The frozen, picklable description of one batch of training runs, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from bounds.errors import DomainError, unknown_name
from bounds.setting import Schedule
from bounds.symbols import symbol
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import UpdateForm, word
from empirical.problems.registry import check_problem
from empirical.splits import check_split

_CHOICES = {
    "data": ("split", "shared"),
    "sampling": ("with_replacement", "stratified"),
    "precision": ("float64", "float32"),
    "graphs": ("fixed", "relabelled", "one_peer"),
}


def _check_integer(name: str, value: Any, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise DomainError(f"got {name}={value!r}; {name} takes an integer >= {low}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """Replicated training runs of one algorithm on one problem; every model starts from zero weights, or the problem's ``start``.

    Attributes:
        problem: a name that :func:`empirical.problems.problem` knows, such as softmax-digits, or softmax-mnist:train on data of the user's.
        update_form: centralized, atc, cta or consensus.
        m, n: nodes and samples per node; a centralized run has all N = m*n samples.
        T: steps. b: local batch. Q: gossip steps per step.
        eta: constant learning rate; or c, tau: the learning rate c/(t + tau) of step t = 1, 2, ... Exactly one of eta and c.
        topology: a name that :func:`bounds.topology.topology` knows, or any mixing matrix of m nodes.
        graphs: "fixed", W at every gossip; "relabelled", P W P^T with the nodes renumbered by a fresh random permutation at each
            gossip (keyed by seed and replicate); "one_peer", the edges of ``exponential_directed`` one at a time (Ying et al.
            2021, arXiv 2110.13363): at the r-th of all gossip steps, r = 0, 1, ..., a node averages itself with the one
            2^(r mod ceil(log2 m)) places ahead, half and half.
        gossip_every: the steps k, 2k, 3k, ... gossip; the others are local, X <- Pi(X - eta G(X)), in every update form.
        radius: every model is projected onto the ball of this (Frobenius) radius after its gradient step; None: never.
        data: "split", m*n independent samples; "shared", all nodes hold the same n samples.
        split: which distribution each node draws its samples from (with replacement), see :mod:`empirical.splits`: "iid",
            "label_skew", or "dirichlet" with the parameter ``dirichlet_alpha``. The population risk is the mean over nodes.
        sampling: decentralized runs draw each local batch with replacement. A centralized run draws b of its N samples
            with replacement, or ("stratified") the m*b samples that the m nodes of a decentralized run would draw.
        checkpoints: steps at which measures are read, ascending, at most T; empty means (T,).
        replicates: independent training sets and runs. twins: coupled runs per replicate, each with another one
            of the m*n samples replaced, at random; 0 for none asked for: a stability then takes all m*n, if they are at most 64.
        t0: when > 0, stabilities are E[distance * 1(the replaced sample is in none of its node's batches 1..t0)]; 0: no condition.
        seed: any integer >= 0. precision: arithmetic of the training steps; measures are always read in float64.

    Raises:
        DomainError, UnknownNameError: on construction, in one line (and the mixing matrix's own errors).
    """

    problem: str
    update_form: UpdateForm
    m: int
    n: int
    T: int
    eta: float | None = None
    c: float | None = None
    tau: float = 0.0
    topology: str | MixingMatrix = "ring"
    Q: int = 1
    graphs: Literal["fixed", "relabelled", "one_peer"] = "fixed"
    gossip_every: int = 1
    b: int = 1
    radius: float | None = None
    data: Literal["split", "shared"] = "split"
    split: Literal["iid", "label_skew", "dirichlet"] = "iid"
    dirichlet_alpha: float | None = None
    sampling: Literal["with_replacement", "stratified"] = "with_replacement"
    checkpoints: tuple[int, ...] = ()
    replicates: int
    twins: int = 0
    t0: int = 0
    seed: int = 0
    precision: Literal["float64", "float32"] = "float64"

    def __post_init__(self) -> None:
        check_problem(self.problem)
        object.__setattr__(self, "update_form", word(UpdateForm, self.update_form))
        self._check_numbers()
        self._check_schedule()
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise unknown_name(name, str(getattr(self, name)), allowed)
        self._check_split()
        self._check_checkpoints()
        self._check_twins()
        self._check_network()

    def _check_numbers(self) -> None:
        for name in ("m", "n", "T", "Q", "b", "replicates", "gossip_every"):
            _check_integer(name, getattr(self, name), 1)
        for name in ("twins", "t0", "seed"):
            _check_integer(name, getattr(self, name), 0)
        if self.radius is not None and not 0 < self.radius < float("inf"):
            raise DomainError(f"got radius={self.radius!r}; a projection radius is a finite number > 0, or None for no projection")

    def _check_schedule(self) -> None:
        if self.eta is not None:
            symbol("eta").check(self.eta)
        if self.c is not None and not 0 < self.c < float("inf"):
            raise DomainError(f"got c={self.c!r}; the factor of the learning rate c/(t+tau) is a finite number > 0")
        if not 0 <= self.tau < float("inf"):
            raise DomainError(f"got tau={self.tau!r}; the offset of the learning rate c/(t+tau) is a finite number >= 0")
        Schedule(self.eta, self.c, self.tau)

    def _check_split(self) -> None:
        check_split(self.split, self.dirichlet_alpha)
        if self.split != "iid" and self.data == "shared":
            raise DomainError(f"got split={self.split!r} with data='shared', where all nodes hold the same samples; use data='split'")

    def _check_checkpoints(self) -> None:
        object.__setattr__(self, "checkpoints", tuple(self.checkpoints))
        steps = (0, *self.checkpoints)
        integers = all(isinstance(step, int) and not isinstance(step, bool) for step in steps)
        if not integers or any(late <= early for early, late in pairwise(steps)) or steps[-1] > self.T:
            raise DomainError(f"got checkpoints={self.checkpoints!r}; they are strictly ascending integers from 1 to T={self.T}")

    def _check_twins(self) -> None:
        if self.twins > self.m * self.n:
            raise DomainError(f"got twins={self.twins} with m*n={self.m * self.n} samples; each replaces another one: take at most m*n")
        if self.twins and self.data == "shared" and self.m > 1:
            raise DomainError("got twins with data='shared', where one sample lies on every node; use data='split' or twins=0")

        if self.t0 > self.T or (self.t0 and not self.twins):
            raise DomainError(
                f"got t0={self.t0} with T={self.T}, twins={self.twins}; t0 >= 1 is a step up to T that conditions twins: set twins or t0=0"
            )

    def _check_network(self) -> None:
        if self.update_form is UpdateForm.CENTRALIZED:
            if not self.one_mixing:
                raise DomainError(f"got {self._varying()} for a centralized run, which has no network; use graphs='fixed', gossip_every=1")
            return
        if self.graphs == "one_peer" and self.topology != "exponential_directed":
            raise DomainError(f"got graphs='one_peer' with topology={self.topology!r}; it takes topology='exponential_directed'")
        if self.sampling == "stratified":
            raise DomainError(
                "got sampling='stratified' for a decentralized run, which draws 'with_replacement'; use update_form='centralized'"
            )
        matrix = self.base_mixing()
        if matrix.nodes != self.m:
            raise DomainError(f"got m={self.m} with a mixing matrix of {matrix.nodes} nodes; set m={matrix.nodes} or build it for m nodes")
        # A matrix without a spectral gap is refused now rather than after training, when the setting is written.
        matrix.network(self.Q)

    def _varying(self) -> str:
        return f"graphs={self.graphs!r}, gossip_every={self.gossip_every!r}"

    @property
    def one_mixing(self) -> bool:
        """Does every step apply one and the same W^Q?"""
        return self.graphs == "fixed" and self.gossip_every == 1

    def mixing(self) -> MixingMatrix:
        """The mixing matrix W of a decentralized run that applies W^Q at every step.

        Raises:
            DomainError: for a run whose mixing changes from step to step, which no single matrix describes.
        """
        if not self.one_mixing:
            raise DomainError(f"got {self._varying()}, whose mixing changes from step to step; use graphs='fixed', gossip_every=1")
        return self.base_mixing()

    def base_mixing(self) -> MixingMatrix:
        """The matrix of ``topology``, which graphs that change are made from."""
        return self.topology if isinstance(self.topology, MixingMatrix) else topology(self.topology, self.m)

    @property
    def schedule(self) -> Schedule:
        """The learning rates of the steps 1, 2, ..."""
        return Schedule(self.eta, self.c, self.tau)

    @property
    def read_at(self) -> tuple[int, ...]:
        """The steps at which measures are read."""
        return self.checkpoints or (self.T,)

    @property
    def models(self) -> int:
        """Models per run: m nodes, or one for the centralized form."""
        return 1 if self.update_form is UpdateForm.CENTRALIZED else self.m

    @property
    def samples_read(self) -> float:
        """Samples that all replicates and twins read in all steps, m b a step: what the time of a run grows with."""
        return float(self.replicates * (1 + self.twins) * self.m * self.T * self.b)

    @property
    def strata(self) -> tuple[int, int]:
        """(groups, samples in a group) that batches are drawn from, b at a time from each group."""
        pooled = self.update_form is UpdateForm.CENTRALIZED and self.sampling == "with_replacement"
        return (1, self.m * self.n) if pooled else (self.m, self.n)
