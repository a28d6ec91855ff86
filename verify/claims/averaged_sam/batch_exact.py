"""Does the consensus distance decrease with the total batch? Exact answers of the linear dynamics, regime by regime."""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy

from bounds.setting import Fact, Schedule
from bounds.symbols import symbol
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import Quantity, UpdateForm, word
from empirical.oracles import Method, Quadratic, steady_state
from verify.claims.averaged_sam import spread_forms
from verify.claims.averaged_sam.spread_forms import apart, phi_psi, ring_phi_psi, solved_phi_psi
from verify.claims.flatness import modes
from verify.finding_case import Finding
from verify.verdict import Curve, Numbers, Table, Verdict

#: A decrease by less than this share counts as none.
MARGIN = 0.1
NAMES = {"consensus": "the consensus form", "atc": "ATC"}
_AGREE = 1e-9
_BATCHES = (1, 4, 16, 64, 256, 1024)
_GRAPHS = (("ring", 16), ("torus", 16), ("exponential", 16), ("complete", 16))
#: The published training: 16 nodes on a ring, 3125 samples each, step 0.1 at batches of 64 and 0.8 at 512.
_PUBLISHED, _PUBLISHED_SAMPLES = (64, 512), 3125
_REGION = {"consensus": modes.STABLE, "atc": modes.WIDE}


@cache
def agreement() -> float:
    """The worst relative difference between closed forms and moment equations: ring sizes, graphs, curvatures, relabelled graphs."""
    worst = [apart(ring_phi_psi(m), solved_phi_psi("consensus", topology("ring", m))) for m in (4, 7, 16, 33)]
    for name, m in _GRAPHS:
        worst += [apart(phi_psi("consensus", topology(name, m), x), solved_phi_psi("consensus", topology(name, m), x)) for x in (0.0, 0.1)]
    worst += [apart(phi_psi("atc", topology(name, m), 0.1), solved_phi_psi("atc", topology(name, m), 0.1)) for name, m in _GRAPHS[:3]]
    for m in (4, 5):
        worst.append(apart(spread_forms.shuffled_phi_psi(topology("ring", m)), spread_forms.solved_shuffled_phi_psi(topology("ring", m))))
    return max(worst)


def recursion(form: str, eta: float, b: int, pulled: bool = False) -> float:
    """Tr Xi of the moment recursions on the ring of 8, h = 1, noise variance 1; ``pulled``: zeta2 = 1, of one size in every mode."""
    W = topology("ring", 8)
    places = np.linalg.eigh(W.matrix)[1][:, :-1] * np.sqrt(8 / 7) if pulled else np.zeros((8, 1))
    d = places.shape[1]
    problem = Quadratic(np.eye(d), places, np.eye(d) / d)
    method = Method(update_form=word(UpdateForm, form), schedule=Schedule(eta), mixing=W, b=b)
    return steady_state(method, problem).consensus_distance("node_average")


def same_data(form: str) -> Finding:
    """Without heterogeneity every mode is a positive number over b."""
    found = np.array([recursion(form, 0.05, b) for b in _BATCHES])
    line = 0.05**2 / np.array(_BATCHES) * phi_psi(form, topology("ring", 8), 0.05)[0]
    worst = max(agreement(), float(np.abs(found / line - 1).max()))
    slope = _slope(_BATCHES, found)
    rows = tuple((f"{name} of {m}", *phi_psi(form, topology(name, m)), _bounded(form, topology(name, m))) for name, m in _GRAPHS)
    table = Table(
        "Flat directions: Tr Xi = eta^2 (sigma2 phi/b + zeta2 psi)", ("graph", "phi", "psi", "least phi for its mean square weight"), rows
    )
    if worst > _AGREE or not modes.proved(modes.noise(form), _REGION[form], (0, 1)) or abs(slope + 1) > _AGREE:
        return Finding(Verdict.UNDECIDED, f"Closed forms and moment recursions differ by {worst:.1g}.", tables=(table,))
    reason = (
        f"Below the edge of stability, at a fixed step and with the same distribution of samples at every node, Tr Xi of {NAMES[form]} is exactly "
        "proportional to 1/b: every mode's share eta^2 sigma2/(b m) w^2/(1 - a^2) is proved to be a positive number over b, and so is Tr(H Xi)/2, the "
        f"sharpness regularizer. From b = 1 to {_BATCHES[-1]} it falls to {found[-1] / found[0]:.3g} of its value (slope {slope:.6g}); "
        f"closed forms and moment recursions agree to {worst:.0e}."
    )
    return Finding(Verdict.VIOLATED, reason, _numbers(found), None, _conditions("ring", 8, eta=0.05), tables=(table,))


def _bounded(form: str, W: MixingMatrix) -> Fact:
    return spread_forms.jensen(W) if form == "consensus" else "consensus form only"


def relabelled() -> Finding:
    """Graphs relabelled at every step reach the lower bound that Jensen's inequality gives, and fall as 1/b like all others."""
    rows, worst = [], 0.0
    for m in (4, 5, 16):
        W = topology("ring", m)
        phi, psi = spread_forms.shuffled_phi_psi(W)
        solved = spread_forms.solved_shuffled_phi_psi(W) if m < 6 else (phi, psi)
        worst = max(worst, apart((phi, psi), solved), abs(phi / spread_forms.jensen(W) - 1))
        rows.append((m, phi, psi, *phi_psi("consensus", W)))
    table = Table("A ring relabelled at every step, and a fixed one", ("m", "phi", "psi", "phi, fixed", "psi, fixed"), tuple(rows))
    phi, fixed = rows[-1][1], rows[-1][3]
    if worst > _AGREE or not phi < fixed:
        return Finding(Verdict.UNDECIDED, f"Closed form and averaged recursion differ by {worst:.1g}.", tables=(table,))
    reason = (
        f"On a ring relabelled at random at every step Tr Xi = eta^2 sigma2 phi/b with phi = (m-1)/(m (1-r)), r the mean squared eigenvalue but the first: "
        f"{phi:.4g} for 16 nodes against {fixed:.4g} on the fixed ring, the least that any graph of this r has (Jensen), and again proportional to 1/b. "
        f"Closed form and recursion over all m! relabellings agree to {worst:.0e}."
    )
    found = phi / np.array(_BATCHES)
    return Finding(Verdict.VIOLATED, reason, _numbers(found), None, _conditions("ring, relabelled", 16, h=0), tables=(table,))


def partition(form: str, late: bool) -> Finding:
    """A fixed random partition: a part that falls as 1/b and one that stays, equal at b* = phi sigma2/(psi zeta2)."""
    crossing, ratio = published_crossing(form), 10.0
    noise, pulled = recursion(form, 0.05, 1), recursion(form, 0.05, 10**12, True)
    phi, psi = phi_psi(form, topology("ring", 8), 0.05)
    worst = max(apart((noise / 0.05**2, pulled / 0.05**2), (phi, psi)), agreement())
    batches = np.array([10.0, 20, 50, 100, 1000]) if late else np.array([0.02, 0.05, 0.1, 0.3, 1])
    found = 1 + 1 / batches
    fall = 1 - (1.0 if late else float(found[-1])) / float(found[0])
    numbers = Numbers(float(found[-1] / found[0]), float(found[-1] / found[0]), float(found[-1] / found[0]), 1 - MARGIN)
    if worst > _AGREE:
        return Finding(Verdict.UNDECIDED, f"Closed forms and moment recursions differ by {worst:.1g}.", numbers)
    parts = (
        f"Tr Xi of {NAMES[form]} is eta^2 zeta2 psi (1 + b*/b), b* = phi sigma2/(psi zeta2): heterogeneity leaves a part that no batch averages out. A random "
        f"partition has zeta2 = sigma2/n (m-1)/m, so on the ring of 16 with 3125 samples a node (flat directions) b* = {crossing:.4g}. "
    )
    told = (
        f"Beyond {ratio:g} b* all that is left to lose, up to an infinite batch, is {fall:.3g} of the value: less than the margin of {MARGIN:g}."
        if late
        else f"Below b* it is the falling part that rules: from 0.02 b* to b* it falls to {found[-1] / found[0]:.3g} of its value."
    )
    shown = np.array([0.02, 0.1, 0.3, 1, 3, 10, 30, 100])
    curve = _curve("b", tuple(shown * crossing), 1 + 1 / shown, "part that stays", np.ones_like(shown))
    facts = _conditions("ring", 16, h=0) | {"n": _PUBLISHED_SAMPLES, "b/b*": f"{batches[0]:g} to {'infinity' if late else '1'}"}
    verdict = Verdict.HOLDS if late and fall < MARGIN else Verdict.VIOLATED if fall > MARGIN else Verdict.UNDECIDED
    return Finding(verdict, told + " " + parts.strip(), numbers, None, facts, {}, (curve,) if late and form == "consensus" else ())


def published_crossing(form: str) -> float:
    """b* of the published training: N_loc phi m/(psi (m-1)) in flat directions."""
    m, n = 16, _PUBLISHED_SAMPLES
    phi, psi = phi_psi(form, topology("ring", m))
    return n * phi * m / (psi * (m - 1))


def published(scaled: bool) -> Finding:
    """The published training from local batches of 64 to 512: at a fixed step, or at steps of 0.1 and 0.8."""
    crossing = published_crossing("consensus")
    small, large = (1 + crossing / b for b in _PUBLISHED)
    ratio = large / small * (64.0 if scaled else 1.0)
    weighted = ratio * (8.0 if scaled else 1.0)
    numbers = Numbers(ratio, ratio, ratio, 1.0, 1 / ratio)
    how = "with the step scaled from 0.1 to 0.8" if scaled else "at one step"
    reason = (
        f"From local batches of 64 to 512 {how}, on the ring of 16 with a fixed random partition of 50,000 samples, Tr Xi changes by the factor {ratio:.4g} "
        f"(times the step: {weighted:.4g}) in flat directions: the part of the noise and the part of the partition are equal at b* = {crossing:.4g}."
    )
    facts = _conditions("ring", 16, h=0) | {"n": _PUBLISHED_SAMPLES, "b": "64, 512", "eta": "0.1, 0.8" if scaled else "fixed"}
    return Finding(Verdict.HOLDS if ratio >= 1 - MARGIN else Verdict.VIOLATED, reason, numbers, None, facts)


def scaled_step(form: str) -> Finding:
    """eta = c b: both parts are proved to grow over all steps at which the form is stable; orders 1 and 2 where it is flat."""
    x = modes.X
    grows = [sympy.diff(x * modes.noise(form), x), sympy.diff(x**2 * modes.bias(form), x)]
    known = all(modes.proved(one, _REGION[form], (0, 1)) for one in grows)
    W, batches = topology("ring", 16), (1, 4, 16, 64)
    slopes = [
        _slope(batches, np.array([spread_forms.trace(form, W, 0.01 * b, b, *part) for b in batches])) for part in ((1.0, 0.0), (0.0, 1.0))
    ]
    curved = np.array([recursion(form, 0.01 * b, b) for b in (1, 2, 4, 8, 16, 32)])
    orders = tuple((part, slope, slope + 1) for part, slope in zip(("noise", "heterogeneity"), slopes, strict=True))
    table = Table("eta = c b in flat directions", ("part", "order of Tr Xi in b", "order of eta Tr Xi"), orders)
    if not known or not (np.diff(curved) > 0).all() or agreement() > _AGREE:
        return Finding(Verdict.UNDECIDED, "The growth was not proved.", _numbers(curved), tables=(table,))
    reason = (
        f"With the step proportional to the batch, eta = c b, Tr Xi of {NAMES[form]} grows with b: the share of every mode, that of the noise and that of the "
        "heterogeneity, is proved to grow with the step for every eigenvalue in (-1, 1), wherever the form is stable. In flat directions the orders in b "
        f"are {slopes[0]:.4g} (noise) and {slopes[1]:.4g} (heterogeneity), one more for eta Tr Xi; with curvature less: at eta = 0.01 b, h = 1 the "
        f"recursion grows by the factor {curved[-1] / curved[0]:.4g} from b = 1 to 32."
    )
    return Finding(Verdict.HOLDS, reason, _numbers(curved), None, _conditions("ring", 8, eta="0.01 b"), tables=(table,))


def through_nodes(name: str, sizes: tuple[int, ...]) -> Finding:
    """The total batch m b grown through m, b and eta fixed, no heterogeneity."""
    found = np.array([phi_psi("consensus", topology(name, m))[0] for m in sizes])
    curved = np.array([phi_psi("consensus", topology(name, m), 0.05)[0] for m in sizes])
    worst = agreement()
    if name == "ring":
        worst = max([worst, *(apart(ring_phi_psi(m), phi_psi("consensus", topology("ring", m))) for m in sizes)])
    never = bool((np.diff(found) > 0).all() and (np.diff(curved) > 0).all())
    falls = next((k for k in range(1, len(sizes)) if found[k] < found[k - 1] * (1 - _AGREE)), None)
    table = Table(
        "phi as the graph grows",
        ("m", "phi, flat", "phi, eta h = 0.05"),
        tuple(zip(sizes, map(float, found), map(float, curved), strict=True)),
    )
    if worst > _AGREE or (falls is None and not never):
        return Finding(Verdict.UNDECIDED, f"Closed forms and moment equations differ by {worst:.1g}.", tables=(table,))
    told = "grows from every size to the next" if falls is None else f"falls from m = {sizes[falls - 1]} to {sizes[falls]} and on"
    limit = {"ring": " (close to m/8)", "complete": " ((m-1)/m: even complete averaging leaves the consensus form a spread)"}
    reason = (
        f"With the batch grown through the number of nodes at a fixed local batch and step, Tr Xi = eta^2 sigma2/b phi(m) on the {name} "
        f"graph {told}: phi goes from {found[0]:.4g} at m = {sizes[0]} to {found[-1]:.4g} at m = {sizes[-1]} in flat directions{limit.get(name, '')}, "
        f"and from {curved[0]:.4g} to {curved[-1]:.4g} at eta h = 0.05."
    )
    curve = _curve(
        "m", sizes, found, "m/8" if name == "ring" else "limit 1", np.array(sizes) / 8 if name == "ring" else np.ones(len(sizes))
    )
    verdict = Verdict.HOLDS if falls is None else Verdict.VIOLATED
    shown = found if falls is None else found[falls - 1 : falls + 1]
    return Finding(verdict, reason, _numbers(shown), None, _conditions(name, "grows"), {}, (curve,) if name == "ring" else (), (table,))


def _slope(x: tuple[int, ...], y: np.ndarray) -> float:
    return float(np.log(y[-1] / y[0]) / np.log(x[-1] / x[0]))


def _numbers(found: np.ndarray) -> Numbers:
    """The last value against the first, which it would have to reach."""
    last, first = float(found[-1]), float(found[0])
    return Numbers(last, last, last, first, first / last)


def _conditions(graph: str, m: int | str, **more: Fact) -> dict[str, Fact]:
    return {"topology": graph, "m": m, "dynamics": "linear gradients, steady state", **more}


def _curve(name: str, x: tuple[float, ...], found: np.ndarray, words: str, line: np.ndarray) -> Curve:
    places = np.array(x, dtype=np.float64)
    held = np.asarray(line, dtype=np.float64)
    return Curve.exact(symbol(name), Quantity.OTHER, places, found, held, label="consensus distance, rescaled", bound_label=words)
