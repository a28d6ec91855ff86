"""Optimization error of D-SGD with multiple gossip steps on the training loss f, constant steps.

Problem: mean f of m beta-smooth local objectives, gradient noise of variance sigma2/b at each node, heterogeneity zeta2;
f bounded below, or with the PL inequality, or a mean of convex objectives.
Algorithm: D-SGD with Q gossip steps a step, T constant steps, no projection, all nodes starting from one point.
Guarantee: UPPER. Only the consensus distance depends on the graph; it vanishes with Q for ATC and CTA, and for the
consensus form it has a floor.

>>> import bounds
>>> network = {"m": 16, "gap": 0.1, "sigma2": 1, "zeta2": 0.5, "beta": 1}
>>> f'{bounds.get("mgs_stationarity").evaluate(eta=0.1, T=1000, D0=1, Q=4, **network):.6e}'
'6.757734e-02'
>>> f'{bounds.get("mgs_pl").evaluate(eta=0.1, T=1000, D0=1, mu=0.1, Q=4, **network):.6e}'
'2.379196e-01'
>>> f'{bounds.get("mgs_convex").evaluate(eta=0.1, T=1000, r0=1, Q=4, **network):.6e}'
'5.989787e-02'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction
from bounds.catalogue.common import CONVEX, DECENTRALIZED, DOWN, MIXED, UP
from bounds.catalogue.mgs_common import (
    AT_GRADIENTS,
    AT_READOUT,
    CONSENSUS_RATIO,
    CONVEX_RATIO,
    MIXED_GOSSIP,
    READOUTS,
    SMOOTH_RATIO,
    SPREAD,
    STABLE,
    reconstructed,
)
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity, Readout

_START = ("eta", "T", "m", "beta", "sigma2", "zeta2")
_NETWORK = ("gap", "Q")
_SMOOTH = (MIXED_GOSSIP, SMOOTH_RATIO, CONSENSUS_RATIO, *AT_GRADIENTS)
_DIRECTIONS = {"eta": MIXED, "T": DOWN, "m": MIXED, "beta": UP, "sigma2": UP, "zeta2": UP, "gap": DOWN, "Q": DOWN, "b": DOWN}
_MEAN = "The mean over nodes moves by -(eta/m) sum_k g_k(x_k) in all three update forms; "
_READ = "The node average costs beta/2 times the consensus distance of the readout more (its linear term cancels)."
_FIXED = "The consensus distance rises from 0 and never passes its fixed point, which replaces it in every step."

mgs_stationarity = Bound(
    id="mgs_stationarity",
    title="Mean squared gradient norm of D-SGD with multiple gossip steps, smooth loss",
    quantity=Quantity.GRADIENT_NORM,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=(Readout.NETWORK_MEAN,),
    formula=Formula(
        (*_START, "D0", *_NETWORK),
        ("b",),
        (*_SMOOTH, Let("value", "2*D0/(eta*T) + beta*eta*sigma2/(b*m) + beta**2*spread")),
        defaults=(("b", 1),),
    ),
    conditions=(Condition("eta <= 1/beta"), STABLE),
    properties=SPREAD,
    source=reconstructed(
        "koloskova2020",
        "non-convex case",
        _MEAN + "for eta <= 1/beta the loss there falls by (eta/2) norm(grad f)^2 up to (eta beta^2/2) times the consensus distance and "
        "beta eta^2 sigma2/(2 b m).",
        r"\frac1T\sum_{t<T}\mathbb E\|\nabla f(\bar x_t)\|^2 = \mathcal O\!\left(\frac{D_0}{\eta T} + \frac{\beta\eta\sigma^2}{m}"
        r" + \beta^2\eta^2\Big(\frac{\zeta^2}{p^2}+\frac{\sigma^2}{p}\Big)\right)",
    ),
    directions=_DIRECTIONS | {"D0": UP},
    recursion=Recursion(
        (("u", "2*D0/eta"),), (("u", "u + beta*eta*sigma2/(b*m) + beta**2*spread"),), "u/T", "equals", f"A telescoped sum over T. {_FIXED}"
    ),
    reductions=(Reduction((("m", 1), ("zeta2", 0)), "equals", value="2*D0/(eta*T) + beta*eta*sigma2/b"),),
    notes="The mean over the steps 0..T-1 of the squared gradient norm of f at the mean over nodes.",
)

mgs_pl = Bound(
    id="mgs_pl",
    title="Excess training loss of D-SGD with multiple gossip steps, PL inequality",
    quantity=Quantity.OTHER,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=READOUTS,
    formula=Formula(
        (*_START, "D0", *_NETWORK, "mu"),
        ("b",),
        (
            *_SMOOTH,
            *AT_READOUT,
            Let("floor", "beta**2*spread/2 + beta*eta*sigma2/(2*b*m)", latex=r"\varepsilon"),
            Let("value", "(1-eta*mu)**T*D0 + eta*geometric(1-eta*mu, T)*floor + beta/2*apart"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=(Condition("eta <= 1/beta"), Condition("mu <= beta"), STABLE),
    properties=SPREAD,
    source=reconstructed(
        "li2025",
        "optimization under the PL inequality",
        _MEAN + "for eta <= 1/beta the excess loss there obeys e <- (1-eta mu) e + eta beta^2/2 times the consensus distance + beta eta^2 "
        "sigma2/(2 b m).",
        r"\mathbb E[f(\bar x_T)-f^*] \le (1-\eta\mu)^T D_0 + \mathcal O\!\left(\frac{\beta\eta\sigma^2}{\mu m}"
        r" + \frac{\beta^2}{\mu}\,e^{-c\,\delta Q}\right)",
    ),
    directions=_DIRECTIONS | {"T": MIXED, "D0": UP, "mu": DOWN},
    recursion=Recursion(
        (("e", "D0"),), (("e", "(1-eta*mu)*e + eta*floor"),), "e + beta/2*apart", "equals", f"An affine recursion. {_FIXED}"
    ),
    reductions=(Reduction((("m", 1), ("zeta2", 0)), "equals", value="(1-eta*mu)**T*D0 + beta*eta*sigma2/(2*b*mu)*(1 - (1-eta*mu)**T)"),),
    notes=f"mu is the PL constant of f: norm(grad f)^2 >= 2 mu (f - min f). {_READ}",
)

mgs_convex = Bound(
    id="mgs_convex",
    title="Excess training loss of D-SGD with multiple gossip steps, convex loss, averaged iterate",
    quantity=Quantity.OTHER,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=READOUTS,
    formula=Formula(
        (*_START, "r0", *_NETWORK),
        ("b",),
        (
            MIXED_GOSSIP,
            CONVEX_RATIO,
            CONSENSUS_RATIO,
            *AT_GRADIENTS,
            *AT_READOUT,
            Let("value", "r0**2/(eta*T) + eta*sigma2/(b*m) + 3/2*beta*spread + beta/2*apart"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=(Condition("4*eta*beta <= 1"), Condition("r < 1", forms=("consensus",))),
    properties=(CONVEX, *SPREAD),
    source=reconstructed(
        "koloskova2020",
        "convex case",
        _MEAN + "for eta <= 1/(4 beta) its squared distance from a minimiser falls by eta (f - f*) up to 3/2 eta beta times the consensus "
        "distance and eta^2 sigma2/(b m). Gradient steps on convex losses do not stretch the distances between nodes.",
        r"f(\bar x_{\mathrm{avg}})-f^* = \mathcal O\!\left(\frac{r_0^2}{\eta T} + \frac{\eta\sigma^2}{m}"
        r" + \beta\eta^2\Big(\frac{\zeta^2}{p^2}+\frac{\sigma^2}{p}\Big)\right)",
    ),
    directions=_DIRECTIONS | {"r0": UP},
    recursion=Recursion(
        (("u", "r0**2/eta"),),
        (("u", "u + eta*sigma2/(b*m) + 3/2*beta*spread"),),
        "u/T + beta/2*apart",
        "equals",
        f"A telescoped sum over T. {_FIXED}",
    ),
    reductions=(Reduction((("m", 1), ("zeta2", 0)), "equals", value="r0**2/(eta*T) + eta*sigma2/b"),),
    notes=f"The loss of the average over the steps 0..T-1. {_READ}",
)

BOUNDS = (mgs_stationarity, mgs_pl, mgs_convex)
