"""Excess risk of D-SGD with multiple gossip steps: generalization error plus optimization error, under one schedule.

Problem: mean over m nodes of n local losses each, L-Lipschitz and beta-smooth; convex, or with values in [0, M] and the
PL inequality for the training loss.
Algorithm: ATC D-SGD with Q gossip steps a step, no projection, T steps eta or c/(t+tau).
Guarantee: UPPER. The generalization part does not depend on the graph, the optimization part through (1-gap)^Q.

>>> import bounds
>>> network = {"m": 16, "n": 100, "gap": 0.1, "Q": 4, "sigma2": 1, "zeta2": 0.5, "beta": 1, "L": 1}
>>> f'{bounds.get("mgs_excess_convex").evaluate(eta=0.1, T=1000, r0=1, **network):.6e}'
'1.223354e-01'
>>> f'{bounds.get("mgs_excess_pl").evaluate(c=2.5, tau=10, T=1000, M=1, mu=0.5, D0=1, **network):.6e}'
'1.348338e+00'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction
from bounds.catalogue.common import BATCH, BOUNDED, CONVEX, DOWN, MIXED, UP
from bounds.catalogue.mgs_common import AT_GRADIENTS, AT_READOUT, CONVEX_RATIO, EXCESS, MIXED_GOSSIP, READOUTS, STABLE, reconstructed
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity, UpdateForm

_RISK = r"\mathbb E[R(A)-R(\theta^*)] \le \mathbb E[R(A)-R_S(A)] + \mathbb E[R_S(A)-\min R_S]"
_DIRECTIONS = {"L": UP, "n": DOWN, "beta": UP, "sigma2": UP, "zeta2": UP, "gap": DOWN, "Q": DOWN}

mgs_excess_convex = Bound(
    id="mgs_excess_convex",
    title="Excess risk of D-SGD with multiple gossip steps, convex loss, averaged iterate",
    quantity=Quantity.EXCESS_RISK,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.ATC,),
    readouts=READOUTS,
    formula=Formula(
        ("L", "eta", "T", "m", "n", "beta", "sigma2", "zeta2", "r0", "gap", "Q"),
        ("b",),
        (
            MIXED_GOSSIP,
            CONVEX_RATIO,
            *AT_GRADIENTS,
            *AT_READOUT,
            Let("training", "r0**2/(eta*T) + eta*sigma2/(b*m) + 3/2*beta*spread + beta/2*apart", latex=r"\varepsilon"),
            Let("value", "L**2*eta*(T-1)/(m*n) + training"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=(Condition("4*eta*beta <= 1"), BATCH),
    properties=(CONVEX, *EXCESS),
    source=reconstructed(
        "li2025",
        "excess error, convex case",
        "The twin distance of the mean after t steps is at most 2 L eta t/(m n), so that of the average over the steps 0..T-1 at most "
        "L eta (T-1)/(m n); the training loss is that of mgs_convex, with the same step.",
        _RISK,
    ),
    directions=_DIRECTIONS | {"eta": MIXED, "T": MIXED, "m": MIXED, "r0": UP, "b": DOWN},
    recursion=Recursion(
        (("d", "0"), ("h", "0"), ("u", "r0**2/eta")),
        (("h", "h + d"), ("d", "d + 2*eta*L/(m*n)"), ("u", "u + eta*sigma2/(b*m) + 3/2*beta*spread")),
        "(L*h + u)/T + beta/2*apart",
        "equals",
        "Telescoped sums over T; the consensus distance rises from 0 and never passes its fixed point, which replaces it in every step.",
    ),
    reductions=(Reduction((("m", 1), ("zeta2", 0)), "equals", value="L**2*eta*(T-1)/n + r0**2/(eta*T) + eta*sigma2/b"),),
    notes="r0^2 bounds the mean over training sets of the squared distance from the minimiser of the training loss.",
)

_PL_LETS = (
    MIXED_GOSSIP,
    Let("step", "c/(1+tau)", latex=r"\eta_1"),
    Let("y", "x*(2+tau)/(1+tau)", latex="y"),
    Let("r", "y*(1+step*beta)", latex="r"),
    Let("z", "y*sqrt(zeta2)", latex="z"),
    Let("s2", "y**2*sigma2/b*(1-1/m)", latex="s^2"),
    Let("ratio", "((r*z + sqrt(z**2 + (1-r**2)*s2))/(1-r**2))**2", latex="B^2"),
    Let("drive", "beta*c**2/2*(sigma2/(b*m) + step*beta*ratio)", latex="d"),
    Let("decay", "max((1+tau)*D0, drive/(mu*c-1))", latex="V"),
    Let("apart", "0", readouts=("network_mean",), latex=r"\Xi_{\mathrm{out}}"),
    Let("apart", "ratio*(c/(T+1+tau))**2", latex=r"\Xi_{\mathrm{out}}"),
    Let("training", "decay/(T+1+tau) + beta/2*apart", latex=r"\varepsilon"),
    Let("gen", "least(t0, 0, T, M*b*t0/n + 2*L**2/(beta*m*n)*(growth(beta*c, t0+tau, T+tau) - 1))", latex=r"\mathrm{gen}"),
    Let("value", "gen + training"),
)

mgs_excess_pl = Bound(
    id="mgs_excess_pl",
    title="Excess risk of D-SGD with multiple gossip steps, smooth loss with the PL inequality, steps c/(t+tau)",
    quantity=Quantity.EXCESS_RISK,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.ATC,),
    readouts=READOUTS,
    formula=Formula(
        ("L", "c", "tau", "T", "m", "n", "beta", "M", "mu", "sigma2", "zeta2", "D0", "gap", "Q"), ("b",), _PL_LETS, defaults=(("b", 1),)
    ),
    conditions=(Condition("1 < mu*c"), Condition("mu <= beta"), Condition("beta*c <= 1+tau"), STABLE, BATCH),
    properties=(BOUNDED, *EXCESS),
    source=reconstructed(
        "li2025",
        "excess error under the PL inequality",
        "The generalization error is that of dsgd_nonconvex. The consensus distance is at most (B c/(t+tau))^2, B the fixed point of the "
        "recursion divided by the steps, which fall by at most (1+tau)/(2+tau); so the excess training loss before step t obeys "
        "e <- (1 - mu c/(t+tau)) e + d/(t+tau)^2, and V/(t+tau) bounds it because (s-1)/s^2 <= 1/(s+1).",
        _RISK,
    ),
    directions=_DIRECTIONS | {"M": UP, "mu": DOWN, "D0": UP} | dict.fromkeys(("c", "tau", "T", "m", "b"), MIXED),
    recursion=Recursion(
        (("d", "0"),),
        (("d", "when(t-t0, (1+beta*c/(t+tau))*d + 2*c*L/((t+tau)*m*n), 0)"),),
        "M*b*t0/n + L*d + training",
        "equals",
        "The affine map has the fixed point -2 L/(beta m n) whatever t is; the products telescope to gamma functions.",
        least="t0",
    ),
    reductions=(
        Reduction(
            (("D0", 0), ("sigma2", 0), ("zeta2", 0)),
            "equals",
            "dsgd_nonconvex",
            tuple((name, name) for name in ("L", "c", "tau", "T", "m", "n", "beta", "M", "b")),
        ),
    ),
    notes="mu is the PL constant of the training loss; D0, mu, sigma2 and zeta2 hold for every training set. mu c > 1 and mu <= beta "
    "give beta c > 1, so with this schedule the bound on the generalization error grows at least as sqrt(T): a smaller c is not free. "
    "L and M need only hold where the models can get; everywhere, only a constant loss is bounded and has the PL inequality.",
)

BOUNDS = (mgs_excess_convex, mgs_excess_pl)
