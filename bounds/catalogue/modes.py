"""What the exact theory of quadratics shares: one scalar recursion per eigenvector of W and eigenvector of the Hessian.

With one Hessian for all nodes, the part z of the models along an eigenvector of W (eigenvalue l) and one of the Hessian
obeys z <- a z - eta w (g + s): g the heterogeneity, s the noise of the gradients, a and w by update form

    consensus form: a = l^Q - x, w = 1;   ATC: a = l^Q (1 - x), w = l^Q;   CTA: a = l^Q (1 - x), w = 1   (x = eta curvature).
"""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.vocabulary import Readout, UpdateForm

QUADRATIC = Property("quadratic")
COMMON_HESSIAN = Property("common_hessian")
COMMON_NOISE = Property("common_noise")
SYMMETRIC = (Property("symmetric"), Property("doubly_stochastic"))
#: The worst node is none of them: it depends on the eigenvectors of W too.
READOUTS = (Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT)

#: The mode of eigenvalue 1 belongs to the network mean; a second one of modulus 1 never forgets its start.
MIXES = Condition("total(l, spectrum, when(1-l**2, 0, 1)) <= 1")
#: The local gradients at the minimum sum to 0; numerical eigenvectors leave a trace of them in the first row.
BALANCED = Condition(
    "total(row, heterogeneity, total(g, row, g**2)) <= (1+1e-12)*total(row, tail(heterogeneity), total(g, row, g**2))",
    given=("heterogeneity",),
)


def walk(form: UpdateForm, curvature: str) -> str:
    """The factor a as text, in the eigenvalue ``l`` of W."""
    return f"(l**Q - eta*{curvature})" if form is UpdateForm.CONSENSUS else f"(l**Q*(1 - eta*{curvature}))"


def weight(mixed: bool) -> str:
    """w^2 as the first factor of a text; at the gradient point of CTA the models are mixed once more, so w = l^Q there too."""
    return "l**(2*Q)*" if mixed else ""


def noise_sum(form: UpdateForm, mixed: bool, modes: str) -> str:
    """Sum over ``modes`` and the Hessian of curvature * variance * w^2/(1-a^2)."""
    a = walk(form, "p")
    return f"total(l, {modes}, total(p, rho, v, r, {weight(mixed)}p*v/((1-{a})*(1+{a}))))"


def bias_sum(form: UpdateForm, mixed: bool) -> str:
    """Sum over all modes but the mean's and the Hessian of curvature * (w g/(1-a))^2."""
    a = walk(form, "p")
    return f"total(l, tail(spectrum), row, tail(heterogeneity), total(p, rho, g, row, {weight(mixed)}p*g**2/(1-{a})**2))"
