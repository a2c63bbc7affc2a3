"""Use cases on members: enrolling and linking. A member a merchant has not linked does not exist for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.db.engine import Database
from exchange.directory import sql
from exchange.ledger.ids import new_id
from exchange.ledger.model import MemberKey, member_bucket
from exchange.refusals import MemberClosed, ResourceExists, ResourceNotFound


class Member(NamedTuple):
    """A person's pseudonymous account, as one merchant sees it."""

    member_id: UUID
    reference: str | None
    created_at: datetime
    closed_at: datetime | None = None

    def require_open(self) -> Member:
        """The member, when nobody has closed the membership.

        Raises:
            MemberClosed: somebody has.
        """
        if self.closed_at is not None:
            raise MemberClosed
        return self

    @property
    def name(self) -> str:
        """Resource name."""
        return f"members/{self.member_id}"


class Members:
    """Enrolling, linking and finding members."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enroll(self, merchant_no: int, reference: str) -> tuple[Member, bool]:
        """A new member linked under the reference, or (…, True) the one it was given to before.

        Raises:
            MemberClosed: that one's membership is over.
        """
        member_id = new_id()
        bucket = member_bucket(member_id)
        values = {"merchant_no": merchant_no, "reference": reference, "bucket": bucket, "member_id": member_id}
        async with self._database.look() as connection:
            made = (await connection.execute(sql.ENROLL, values)).first()
            if made is not None:
                return Member(member_id, reference, made.created_at), False
            # A statement of its own, so that it sees the enrolment that was there first.
            found = await connection.execute(sql.LINK_BY_REFERENCE, values)
            return Member._make(found.one()).require_open(), True

    async def link(self, merchant_no: int, member_id: UUID, reference: str) -> tuple[Member, bool]:
        """Bind a reference to a member; (…, True) when that very link was there.

        Raises:
            ResourceNotFound: no such member.
            ResourceExists: the merchant has bound the reference, or the member, otherwise.
            MemberClosed: the membership is over.
        """
        bucket = member_bucket(member_id)
        name = f"members/{member_id}"
        values = {"merchant_no": merchant_no, "reference": reference, "bucket": bucket, "member_id": member_id}
        async with self._database.look() as connection:
            made = (await connection.execute(sql.LINK, values)).first()
            if made is not None:
                return Member(member_id, reference, made.member_since), False
            # Statements of their own, so that they see what was there first.
            row = (await connection.execute(sql.LINK_BY_MEMBER, values)).first()
            if row is not None and row.reference == reference:
                return Member._make(row).require_open(), True
            row = (await connection.execute(sql.MEMBER, values)).first()
            if row is None:
                raise ResourceNotFound(resource=name, field="member")
            Member._make(row).require_open()
            raise ResourceExists(resource=name, reference=reference)

    async def find(self, connection: AsyncConnection, caller: Caller, key: MemberKey) -> Member:
        """The member a caller names, if the caller may see it.

        Raises:
            ResourceNotFound: there is none, or the calling merchant has not linked it: one cannot tell which.
        """
        row: Row[Any] | None = None
        if caller.merchant_no is None:
            if key.member_id is not None:
                values = {"bucket": member_bucket(key.member_id), "member_id": key.member_id}
                row = (await connection.execute(sql.MEMBER, values)).first()
        elif key.member_id is not None:
            values = {"merchant_no": caller.merchant_no, "member_id": key.member_id}
            row = (await connection.execute(sql.LINK_BY_MEMBER, values)).first()
        else:
            named = {"merchant_no": caller.merchant_no, "reference": key.reference}
            row = (await connection.execute(sql.LINK_BY_REFERENCE, named)).first()
        if row is None:
            asked = f"members/{key.member_id}" if key.member_id else "members/…"
            raise ResourceNotFound(resource=asked, field="member" if key.member_id else "member_reference")
        return Member._make(row)
