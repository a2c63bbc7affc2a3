"""The noes of settlement's own steps. Their reasons stand in `exchange.v1.ErrorReason` with all others."""
# The sentence of each says it, ErrorReason explains it.
# ruff: noqa: D101

from __future__ import annotations

from exchange.refusals import Category, Refusal


class WrongState(Refusal):
    reason = "WRONG_STATE"
    category = Category.FAILED
    sentence = "It is not in the state this step needs:"


class DigestMismatch(Refusal):
    reason = "DIGEST_MISMATCH"
    category = Category.FAILED
    sentence = "What was looked at is not what is there:"


class EtagMismatch(Refusal):
    reason = "ETAG_MISMATCH"
    category = Category.ABORTED
    sentence = "Something happened to it since it was looked at:"


class SamePerson(Refusal):
    reason = "SAME_PERSON"
    category = Category.DENIED
    sentence = "Who made it does not check it:"


class PersonUnknown(Refusal):
    reason = "PERSON_UNKNOWN"
    category = Category.DENIED
    sentence = "The credential does not say who holds it:"
