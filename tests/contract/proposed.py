"""Documents that hold for all of settlement once another person has agreed: terms, tiers, exclusions."""

from __future__ import annotations

from settlement.v1 import settlement_service_pb2 as pb


def terms(**minimums: int) -> pb.Proposal:
    """Multilateral netting with minimums by currency."""
    return pb.Proposal(terms=pb.SettlementTerms(mode=pb.NETTING_MODE_MULTILATERAL, minimum_minor_units=minimums))


def tiers(*found: tuple[int, int]) -> pb.Proposal:
    """Tiers of yuan: from so many fen, so many checkers."""
    return pb.Proposal(
        tiers=pb.ApprovalTiers(
            tiers=[
                pb.ApprovalTier(currency_code="CNY", from_minor_units=least, checkers=count) for least, count in found
            ]
        )
    )


def exclusions(*names: str, released: dict[str, str] | None = None) -> pb.Proposal:
    """Participants excluded, and windows in which what is held for somebody is released."""
    return pb.Proposal(
        exclusions=pb.ExclusionList(
            excluded=[pb.Exclusion(participant=f"merchants/{name}", reason="insolvent") for name in names],
            released=[
                pb.Release(participant=f"merchants/{name}", window=window) for name, window in (released or {}).items()
            ],
        )
    )
