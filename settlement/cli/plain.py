"""One plain line for whatever cannot be done: why not, and what to do next. Never a traceback for what was typed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

BAD_INPUT = 2
"""Exit code for input that was refused; the same as for a wrong option."""
PROGRAM = "python -m settlement"
# What the parser raises for a wrong option, and what all its errors are; typer carries them without naming them.
_PARSER_ERROR: type[Exception] = typer.BadParameter.__mro__[2]

NEXT: Mapping[str, str] = {
    "BANK_DETAILS_MISSING": f"{PROGRAM} set-account for each of them; another person then types confirm-account",
    "BANK_MESSAGE_UNREADABLE": "ask the bank for the file again: pain.002, camt.053 or camt.054, as it was sent",
    "CLAIM_EXCEEDS": f"{PROGRAM} dispute DISPUTE, then decide-dispute with no more than is left",
    "CREDENTIAL_UNKNOWN": "see that SETTLEMENT_KEY holds the whole key; the operator issues a new one",
    "DIGEST_MISMATCH": f"look at what is there now ({PROGRAM} show WINDOW, or proposals), and type its digest",
    "DISPUTE_PERIOD_OVER": f"{PROGRAM} adjust, with what proves it; another person approves",
    "ETAG_MISMATCH": f"{PROGRAM} show WINDOW: look at what happened meanwhile, then decide again",
    "EXECUTION_DATE_OVER": "say --pay-on with today or a day to come, or leave it out",
    "EXIT_NOT_ZERO": f"{PROGRAM} drill exit MERCHANT lists what is left, and what to do about each",
    "EXPOSURE_UNCOVERED": f"withdraw less ({PROGRAM} funds MERCHANT tells what is covered), or wait for its payments",
    "FORMAT_MISMATCH": "type the same command with the --format that was used first, or with one that fits",
    "FUNDS_INSUFFICIENT": f"{PROGRAM} funds MERCHANT tells what there is; book what came in first",
    "LIQUIDITY_SHORT": f"{PROGRAM} show WINDOW tells who lacks what; have it paid in, or add --acknowledge-shortfall",
    "METHOD_NOT_ALLOWED": "let somebody with that role type it, or put such a key into SETTLEMENT_KEY",
    "FX_RATE_MISSING": f"{PROGRAM} propose fx_set FILE with a version that has it, let another approve, run again",
    "NOT_DUE": f"wait until then, or {PROGRAM} propose special_closing FILE for leave to close earlier",
    "PAYMENT_MISMATCH": f"{PROGRAM} exceptions: find the payment the line is of, or end it as none of ours",
    "PERSON_UNKNOWN": "use a key that names its holder: the operator issues one with --holder",
    "RECOUNT_MISMATCH": f"{PROGRAM} recount WINDOW shows every pair; then python -m exchange audit finds what is wrong",
    "RECOVERY_EXCEEDS": f"{PROGRAM} funds MERCHANT tells what is still claimed; deposit what is above it",
    "RESOURCE_NOT_FOUND": f"{PROGRAM} status shows what there is, accounts and proposals the rest",
    "SAME_PERSON": "let somebody else type it, with a key or a user of their own",
    "WRITE_OFF_EXCEEDS": f"{PROGRAM} funds MERCHANT tells what is claimed; what a run lacks must come back or be borne",
    "TRANSFER_RETIRED": "ask the operator for the archive it names; what was settled of it stands",
    "WINDOW_STATE": f"{PROGRAM} status tells which step comes first, and whose it is",
    "WRONG_PARTY": "let the other side take the step: it is not finance's",
    "WRONG_STATE": f"{PROGRAM} status tells which step comes next, and whose it is",
}
"""What finance does about a refusal, by its reason."""


class NotDone(Exception):
    """What was typed cannot be done. `next_step`: what to do instead; empty: the command's help tells."""

    def __init__(self, message: str, next_step: str = "") -> None:
        self.next_step = next_step
        super().__init__(message)


class Commands(TyperGroup):
    """The commands, ending in one plain line on stderr and exit code 2 where something is wrong with what was typed."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - as the class above has it
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - the same
        **extra: Any,
    ) -> Any:
        """Run a command as the command line does; `standalone_mode` False lets its errors through to the caller."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        typed = list(sys.argv[1:] if args is None else args)
        if garbled := [word for word in typed if not is_text(word)]:
            self._end(f"{garbled[0]!a} is no UTF-8 text", "type it anew, on a terminal that speaks UTF-8", typed)
        try:
            sys.exit(super().main(typed, prog_name, complete_var, False, windows_expand_args, **extra) or 0)
        except NotDone as wrong:
            self._end(str(wrong), wrong.next_step, typed)
        except typer.Abort:
            self._end("it was interrupted", f"{PROGRAM} status tells how far things are", typed)
        except _PARSER_ERROR as wrong:
            if type(wrong).__name__ == "NoArgsIsHelpError":
                typer.echo(str(wrong), err=True)
                sys.exit(BAD_INPUT)
            said: str = wrong.format_message()  # type: ignore[attr-defined]  # every error of the parser has it
            self._end(said.removesuffix("."), "", typed)

    def _end(self, message: str, next_step: str, typed: Sequence[str]) -> NoReturn:
        command = next((word for word in typed if word in self.commands), "")
        step = next_step or " ".join([PROGRAM, *([command] if command else []), "--help"])
        typer.echo(f"Refused: {_one_line(message)}. Next: {_one_line(step)}", err=True)
        sys.exit(BAD_INPUT)


def is_text(word: str) -> bool:
    """Whether it is text. Bytes that are no UTF-8 come as lone surrogates: no database or terminal takes them."""
    return not any("\ud800" <= character <= "\udfff" for character in word)


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
