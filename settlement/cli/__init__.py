"""The command line. A command is a function in a module of this room; it is registered by its line in COMMANDS.

Modules here are imported for every command and for `--help`: what is slow to import goes inside the command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from settlement.cli.accounts import accounts, confirm_account, set_account
from settlement.cli.ageing import ageing
from settlement.cli.approval import approve, cancel, reject, submit
from settlement.cli.calendar import calendar
from settlement.cli.close_window import close_window
from settlement.cli.defaults import default, drill
from settlement.cli.disputes import adjust, adjustments, assign_dispute, decide_dispute, dispute, disputes, end_disputes
from settlement.cli.estimates import confirm_estimate, set_estimate
from settlement.cli.evidence import evidence, verify
from settlement.cli.exceptions import exceptions, resolve
from settlement.cli.exits import leave
from settlement.cli.funds import deposit, funds, withdraw_funds
from settlement.cli.heads import head
from settlement.cli.held import held
from settlement.cli.liquidity import liquidity
from settlement.cli.month_end import month_end
from settlement.cli.net import net
from settlement.cli.payments import export, import_status, payments, retry
from settlement.cli.plain import Commands
from settlement.cli.proposals import proposals, propose, withdraw
from settlement.cli.recount import recount
from settlement.cli.recoveries import recover, write_off
from settlement.cli.releases import release
from settlement.cli.reports import breakage, journal, liability, report, statement
from settlement.cli.run import run, show
from settlement.cli.scheduler import scheduler
from settlement.cli.status import status

COMMANDS: dict[str, Callable[..., Any]] = {
    "status": status,
    "month-end": month_end,
    "close-window": close_window,
    "run": run,
    "show": show,
    "recount": recount,
    "submit": submit,
    "approve": approve,
    "reject": reject,
    "cancel": cancel,
    "accounts": accounts,
    "set-account": set_account,
    "confirm-account": confirm_account,
    "export": export,
    "payments": payments,
    "import-status": import_status,
    "retry": retry,
    "exceptions": exceptions,
    "resolve": resolve,
    "report": report,
    "statement": statement,
    "journal": journal,
    "liability": liability,
    "breakage": breakage,
    "head": head,
    "set-estimate": set_estimate,
    "confirm-estimate": confirm_estimate,
    "evidence": evidence,
    "verify": verify,
    "propose": propose,
    "proposals": proposals,
    "withdraw": withdraw,
    "disputes": disputes,
    "dispute": dispute,
    "assign-dispute": assign_dispute,
    "decide-dispute": decide_dispute,
    "end-disputes": end_disputes,
    "adjustments": adjustments,
    "adjust": adjust,
    "held": held,
    "release": release,
    "calendar": calendar,
    "scheduler": scheduler,
    "ageing": ageing,
    "funds": funds,
    "deposit": deposit,
    "withdraw-funds": withdraw_funds,
    "default": default,
    "recover": recover,
    "write-off": write_off,
    "exit": leave,
    "net": net,
    "liquidity": liquidity,
}

app = typer.Typer(
    cls=Commands,
    name="settlement",
    help="Close windows, net what merchants owe each other, and give finance its files.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def settlement() -> None:
    """Keep `python -m settlement COMMAND` the shape of every call, even while there is one command only."""


for name, command in COMMANDS.items():
    app.command(name)(command)

app.add_typer(drill, name="drill")
