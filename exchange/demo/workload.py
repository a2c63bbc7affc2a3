"""The demo's business day as a plan: every movement, and what the exchange must answer to it. Pure.

Each member lives at a home programme, and many shop at one partner. The day has rounds; in a round a member is at one
of the two, so that within a round no two merchants move the same member's points and the order of a member's movements
is the plan's. Knowing that order, the plan knows every balance, and so every answer, refusals included.
"""

from __future__ import annotations

import random

from exchange.demo.cast import EXCHANGE, cast
from exchange.demo.choices import Chooser
from exchange.demo.model import FIRST_DAY, MIDNIGHT_ROUND, ROUNDS, SECOND_DAY, Member, Plan, Planned, World
from exchange.demo.prices import coherent_prices
from exchange.demo.published import PUBLISHED_RATES, read_published

_HOMES = {"MR": 30, "UR": 20, "BONVOY": 14, "C1": 10, "TYP": 8, "EDGE": 8, "TYPSG": 5, "MRDE": 5}
_HOME_ELSE = 5
_SHOPS = {"CHARITY": 2, "COFFEE": 8}
_SHOP_ELSE = 18
_AT_HOME_ONLY = 0.5
_ISSUER_AS_PARTNER = 0.3
_AT_HOME = 0.55


def make_world() -> World:
    """The coalition built from the table of published rates.

    Raises:
        BadRates, OSError: the table cannot be used.
    """
    rates = read_published(PUBLISHED_RATES)
    return World(rates, coherent_prices(rates), cast(rates))


def make_plan(world: World, *, members: int, movements: int, seed: int) -> Plan:
    """A plan of exactly so many movements of so many members; the same arguments give the same plan, always."""
    # Repeatable, not secret.
    rng = random.Random(seed)  # noqa: S311
    chooser = Chooser(world, rng)
    people = [_member(number, world, rng) for number in range(members)]
    rounds: list[list[Planned]] = [[] for _ in range(ROUNDS)]
    each, more = divmod(movements, members)
    for member in people:
        count = each + (1 if member.number < more else 0)
        # The first round is for earning: without points there is little to plan.
        when = sorted([0] * min(count, 1) + [rng.randrange(ROUNDS) for _ in range(count - 1)])
        place = member.home
        for position, number in enumerate(when):
            if position and number != when[position - 1]:
                place = member.home if rng.random() < _AT_HOME else member.partner
            request_id = f"{member.reference}-{position}"
            day = FIRST_DAY if number < MIDNIGHT_ROUND else SECOND_DAY
            planned = chooser.next_of(member, place, day, request_id)
            member.settle(planned)
            rounds[number].append(planned)
    return Plan(people, rounds)


def _member(number: int, world: World, rng: random.Random) -> Member:
    homes = list(dict.fromkeys(rate.source.code for rate in world.rates))
    home = rng.choices(homes, [_HOMES.get(code, _HOME_ELSE) for code in homes])[0]
    issuers = [rate.target.code for rate in world.rates if rate.source.code == home]
    shops = [p.id for p in world.participants.values() if p.id not in world.prices]
    if rng.random() < _AT_HOME_ONLY:
        partner = home
    elif rng.random() < _ISSUER_AS_PARTNER:
        partner = rng.choice(issuers)
    else:
        partner = rng.choices(shops, [_SHOPS.get(shop, _SHOP_ELSE) for shop in shops])[0]
    assert EXCHANGE in world.participants[home].roles, "a home programme converts its own points"
    return Member(number, home, partner)
