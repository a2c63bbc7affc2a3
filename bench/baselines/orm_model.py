"""The mapped classes of the ORM service: one table for each noun, as a SQLAlchemy tutorial would have it."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Identity, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Whole numbers are 64 bits wide: points and micro-units both need them."""

    type_annotation_map = {int: BigInteger}  # noqa: RUF012  read by SQLAlchemy, never changed


class Merchant(Base):
    """A participant."""

    __tablename__ = "merchants"

    code: Mapped[str] = mapped_column(primary_key=True)


class Currency(Base):
    """A points currency with its prices, micro-units a point."""

    __tablename__ = "currencies"

    code: Mapped[str] = mapped_column(primary_key=True)
    issuer: Mapped[str] = mapped_column(ForeignKey("merchants.code"))
    in_micros: Mapped[int]
    out_micros: Mapped[int]


class Rate(Base):
    """source_units of source become target_units of target."""

    __tablename__ = "rates"

    source_code: Mapped[str] = mapped_column(ForeignKey("currencies.code"), primary_key=True)
    target_code: Mapped[str] = mapped_column(ForeignKey("currencies.code"), primary_key=True)
    source_units: Mapped[int]
    target_units: Mapped[int]
    block_units: Mapped[int]
    fee_micros: Mapped[int]
    source: Mapped[Currency] = relationship(foreign_keys=[source_code])
    target: Mapped[Currency] = relationship(foreign_keys=[target_code])


class Account(Base):
    """A member's points of one currency."""

    __tablename__ = "accounts"

    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(ForeignKey("currencies.code"), primary_key=True)
    balance: Mapped[int]
    sequence: Mapped[int]


class Window(Base):
    """A settlement window."""

    __tablename__ = "windows"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    open: Mapped[bool]


class Entry(Base):
    """One side of a movement on an account; the other side, in circulation, has no account."""

    __tablename__ = "entries"
    __table_args__ = (ForeignKeyConstraint(["member_id", "currency"], ["accounts.member_id", "accounts.currency"]),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfers.id"), index=True)
    member_id: Mapped[uuid.UUID | None]
    currency: Mapped[str]
    account_sequence: Mapped[int]
    debit: Mapped[bool]
    units: Mapped[int]


class Debt(Base):
    """Money one merchant owes another because of a transfer."""

    __tablename__ = "obligations"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfers.id"), index=True)
    kind: Mapped[int]
    debtor: Mapped[str]
    creditor: Mapped[str]
    micros: Mapped[int]
    points_units: Mapped[int]
    price_micros: Mapped[int]


class Movement(Base):
    """A conversion that has happened."""

    __tablename__ = "transfers"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(Identity())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    merchant: Mapped[str] = mapped_column(ForeignKey("merchants.code"))
    member_id: Mapped[uuid.UUID] = mapped_column(index=True)
    request_id: Mapped[str]
    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"), index=True)
    source: Mapped[str]
    used: Mapped[int]
    target: Mapped[str]
    received: Mapped[int]
    entries: Mapped[list[Entry]] = relationship(order_by=Entry.id)
    debts: Mapped[list[Debt]] = relationship(order_by=Debt.id)


class IdempotencyKey(Base):
    """One key of a merchant, one transfer."""

    __tablename__ = "idempotency_keys"

    merchant: Mapped[str] = mapped_column(ForeignKey("merchants.code"), primary_key=True)
    request_id: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfers.id"))
    movement: Mapped[Movement] = relationship()
