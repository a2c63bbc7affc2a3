"""Who takes part in the demo: the programmes of the published table, and shops that issue nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.demo.published import PublishedRate, programmes

EARNING, REDEMPTION, DISCOUNT, EXCHANGE, GENERAL = "EARNING", "REDEMPTION", "DISCOUNT", "EXCHANGE", "GENERAL"
_HOTELS = frozenset({"HILTON", "HYATT", "BONVOY", "ALL", "CHOICE"})
SUSPENDED_AT_MIDNIGHT = "COFFEE"


@dataclass(frozen=True, slots=True)
class Participant:
    """A merchant; roles as `exchange.v1.MerchantRole` without the prefix."""

    id: str
    title: str
    roles: frozenset[str]


SHOPS = (
    Participant("SUPERMART", "Supermarket", frozenset({EARNING, DISCOUNT})),
    Participant("FUEL", "Filling stations", frozenset({EARNING})),
    Participant(SUSPENDED_AT_MIDNIGHT, "Coffee bars", frozenset({DISCOUNT})),
    Participant("MALL", "Shopping mall", frozenset({REDEMPTION, DISCOUNT})),
    Participant("ELECTRO", "Electronics store", frozenset({EARNING, REDEMPTION})),
    Participant("TAXI", "Taxi service", frozenset({EARNING, REDEMPTION, DISCOUNT})),
    Participant("CHARITY", "Charity", frozenset({GENERAL})),
)


def cast(rates: Sequence[PublishedRate]) -> dict[str, Participant]:
    """Every participant by id: banks award and convert, airlines give flights too, hotels also take points as cash."""
    sources = {rate.source.code for rate in rates}
    found: dict[str, Participant] = {}
    for programme in programmes(rates).values():
        roles = {EARNING, EXCHANGE}
        if programme.code not in sources or programme.code in _HOTELS:
            roles.add(REDEMPTION)
        if programme.code in _HOTELS:
            roles.add(DISCOUNT)
        found[programme.code] = Participant(programme.code, programme.title, frozenset(roles))
    return found | {shop.id: shop for shop in SHOPS}
