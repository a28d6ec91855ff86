"""The commands, put together."""

from __future__ import annotations

from collections.abc import Callable

import typer

from gossip_bounds.commands import (
    auditing,
    calibration,
    catalogue,
    certification,
    comparison,
    cost,
    data,
    exploring,
    gossip,
    logs,
    measuring,
    modelling,
    rates,
    theory,
    verification,
)

app = typer.Typer(
    name="gossip-bounds",
    help="Bounds of decentralized learning, held to account against training runs.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
#: One line for each command that runs as it stands, but for the names of files and folders of one's own.
EXAMPLES = {
    "list": "gossip-bounds list",
    "show": "gossip-bounds show dsgd_convex",
    "evaluate": "gossip-bounds evaluate dsgd_convex L=1 eta=0.05 T=10:1000:3:log m=16 n=64",
    "topology": "gossip-bounds topology torus --nodes 16",
    "constants": "gossip-bounds constants model.toml",
    "certify": "gossip-bounds certify dsgd_strongly_convex T",
    "certificates": "gossip-bounds certificates --out out",
    "check": "gossip-bounds check certificate.json",
    "compare": "gossip-bounds compare dsgd_convex dsgd_strongly_convex",
    "calibrate": "gossip-bounds calibrate dsgd_convex eta target=0.01 L=1 T=1000 m=16 n=64",
    "cost": "gossip-bounds cost mgs_excess_convex target=0.1 m=16 L=1 n=100 r0=1 sigma2=1 zeta2=0.5 beta=1 "
    "--weights 650 --latency 1e-3 --bandwidth 1.25e8 --sample-seconds 1e-5",
    "gossip-steps": "gossip-bounds gossip-steps target=1e-3 -o steps.png",
    "rate": "gossip-bounds rate dsgd_nonconvex_relaxed T",
    "limit": "gossip-bounds limit consensus_distance_consensus Q=inf",
    "plot": "gossip-bounds plot dsgd_convex L=1 eta=0.05 T=10:1000:20:log m=16 n=64 -o bound.svg",
    "explore": "gossip-bounds explore dsgd_convex mgs_excess_convex --out explorer.html",
    "data": "gossip-bounds data fashion-mnist --data-dir sets",
    "measure": "gossip-bounds measure experiment.toml --out runs",
    "logs": "gossip-bounds logs published --out out",
    "verify": "gossip-bounds verify core-consensus --quick --out out",
    "audit": "gossip-bounds audit --quick --out out",
}


def _add(name: str, command: Callable[..., None]) -> None:
    app.command(name, epilog=f"Example: {EXAMPLES[name]}")(command)


_add("list", catalogue.list_bounds)
_add("show", catalogue.show)
_add("evaluate", theory.evaluate)
_add("topology", theory.topology)
_add("constants", modelling.constants)
_add("certify", certification.certify)
_add("certificates", certification.certificates)
_add("check", certification.check)
_add("compare", comparison.compare)
_add("calibrate", calibration.calibrate)
_add("cost", cost.cost)
_add("gossip-steps", gossip.gossip_steps)
_add("rate", rates.rate)
_add("limit", rates.limit)
_add("plot", verification.plot)
_add("explore", exploring.explore)
_add("data", data.data)
_add("measure", measuring.measure)
_add("logs", logs.logs)
_add("verify", verification.verify)
_add("audit", auditing.audit)
