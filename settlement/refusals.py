"""The noes of settlement's own steps. Their reasons stand in `exchange.v1.ErrorReason` with all others."""

from __future__ import annotations

from exchange.refusals import Category, DigestMismatch, PersonUnknown, Refusal, SamePerson, WrongState

__all__ = ["DigestMismatch", "EtagMismatch", "PersonUnknown", "SamePerson", "WrongState"]


class EtagMismatch(Refusal):
    """Its reason explains it."""

    reason = "ETAG_MISMATCH"
    category = Category.ABORTED
    sentence = "Something happened to it since it was looked at:"
