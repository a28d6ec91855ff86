"""What the bounds of D-SGD with multiple gossip steps share: the consensus distance at the gradient points, and sources."""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.bound import Source
from bounds.catalogue.common import GOSSIP, UNIFORM
from bounds.formula import Let
from bounds.vocabulary import Readout

#: The mean over nodes of the network is exact in all of them; other readouts pay for the distance from it.
READOUTS = (Readout.NETWORK_MEAN, Readout.NODE_AVERAGE, Readout.GRADIENT_POINT)

UNPROJECTED = Property("unprojected")
SPREAD = (Property("symmetric"), Property("doubly_stochastic"), Property("common_start"), UNIFORM, UNPROJECTED)
EXCESS = (Property("symmetric"), *GOSSIP, UNPROJECTED)
STABLE = Condition("r < 1")

MIXED_GOSSIP = Let("x", "(1-gap)**Q", latex="x")
#: Local gradients that are only smooth stretch distances by 1 + eta beta; those of convex losses never do.
SMOOTH_RATIO = Let("r", "x*(1+eta*beta)", forms=("atc", "cta"), latex="r")
CONVEX_RATIO = Let("r", "x", forms=("atc", "cta"), latex="r")
CONSENSUS_RATIO = Let("r", "x + eta*beta", forms=("consensus",), latex="r")
_LIMIT = "((r*z + sqrt(z**2 + (1-r**2)*s2))/(1-r**2))**2"
_LIMIT_OF_X = "((r*eta*sqrt(zeta2) + sqrt(eta**2*zeta2 + (1-r**2)*eta**2*sigma2/b*(1-1/m)))/(1-r**2))**2"

#: ``spread``: the fixed point of the consensus distance where gradients are evaluated (CTA evaluates them at Y = W^Q X,
#: whose recursion is that of ATC).
AT_GRADIENTS = (
    Let("z", "x*eta*sqrt(zeta2)", forms=("atc", "cta"), latex="z"),
    Let("z", "eta*sqrt(zeta2)", forms=("consensus",), latex="z"),
    Let("s2", "x**2*eta**2*sigma2/b*(1-1/m)", forms=("atc", "cta"), latex="s^2"),
    Let("s2", "eta**2*sigma2/b*(1-1/m)", forms=("consensus",), latex="s^2"),
    Let("spread", _LIMIT, latex=r"\Xi"),
)
#: ``apart``: the consensus distance of the readout; CTA's X keeps the fresh gradients of its last step unmixed.
AT_READOUT = (
    Let("apart", "0", readouts=("network_mean",), latex=r"\Xi_{\mathrm{out}}"),
    Let("apart", _LIMIT_OF_X, forms=("cta",), readouts=("node_average",), latex=r"\Xi_{\mathrm{out}}"),
    Let("apart", "spread", latex=r"\Xi_{\mathrm{out}}"),
)

_SEED = "Li, Liu, Zhang, Cao, Yin, Shen (2025), {} (arXiv 2510.07980)"
_NAMES = {"li2025": _SEED, "koloskova2020": "Koloskova, Loizou, Boreiri, Jaggi, Stich (2020), {} (arXiv 2003.10422)"}


def reconstructed(paper: str, part: str, derivation: str, latex: str) -> Source:
    """A result whose theorem was not read; the expression is derived here."""
    return Source(paper, _NAMES[paper].format(part), derivation, "reconstructed", latex)
