"""The commands, put together."""

from __future__ import annotations

import typer

from gossip_bounds.commands import (
    auditing,
    calibration,
    catalogue,
    certification,
    comparison,
    data,
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
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("list")(catalogue.list_bounds)
app.command("show")(catalogue.show)
app.command("evaluate")(theory.evaluate)
app.command("topology")(theory.topology)
app.command("constants")(modelling.constants)
app.command("certify")(certification.certify)
app.command("certificates")(certification.certificates)
app.command("check")(certification.check)
app.command("compare")(comparison.compare)
app.command("calibrate")(calibration.calibrate)
app.command("rate")(rates.rate)
app.command("limit")(rates.limit)
app.command("plot")(verification.plot)
app.command("data")(data.data)
app.command("measure")(measuring.measure)
app.command("logs")(logs.logs)
app.command("verify")(verification.verify)
app.command("audit")(auditing.audit)
