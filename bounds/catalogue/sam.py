"""D-SGD as average-direction SAM: the smoothing of the gradient, and what the descent direction leaves out.

Problem: a loss that is alpha-Lipschitz and beta-smooth (smoothing), or whose fourth derivative is bounded by M4 (residual);
the same at all nodes.
Algorithm: gradients averaged over models spread around their mean, with covariance Xi.
Guarantee: UPPER. The Lipschitz constant of the gradient of E L(w + e), e Gaussian with least variance xi_min in any
direction (attained by a Huber loss); and the norm of the difference between a mean step of the averaged model and
-eta grad(L + Tr(H Xi)/2), with rho3 the mean cubed distance of the nodes from their mean.

>>> import bounds
>>> f'{bounds.get("smoothing_lipschitz").evaluate(alpha=1, beta=10, xi_min=0.25):.6e}'
'1.585194e+00'
>>> f'{bounds.get("sam_residual").evaluate(eta=0.1, M4=2, rho3=0.03):.6e}'
'1.000000e-03'
"""

from __future__ import annotations

from bounds.assumptions import Property
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import DECENTRALIZED, DOWN, UP
from bounds.formula import Formula, Let
from bounds.vocabulary import Kind, Quantity, Readout, UpdateForm

_PAPER = "Zhu, He, Chen, Song, Tao (2023) (arXiv 2306.02913)"

smoothing_lipschitz = Bound(
    id="smoothing_lipschitz",
    title="Lipschitz constant of the gradient of a loss smoothed by Gaussian noise",
    quantity=Quantity.OTHER,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.CENTRALIZED, *DECENTRALIZED),
    readouts=(Readout.NETWORK_MEAN,),
    formula=Formula(("alpha", "beta", "xi_min"), (), (Let("value", "when(xi_min, beta*erf(alpha/(beta*sqrt(2*xi_min))), beta)"),)),
    source=Source(
        "zhu2023",
        f"gradient smoothing of {_PAPER}, whose constant was not read; the sharp one is derived here",
        "Along a unit vector u the second derivative of the smoothed loss is a Gaussian mean of one that lies in [-beta, beta] and "
        "integrates to at most 2 alpha over any interval: it is largest when it is beta on a central interval of length 2 alpha/beta. "
        "The variance along u, given the rest, is at least xi_min.",
        "recalled",
        latex=r"\min\{c\,\alpha/\sigma_{\min},\ \beta\}",
    ),
    directions={"alpha": UP, "beta": UP, "xi_min": DOWN},
    reductions=(Reduction((("xi_min", 0),), "equals", value="beta"),),
    notes="At most min(beta, sqrt(2/pi) alpha/sqrt(xi_min)). With fewer than d + 1 nodes the spread of the nodes leaves a direction "
    "flat, so xi_min = 0 and nothing is gained there. It speaks of a Gaussian, not of the m points themselves.",
)

sam_residual = Bound(
    id="sam_residual",
    title="Step of the averaged model against a step on the loss with its sharpness penalty",
    quantity=Quantity.OTHER,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=(Readout.NETWORK_MEAN,),
    formula=Formula(("eta", "M4", "rho3"), (), (Let("value", "eta*M4/6*rho3"),)),
    properties=(Property("doubly_stochastic"), Property("common_loss")),
    source=Source(
        "zhu2023",
        f"main theorem of {_PAPER}; its residual has no constants, the one here is derived",
        "Taylor's theorem of order 3 for the mean of the gradients around the mean model; the first-order terms sum to 0.",
        "primary",
        latex=r"\mathbb E[w_a(t+1)] = w_a(t) - \eta\,\mathbb E_{\epsilon\sim N(0,\Xi(t))}[\nabla L_{w_a(t)+\epsilon}] "
        r"+ O\Big(\eta\,\mathbb E\|\epsilon\|_2^3 + \frac{\eta}{m}\sum_j \|w_j(t)-w_a(t)\|_2^3\Big)",
    ),
    directions={"eta": UP, "M4": UP, "rho3": UP},
    reductions=(Reduction((("rho3", 0),), "equals", value="0"),),
    notes="0 for a cubic loss. Spread at the points where gradients are evaluated; Xi is held fixed in the gradient. With unequal "
    "losses a first-order term (1/m) sum (H_k - H) delta_k is added.",
)

BOUNDS = (smoothing_lipschitz, sam_residual)
