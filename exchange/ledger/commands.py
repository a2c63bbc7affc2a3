"""What somebody asks the ledger to do: commands. Every room of a movement has its own, made of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple
from uuid import UUID

from exchange.ledger.kinds import TransferKind

OWN_REQUESTS = "exchange/"
"""How request ids of the exchange's own movements begin; merchants' may not."""


class MemberKey(NamedTuple):
    """How a merchant names a member: by id or by its own reference, exactly one of the two."""

    merchant_no: int
    member_id: UUID | None
    reference: str | None


@dataclass(slots=True, kw_only=True)
class Command:
    """A movement somebody asks for. Subclasses belong to the room of the movement and carry what is special to it.

    Attributes:
        merchant_no: the authenticated merchant.
        credential: what it was authenticated by; looked at again when the command is decided.
        request_id: its idempotency key, 1 to 64 characters.
        fingerprint: digest of the business fields; another body under the same key has another one.
        reference: the merchant's own reference, kept with the transfer.
        validate_only: decide and forget.
    """

    kind: ClassVar[TransferKind]

    merchant_no: int
    credential: str
    request_id: str
    fingerprint: bytes
    reference: str | None = None
    validate_only: bool = False


@dataclass(slots=True, kw_only=True)
class MemberCommand(Command):
    """A movement of `units` of one currency of a member it names.

    Attributes:
        member: whose points.
        currency: code of the currency.
        units: how many points; 0 where the rule says how many.
        spend_rule: id of the earn rule by which money spent makes the points.
        quote: the quote that says currency and points.
        located: bucket and id of the member, where the exchange itself asks and no link is needed.
    """

    member: MemberKey
    currency: str
    units: int
    spend_rule: str | None = None
    quote: UUID | None = None
    located: tuple[int, UUID] | None = None

    @property
    def debits(self) -> tuple[tuple[str, int], ...]:
        """Currency code and most points the movement may take from the member."""
        return ()

    @property
    def credits(self) -> tuple[str, ...]:
        """Currency codes the movement may give to the member."""
        return ()

    @property
    def is_plain(self) -> bool:
        """Whether it looks at and leaves only accounts, lots and what every movement leaves."""
        return False


@dataclass(slots=True, kw_only=True)
class FollowUp(Command):
    """A movement that follows an earlier one of the same merchant, and touches that one's accounts and lots.

    Attributes:
        original: the earlier transfer.
        original_field: what the request calls it, for a refusal.
    """

    original_field: ClassVar[str] = "original"

    original: UUID

    @property
    def pair(self) -> tuple[int, int] | None:
        """Currency numbers of source and target of the begun conversion it ends; None: it ends none."""
        return None
