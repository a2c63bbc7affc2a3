"""Writes what the reference pages must not say differently from the code.

    python docs/catalogue.py write    docs/errors.md, the table of settings in docs/operations.md, and for clients
                                      docs/retry-policy.json, their exceptions, and tables in clients.md and sandbox.md
    python docs/catalogue.py check    which of them are not what `write` would make of them

The statuses, occasions and metadata of refusals come from the comments of error_reason.proto, those of settings from
exchange/config.py. What a caller does about a refusal stands here: it is advice, no part of the contract.
"""
# A script beside the pages it writes, in no package.
# ruff: noqa: INP001

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROTO = ROOT / "protos" / "exchange" / "v1" / "error_reason.proto"

ADVICE = {
    "INVALID_FIELD": "Mend the fields that BadRequest names, all of them; paths are those of the request message.",
    "MALFORMED_MESSAGE": "Build requests with code generated from these protos; look for a proxy that alters bodies.",
    "CREDENTIAL_MISSING": "Send the key with every call, or show a client certificate where the server asks for one.",
    "CREDENTIAL_UNKNOWN": "See that the key is whole and of this coalition; the operator issues a new one.",
    "METHOD_NOT_ALLOWED": "Use a credential of a kind that may: the method's comment in the proto names its callers.",
    "ROLE_MISSING": "The operator gives the merchant the role (SetMerchantRoles), or one that holds it acts.",
    "NOT_THE_ISSUER": "Let the issuer of the source or of the target currency ask for the conversion.",
    "RESOURCE_NOT_FOUND": "See what `field` holds. A member must be enrolled or linked by the merchant that asks.",
    "RESOURCE_EXISTS": "Use what is there, or choose another name.",
    "MERCHANT_SUSPENDED": "Wait until the operator activates the merchant; one that has left the coalition stays gone.",
    "CURRENCY_SUSPENDED": "Wait until the operator activates the currency.",
    "INSUFFICIENT_POINTS": "Ask for at most `available`; it may have changed again by then.",
    "NO_PRICE": "The operator publishes a price that is in force at the instant.",
    "NO_RATE": "Have a rate of the pair proposed and approved, in this direction; GetEffectiveRate shows what holds.",
    "BELOW_MINIMUM": "Ask for at least `minimum` source points.",
    "ABOVE_MAXIMUM": "Ask for at most `maximum` source points at once.",
    "CONVERTS_TO_NOTHING": "Ask for at least one block, and for enough to give one target point.",
    "DAILY_CAP_EXCEEDED": "Ask for at most `cap` less `used`, or wait for the coalition's next day.",
    "AMOUNT_OVERFLOW": "Look for a mistake in the amounts: no honest figure is as large.",
    "NEGATIVE_SPREAD": "The operator mends rate or prices: the out-price covers the in-price of what is minted.",
    "REQUEST_ID_REUSED": "Ask LookupTransfer what the id was used for; make ids that never come twice.",
    "RATE_OVERLAP": "Name the version in `overlaps` as what is superseded, end it (EndRate), or choose other instants.",
    "SETTLEMENT_CURRENCY_MISMATCH": "Only currencies priced in the same money convert into one another.",
    "TOO_LATE": "Choose an instant from `earliest` on.",
    "EXPIRY_NOT_ALLOWED": "Leave expire_time out, or give a future one where the currency's policy is explicit.",
    "BATCH_NOT_APPLIED": "Read the refusal of item number `item`, counted from 0; mend or drop that item.",
    "SERVER_BUSY": "Wait as long as RetryInfo says; if it goes on, send batches or fewer calls at once.",
    "DEADLINE_PASSED": "Send the same request again, or ask LookupTransfer whether it happened.",
    "SERVER_DRAINING": "Send the same request again over a new connection.",
    "DATABASE_UNAVAILABLE": "Send the same request again until it is answered, ever more slowly.",
    "INTERNAL_FAULT": "Send the same request again, a few times; give the operator the incident if it stays.",
    "WINDOW_STATE": "Take the step that brings `window` to `needed` first: close it, or run the one before.",
    "INVALID_PAGE_TOKEN": "Begin again at the first page and keep the filter for all pages.",
    "UNKNOWN_METHOD": "See the method's full name, and what the server serves: a sandbox serves more.",
    "LEDGER_HALTED": "Wait: the operator resumes when the difference is explained. Reads are answered meanwhile.",
    "HOLD_ENDED": "Nothing is reserved any more: read the hold, and place a new one if need be.",
    "HOLD_LAPSED": "Place a new hold, with more time.",
    "CAPTURE_EXCEEDS_HOLD": "Capture at most `held`; take what is above it by a movement of its own.",
    "NOT_REVERSIBLE": "Reverse the transfer whole, or make a movement the other way.",
    "ALREADY_REVERSED": "Nothing is left to do.",
    "REVERSAL_EXCEEDS": "Ask for at most `left`.",
    "NO_CASH_OUT": "The operator publishes a price with a cash-out figure.",
    "NOTHING_DUE": "Nothing is left to do.",
    "WRONG_STATE": "Read `resource` again: take the step that brings it to `needed`, or leave it as it is.",
    "DIGEST_MISMATCH": "Look at the result whose digest is `digest`, and decide on that one.",
    "ETAG_MISMATCH": "Read it again, look at what happened meanwhile, and decide anew with the `etag` told.",
    "SAME_PERSON": "Let somebody else check it, who neither proposed, closed, calculated nor submitted it.",
    "FX_RATE_MISSING": "Propose a newer version of `fx_set` with that rate, let somebody else approve it, run again.",
    "NOT_DUE": "Wait until `due_time`, or propose a special closing and have somebody else approve it.",
    "CLAIM_EXCEEDS": "Claim at most `left`; ListDisputes tells what else is claimed; the rest was reversed.",
    "DISPUTE_PERIOD_OVER": "Ask finance for an adjustment: a maker proposes it, a checker approves it.",
    "WRONG_PARTY": "Let `needed` take the step.",
    "PERSON_UNKNOWN": "The operator issues a key that names its `holder`, or a certificate that does.",
    "RECOUNT_MISMATCH": "Let the operator audit the ledger; what is kept or what was moved was tampered with.",
    "QUOTE_EXPIRED": "Ask for a new quote.",
    "QUOTE_USED": "Ask for a new quote; `transfer` is the conversion this one was good for.",
    "STATE_TOO_OLD": "Ask again; if it stays, see that the number is of a transfer of the member's or of your own.",
    "TRANSFER_RETIRED": "Ask the operator for the archive; what came of the transfer still holds.",
    "BELOW_MIN_TARGET": "Show the member what it would receive now, or ask for less.",
    "ROUND_TRIP_GAINS": "Lower one rate of the cycle, or its bonus; ValidateRateDraft tells each step's gain.",
    "RATE_OUT_OF_BOUNDS": "Keep `figure` within `bound`, or have the operator set other bounds (SetRateBounds).",
    "SUPERSEDES_MISMATCH": "Name the version that holds when the new one begins; ListRates shows them.",
    "SECOND_PERSON_NEEDED": "Propose the rate (ProposeRates) and let somebody else approve it.",
    "TOO_MANY_DRAFTS": "Withdraw what nobody will approve.",
    "INVALID_CURSOR": "Send a cursor as it came, or none; after a restore, reconcile first and begin anew.",
    "NOT_OWN_CURRENCY": "Let the issuer of the points propose the adjustment, or the operator.",
    "MEMBER_CLOSED": "Nothing is left to do. A person who comes back is enrolled anew, under another reference.",
    "PROPOSAL_LAPSED": "Propose it anew, if it is still wanted.",
    "CURSOR_EXPIRED": "Reconcile what you keep with ListTransfers and the balances, then go on from `oldest`.",
    "FUNDS_INSUFFICIENT": "Withdraw at most what is `available`, or book what came in first.",
    "EXPOSURE_UNCOVERED": "Withdraw less, or wait until the participant has paid what it owes.",
    "RECOVERY_EXCEEDS": "Book at most `remaining` as a recovery; what is above it is the participant's own: a deposit.",
    "WRITE_OFF_EXCEEDS": "Write off at most `borne`; what is `missing` has to come back first, as a recovery.",
    "EXIT_NOT_ZERO": "`python -m settlement drill exit` lists what is left and what to do about each.",
    "LIQUIDITY_SHORT": "Have those named prefund (CheckLiquidity tells how much), or acknowledge it where asked.",
    "NET_DEBIT_CAP_EXCEEDED": "Wait until `merchant` has paid, or ask for less; the operator sets caps.",
    "EXECUTION_DATE_OVER": "Name `today` or a day to come, or leave execution_date out for the pay day.",
    "CAP_RAISE": "Call `propose` (ProposeNetDebitCap); another person approves.",
    "MEMBER_LIMIT_EXCEEDED": "Ask for at most `left`, or wait for the coalition's next day.",
    "ISSUANCE_LIMIT_EXCEEDED": "Ask for less, or wait for the coalition's next day; the operator sets the limit.",
    "EXTERNALLY_KEPT": "Ask the issuer's own system; here, convert from or into a currency that is kept here.",
    "NOT_LINKED_TO_ISSUER": "Let the issuer link the member (LinkMember), then ask under a new request_id.",
    "BALANCES_NOT_EMPTY": "Let members use their points first, or issue a new currency.",
    "INSTRUCTION_CONTRADICTED": "Mend the issuer's books to the first answer, `outcome`, and tell the operator.",
    "CALL_RATE_EXCEEDED": "Wait as long as RetryInfo says; call more evenly. Items of batches and streams count too.",
    "TOO_MANY_CALLS": "Wait until one of your calls has ended; batches and streams do more with fewer calls.",
    "TOO_MANY_QUOTES": "Use quotes, or let them expire, before asking for more; ask for a shorter `lifetime`.",
    "RETURN_RATE_EXCEEDED": "Earn under a rule that gives less; the operator sets bands (SetReturnBand).",
    "BANK_DETAILS_MISSING": "The operator sets the bank details (SetBankDetails) and somebody else confirms them.",
    "FORMAT_MISMATCH": "Read `problem`; take the format the payments were exported in, or pain.001.",
    "BANK_MESSAGE_UNREADABLE": "Read `problem`; hand over the bank's file as it came, unchanged.",
    "PAYMENT_MISMATCH": "Look for the payment the line is really about, or end the exception without one.",
}

KEPT = "No. A movement's request_id keeps this answer for ever: once the cause is gone, ask under a new one."
STATUSES = {
    "INVALID_ARGUMENT": "No: the same bytes get the same answer. The request_id stays unused; send the mended request.",
    "UNAUTHENTICATED": "Not with this credential. The request_id stays unused.",
    "PERMISSION_DENIED": KEPT,
    "NOT_FOUND": KEPT,
    "ALREADY_EXISTS": "No.",
    "FAILED_PRECONDITION": KEPT,
    "ABORTED": "Yes, with the same request_id: nothing was decided.",
    "RESOURCE_EXHAUSTED": "Yes, after the delay, with the same request_id: nothing was begun.",
    "DEADLINE_EXCEEDED": "Yes, with the same request_id. Until then the outcome is unknown.",
    "UNAVAILABLE": "Yes, after the delay, with the same request_id. Until then the outcome is unknown.",
    "INTERNAL": "Yes, with the same request_id. Until then the outcome is unknown.",
    "OUT_OF_RANGE": "No.",
    "UNIMPLEMENTED": "No.",
}

STEP = (
    "Not before the cause is gone: until then the answer is the same. No movement is refused so, and no request_id"
    " keeps the answer."
)
STEPS = frozenset(
    re.findall(
        r"\w+",
        """
    BALANCES_NOT_EMPTY BANK_DETAILS_MISSING BANK_MESSAGE_UNREADABLE CAP_RAISE CLAIM_EXCEEDS DIGEST_MISMATCH
    DISPUTE_PERIOD_OVER EXECUTION_DATE_OVER EXIT_NOT_ZERO EXPOSURE_UNCOVERED FORMAT_MISMATCH FUNDS_INSUFFICIENT
    FX_RATE_MISSING INSTRUCTION_CONTRADICTED LIQUIDITY_SHORT NOT_DUE NOT_OWN_CURRENCY PAYMENT_MISMATCH PERSON_UNKNOWN
    PROPOSAL_LAPSED RATE_OUT_OF_BOUNDS RATE_OVERLAP RECOUNT_MISMATCH RECOVERY_EXCEEDS ROUND_TRIP_GAINS SAME_PERSON
    SECOND_PERSON_NEEDED SETTLEMENT_CURRENCY_MISMATCH SUPERSEDES_MISMATCH TOO_LATE TOO_MANY_DRAFTS WINDOW_STATE
    WRITE_OFF_EXCEEDS WRONG_PARTY WRONG_STATE
    """,
    )
)
"""Reasons that only steps beside movements meet: changes of the directory, proposals, settlement."""

OWN_REPEATS = dict.fromkeys(STEPS, STEP) | {
    "BATCH_NOT_APPLIED": "Not unchanged: the refused item keeps its answer. The other items' request_ids stay unused.",
    "ETAG_MISMATCH": "Not unchanged: nothing was done, and the etag that was sent stays an old one.",
    "TRANSFER_RETIRED": "No. What has left the ledger does not come back.",
    "METHOD_NOT_ALLOWED": "No. The request_id stays unused.",
    "REQUEST_ID_REUSED": "No. The id keeps the answer to the request that used it first.",
}

HEAD = """# Refusals

*Written by docs/catalogue.py from protos/exchange/v1/error_reason.proto: do not edit.*

A call ends with OK or with a `google.rpc.Status`. Its details hold exactly one `ErrorInfo`: the reason as below, the
domain `{DOMAIN}`, and the metadata named below as text. Beside it stand `BadRequest` when fields are to
blame, `ResourceInfo` when something is missing or taken, `QuotaFailure` when a quota of the caller's own is used up,
and `RetryInfo` where it says so. Act on the reason, never on the message: it is written for people and may change. A
batch answers OK; each item has such a status of its own.

```python
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def reason_of(error):
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    if status is not None and any(detail.Unpack(info) for detail in status.details):
        return info.reason, dict(info.metadata)
    return "", {}  # no server of ours said this: the outcome is unknown
```

A call that ends without an ErrorInfo, as when the connection breaks, is an unknown outcome too: repeat it with the same
request_id. A read may always be repeated.
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason as its comment tells it.

    `metadata` stands between the first braces and is always told, `sometimes` between further ones; empty for none.
    `about` is said of them, as it goes on behind the first braces.
    """

    name: str
    status: str
    retry_info: bool
    when: str
    metadata: str
    sometimes: str
    about: str


def reasons() -> list[Reason]:
    """Every reason but UNSPECIFIED, in the order of the proto."""
    found = []
    for comment, name in re.findall(r"  // (.+)\n  ERROR_REASON_(\w+) = [1-9]\d*;", PROTO.read_text(encoding="utf-8")):
        status, _, said = comment.partition(". ")
        when, _, behind = said.removesuffix(" No metadata.").partition(" {")
        metadata, _, about = behind.partition("}")
        # What is said of a name of the metadata explains it; anything else behind a colon is an occasion.
        if about.startswith(": ") and "`" not in about:
            when, about = f"{when} Example{about}", ""
        code = status.removesuffix(" with RetryInfo")
        sometimes = ", ".join(re.findall(r"\{(.+?)\}", about))
        found.append(Reason(name, code, code != status, when, metadata, sometimes, about.removesuffix(".")))
    return found


def repeat(reason: Reason) -> str:
    """Whether a caller may send the same request again."""
    return OWN_REPEATS.get(reason.name, STATUSES[reason.status])


def errors_page() -> str:
    """The text of docs/errors.md: an index, then a section for each reason, by status."""
    catalogue = reasons()
    statuses = [status for status in STATUSES if any(reason.status == status for reason in catalogue)]
    # Where the project is no installed package, its folder is known by now: see written_files.
    from exchange.serving.errors import DOMAIN

    lines = [HEAD.replace("{DOMAIN}", DOMAIN), "| status | reasons |", "|---|---|"]
    for status in statuses:
        names = [f"[{one.name}](#{one.name.lower()})" for one in catalogue if one.status == status]
        lines.append(f"| {status} | {' · '.join(names)} |")
    for status in statuses:
        lines += ["", f"## {status}"]
        for one in (reason for reason in catalogue if reason.status == status):
            lines += ["", f"### {one.name}", "", one.when, ""]
            about = re.sub(r"\{(.+?)\}", r"`\1`", one.about)
            lines.append(f"- Metadata: {f'`{one.metadata}`{about}' if one.metadata else 'none'}")
            lines += ["- RetryInfo: how long to wait"] if one.retry_info else []
            lines += [f"- What to do: {ADVICE[one.name]}", f"- Safe to repeat? {repeat(one)}"]
    return "\n".join(lines) + "\n"


def written_files() -> dict[str, Callable[[], str]]:
    """Every file that is written, or has a table that is, and its text."""
    # As a script this file stands in no package; the tests import it as one of the project's folder.
    sys.path.append(str(ROOT))
    from docs import client_reference as clients
    from docs.settings_reference import operations_page

    return {
        "docs/errors.md": errors_page,
        "docs/operations.md": operations_page,
        "docs/clients.md": clients.clients_page,
        "docs/sandbox.md": clients.sandbox_page,
        "docs/retry-policy.json": clients.retry_policy,
        "exchange/client/reasons.py": lambda: clients.reasons_module(reasons()),
    }


def main(arguments: list[str]) -> int:
    """Dispatch write or check; 2 for anything else."""
    written = written_files()
    if arguments == ["write"]:
        for name, text in written.items():
            (ROOT / name).write_text(text(), encoding="utf-8")
        return 0
    if arguments != ["check"]:
        sys.stderr.write(__doc__ or "")
        return 2
    stale = [name for name, text in written.items() if (ROOT / name).read_text(encoding="utf-8") != text()]
    sys.stdout.writelines(f"{name}: not what the code says; run python docs/catalogue.py write\n" for name in stale)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
