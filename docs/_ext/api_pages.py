"""The reference pages of the public names, grouped as people look for them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from markup import directive, page, plain, section, toctree

FOLDER = "api"


@dataclass(frozen=True, slots=True)
class Group:
    """Names of one module under a heading; without ``names`` all that the module exports and no earlier group has."""

    title: str
    module: str
    names: str = ""
    text: str = ""


PAGES: dict[str, tuple[str, str, tuple[Group, ...]]] = {
    "bounds": (
        "Bounds",
        "``import bounds``: find a bound, evaluate it, ask questions about it.",
        (
            Group("Find and evaluate", "bounds", "get entries Bound Source Reduction Condition Let"),
            Group("Ask", "bounds", "certify Certificate Witness compare Comparison Crossing crossover Plane calibrate Calibration"),
            Group("Orders and limits", "bounds", "rate Rate limit Limit"),
            Group("What ran", "bounds", "Setting LossClass Constant Network Schedule"),
            Group("Words", "bounds", "Quantity Kind UpdateForm Readout Direction"),
            Group("Symbols", "bounds", "symbol register Symbol Domain Array"),
            Group("Theorems of your own", "bounds", "define one_step load"),
        ),
    ),
    "testing": (
        "Property tests",
        "Ready assertions about a bound, and strategies of hypothesis for assertions of your own; they need the extra ``testing``.",
        (
            Group("Assertions", "bounds.testing", "assert_monotone assert_dominates assert_reduces_to"),
            Group("Strategies", "bounds.strategies", "admissible_points admissible_pairs parameter_values"),
        ),
    ),
    "topology": ("Topologies", "Graphs, mixing matrices and spectra.", (Group("Topologies", "bounds.topology"),)),
    "certificates": (
        "Proofs and checks",
        "What stands behind ``bounds.certify``, ``compare`` and ``calibrate``, and the independent check of saved certificates.",
        (
            Group("Certificates", "bounds.certificates"),
            Group("Check of saved certificates", "bounds.checker"),
            Group("Comparison", "bounds.comparison"),
            Group("Calibration", "bounds.calibration"),
        ),
    ),
    "cost": ("Cost of gossip", "Bytes and seconds of a step, and the cheapest way to a target.", (Group("Cost", "bounds.cost"),)),
    "expressions": ("Expressions", "The language that bounds are written in.", (Group("Expressions", "bounds.expression"),)),
    "errors": (
        "Errors",
        "Every error is one line that says what was got, what is allowed and how to fix it, and derives from the builtin that people catch.",
        (Group("Errors", "bounds.errors"),),
    ),
    "runs": (
        "Runs and measurements",
        "``import empirical``: train networks and measure what theory speaks about.",
        (
            Group("Measure", "empirical"),
            Group("Problems", "empirical.problems"),
            Group("A module of your own", "empirical.problems.module", "ModuleProblem"),
            Group("Its losses", "empirical.models.losses", "LOSSES cross_entropy squared_error"),
            Group("Models", "empirical.models"),
            Group("Measured files", "empirical.store"),
        ),
    ),
    "data": ("Data and constants", "Data sets as populations, and constants of a model.", (
        Group("Image sets", "empirical.data"),
        Group("Constants", "empirical.constants"),
    )),
    "exact": ("Exact oracles and curvature", "Expectations without sampling error, and the curvature of losses.", (
        Group("Oracles", "empirical.oracles"),
        Group("Curvature", "empirical.curvature"),
    )),
    "exits": ("Exit times", "Walkers that leave a basin, and statistics that know of censoring.", (Group("Exit times", "empirical.exits"),)),
    "logs": ("Logs", "Other people's logs, and what they support.", (
        Group("Read", "empirical.logs"),
        Group("Judge", "verify.logged"),
    )),
    "distributed": ("One process per node", "A decentralized run over torch.distributed.", (Group("Distributed", "empirical.distributed"),)),
    "verdicts": (
        "Claims and verdicts",
        "Where bounds meet runs.",
        (
            Group("Verdicts", "verify.verdict", "Verdict Evidence CaseResult Numbers Curve Table Map Scatter"),
            Group("Suites", "verify.suite", "Suite select budgets cases run_suite"),
            Group("Statistics", "verify.statistics"),
            Group("Audit", "verify.audit"),
        ),
    ),
    "figures": (
        "Figures and pages",
        "``import figures``: every function takes results and returns a matplotlib figure or writes a page; none computes a number.",
        (Group("Figures", "figures"), Group("Reports", "figures.report"), Group("Explorer", "figures.explorer")),
    ),
}  # fmt: skip


def pages() -> dict[str, str]:
    """Every page by name."""
    taken: set[int] = set()
    found = {f"{FOLDER}/{name}": _page(title, text, groups, taken) for name, (title, text, groups) in PAGES.items()}
    intro = "The public names of the packages. Imports go one way: ``gossip_bounds``, ``figures``, ``verify``, ``empirical``, ``bounds``."
    return found | {f"{FOLDER}/index": page("Python reference", intro, toctree(list(PAGES), maxdepth="2"))}


def names_of(group: Group) -> list[str]:
    """The names of a group, in order."""
    module = import_module(group.module)
    if group.names:
        return group.names.split()
    exported = getattr(module, "__all__", None)
    return (
        list(exported) if exported else [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == group.module]
    )


def _page(title: str, text: str, groups: Sequence[Group], taken: set[int]) -> str:
    return page(title, text, *(section(group.title, plain(group.text), *_entries(group, taken)) for group in groups))


def _entries(group: Group, taken: set[int]) -> Iterator[str]:
    module = import_module(group.module)
    yield directive("py:currentmodule", group.module)
    for name in names_of(group):
        thing = getattr(module, name)
        if id(thing) not in taken:
            taken.add(id(thing))
            yield _entry(group.module, name, thing)


def _entry(module: str, name: str, thing: object) -> str:
    if inspect.isclass(thing):
        return directive("autoclass", f"{module}.{name}", members="")
    if inspect.isfunction(thing):
        return directive("autofunction", f"{module}.{name}")
    return directive("autodata", f"{origin(module, name)}.{name}", no_value="")


def origin(module: str, name: str) -> str:
    """The module that assigns a constant: its comment stands there."""
    path = import_module(module).__file__
    assert path is not None
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and name in (alias.name for alias in node.names):
            return origin(node.module, name)
    return module
