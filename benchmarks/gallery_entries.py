"""What the gallery shows: for each picture the commands that draw it, where it is found, and what is to be seen."""

from __future__ import annotations

from dataclasses import dataclass

_EXCESS = "L=1 beta=1 n=100 r0=1 sigma2=1 zeta2=1 b=1"
_MEASURE = "gossip-bounds measure docs/gallery_sweep.toml --out measured --csv measured.csv"
_COLUMNS = "--measured measured.csv --y generalization_error_at_node_average"
_VERIFY = "gossip-bounds verify cao2025-consensus-worse-than-diffusion cao2025-accuracy-two-factors --quick --out out"
_CERTIFIED = "dsgd_convex dsgd_worst_node_convex hardt2016_nonconvex mgs_generalization mgs_excess_convex consensus_distance_atc"


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture: ``commands`` draw it, the last one into ``found`` (a file, or PAGE#N for the N-th picture of a page)."""

    name: str
    title: str
    commands: tuple[str, ...]
    function: str
    shows: str
    alt: str
    found: str = ""

    @property
    def place(self) -> str:
        """Where the picture lies when the commands are done."""
        return self.found or f"{self.name}.png"


def _topology(kind: str, nodes: int, shows: str, alt: str) -> Entry:
    command = f"gossip-bounds topology {kind} --nodes {nodes} -o {kind}.png"
    return Entry(kind, f"Topology: {kind}", (command,), "topology_figure", shows, alt)


ENTRIES = (
    Entry(
        "families",
        "A bound over one parameter, with families",
        (f"gossip-bounds plot mgs_excess_convex T=10:1e5:60:log eta=0.001:0.1:3:log Q=1:4:2 m=16 gap=0.05 {_EXCESS} -o families.png",),
        "bound_over_parameter",
        "The first grid is the horizontal axis, the others make a line for each of their combinations. The excess risk falls with the steps and "
        "then rises again; four gossip steps help where the learning rate is large, and do nothing that can be seen where it is small.",
        "Six curves of an excess-risk bound over the steps, on logarithmic axes. For the learning rate 0.001 the curves for one and for four "
        "gossip steps lie on each other; for 0.1 the one for four lies below, up to fourteen times.",
    ),
    Entry(
        "measured",
        "A bound against a measured curve",
        (
            _MEASURE,
            f"gossip-bounds plot dsgd_convex T=25:800:40:log L=1.4143 beta=0.5 eta=0.5 m=8 n=16 {_COLUMNS} --x T --where n=16 -o measured.png",
        ),
        "bound_over_parameter",
        "Points are means of 20 replicates; either end of the band, taken alone, holds at all of them together with 95 % confidence. The upper end "
        "lies below the bound everywhere. The bound grows like T, the measured error levels off.",
        "The bound rises as a straight line from 0.4 to 12 over 25 to 800 steps, on logarithmic axes; the measured generalization error rises "
        "from 0.05 to 0.19 and bends away from it.",
    ),
    Entry(
        "tightness",
        "A tightness map",
        (
            _MEASURE,
            f"gossip-bounds plot dsgd_convex L=1.4143 beta=0.5 eta=0.5 m=8 --map {_COLUMNS} --x T --x2 n -o tightness.png",
        ),
        "tightness_figure",
        "Bound over measured mean at every point of a sweep; 1 would be tight. Here the factor grows with the steps and hardly depends on the "
        "samples: the measured error falls with n as the bound does, and rises more slowly with T. Brackets would mark means that the noise "
        "does not keep away from 0, a frame ones above the bound, hatching points outside the assumptions.",
        "A table of 6 numbers of steps by 4 numbers of samples per node. The ratio grows from about 8 at 25 steps to about 65 at 800, and is "
        "nearly the same for 8 to 64 samples.",
    ),
    Entry(
        "map",
        "A bound over two parameters",
        (
            f"gossip-bounds plot mgs_excess_convex eta=1e-4:1:80:log T=1:1e5:80:log m=16 gap=0.05 Q=1 {_EXCESS} --map --trivial 1 -o map.png",
        ),
        "value_map",
        "Level lines with their values. Hatched: the learning rate is too large for the theorem. Dotted: VACUOUS, the bound says less than "
        "the trivial bound given with `--trivial` (the loss's supremum M, say).",
        "A map over learning rate and steps. A valley below 0.1 lies at learning rates below 0.009 and more than 2,000 steps; outside a curved "
        "region around it the bound is above 1 and dotted; beyond a learning rate of 0.25 the map is hatched.",
    ),
    Entry(
        "gossip-steps",
        "The gossip-steps diagram",
        ("gossip-bounds gossip-steps target=1e-3 --nodes 4,16,64,100,256,1024,4096,10000 -o gossip-steps.png",),
        "gossip_steps_figure",
        "The smallest Q on each graph for each number of nodes; here for disagreements to shrink to 0.001 of what they were. With the id of a "
        "bound before the target, Q is what brings that bound to the target, and cells where no Q does are dotted.",
        "A table of five graphs by eight numbers of nodes. The ring needs 7 gossip steps for 4 nodes and 52 million for 10,000; the exponential "
        "graph 47 for 10,000, the complete graph always 1. The hypercube of 100 and of 10,000 nodes does not exist.",
    ),
    _topology(
        "ring",
        16,
        "The graph beside all eigenvalues of its mixing matrix. Broken lines are at plus and minus lambda = 1 - gap, the band above is the gap, "
        "squares are the eigenvalues that decide it. A ring's gap falls like 1/m^2.",
        "A ring of 16 nodes, and 16 eigenvalues that fall from 1 to -0.33 in pairs; the second is 0.9493, so that the gap is 0.05075.",
    ),
    _topology(
        "torus",
        16,
        "Four times four nodes, bent so that the edges round the torus are seen. The smallest eigenvalue, -0.6, is as far from 0 as the second.",
        "A torus of 4 by 4 nodes, and its eigenvalues 1, four times 0.6, six times 0.2, four times -0.2 and once -0.6; the gap is 0.4.",
    ),
    _topology(
        "hypercube",
        16,
        "The same graph as the torus of 16, drawn as a cube of four dimensions: the spectra agree.",
        "A hypercube of 16 nodes, and the same eigenvalues as those of the torus of 16 nodes; the gap is 0.4.",
    ),
    _topology(
        "exponential",
        16,
        "Neighbours at distances 1, 2, 4 and 8: more messages in a step than on a torus, and a gap that falls like 1/log m.",
        "A circle of 16 nodes with chords of lengths 2, 4 and 8, and eigenvalues from 1 to -0.27; the second is 0.5, so that the gap is 0.5.",
    ),
    _topology(
        "star",
        12,
        "With Metropolis weights a star is slow: every leaf keeps 11/12 of its own model.",
        "A star of 12 nodes, and its eigenvalues: 1, ten times 0.9167, and 0; the gap is 0.08333.",
    ),
    Entry(
        "crossover",
        "Which of two bounds is smaller",
        (
            f"gossip-bounds compare mgs_excess_convex dsgd_worst_node_convex eta=1e-4:1 T=1:1e5 m=16 gap=0.05 Q=1 {_EXCESS} "
            "--plot eta,T -o crossover.png",
        ),
        "crossover_figure",
        "Each region is named after the bound that is smaller in it; the line between was found by floats and Arb. White is outside the assumptions.",
        "A map over learning rate and steps, cut by one curve: above it mgs_excess_convex is smaller, below it dsgd_worst_node_convex; white "
        "beyond a learning rate of 0.25.",
    ),
    Entry(
        "certificates",
        "The certificates table",
        (f"gossip-bounds certificates {_CERTIFIED} --out out -o certificates.png",),
        "certificates_figure",
        "How bounds move with their parameters. Shaded arrows are proved in interval arithmetic over the default box, those both ways by two "
        "certified witnesses. Without ids: the whole catalogue, in a minute or two.",
        "A table of six bounds by their parameters. Nearly all cells are shaded as proved and hold an arrow up, down, level or both ways; one "
        "is hatched, for no direction is declared there.",
    ),
    Entry(
        "region",
        "Which answer holds where",
        (_VERIFY,),
        "region_figure",
        "A map that a claim of a paper brings into the report: the update form with the largest excess risk, with the borders that are proved.",
        "A map over an eigenvalue and the step times the curvature. Below the first border, at positive eigenvalues and small steps, CTA is "
        "largest; from there up to the second border the consensus form, which is unstable above it.",
        "out/report/figures/cao2025-consensus-worse-than-diffusion--one-hessian-cta-small-steps--map-1.png",
    ),
    Entry(
        "scatter",
        "A third number over two others",
        (_VERIFY,),
        "scatter_figure",
        "One point per method, a mean over replicates: its place, its shade (the accuracy), its marker. The lines are levels of the least squares "
        "plane through all runs. A quick look has three points, which decide nothing; the case is UNDECIDED.",
        "Three points over the logarithms of the training loss and of the Hessian's trace, shaded by accuracy, one marker per method, over the "
        "level lines of a plane.",
        "out/report/figures/cao2025-accuracy-two-factors--mlp-all-runs-not-flatness-alone--map-1.png",
    ),
    Entry(
        "false-alarms",
        "How often a verdict is wrong",
        (_VERIFY,),
        "calibration_figure",
        "Every run of `verify` measures its own verdicts where the truth is known: rates of wrong verdicts by kind of noise, against the nominal "
        "level, in `out/report/index.html`.",
        "Dots with intervals for eleven kinds of noise and test and both wrong words, beside a line at the nominal level of 5 %. Every interval "
        "reaches down to that line or lies below it.",
        "out/report/index.html#1",
    ),
    Entry(
        "power",
        "How often a violation is found",
        (_VERIFY,),
        "power_figure",
        "On the same page: the share of planted violations that are called VIOLATED, by how far the true bound was lowered.",
        "A curve that falls from 100 % to about 6 % as the factor on the bound rises from 0.5 to 0.98.",
        "out/report/index.html#2",
    ),
    Entry(
        "learning-curves",
        "Learning curves of other people's runs",
        ("gossip-bounds logs runs --out out",),
        "learning_curves",
        "A picture of `out/report/logs.html`: accuracy over the steps, one panel per batch, a line per network. These runs are made up; "
        "[logs.md](logs.md) says what the folder `runs` holds.",
        "Two panels of accuracy over the steps, for a small and a large batch, with lines for the centralized run, ring, grid and exponential graph.",
        "out/report/logs.html#1",
    ),
)
