"""What a member does next at a merchant: mostly something sensible, now and then something that must be refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date

from exchange.demo.cast import DISCOUNT, EARNING, EXCHANGE, REDEMPTION
from exchange.demo.model import DONE, REPLAYED, Member, Planned, World, is_suspended

_REPLAYED_SHARE = 0.015
_REUSED_SHARE = 0.01
_REFUSED_SHARE = 0.035
_ROLE_OF = {"earn": EARNING, "redeem": REDEMPTION, "discount": DISCOUNT}
_WEIGHTS = {"earn": 40, "redeem": 22, "discount": 22, "convert": 50}


class Chooser:
    """Draws movements from one stream of random numbers."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self._world = world
        self._rng = rng
        self._programmes = list(world.prices)

    def next_of(self, member: Member, place: str, day: date, request_id: str) -> Planned:
        """The member's next movement at the merchant `place`, with the answer it must get."""
        draw = self._rng.random()
        before = [planned for planned in member.granted if planned.merchant == place]
        if before and draw < _REPLAYED_SHARE:
            return self._rng.choice(before)._replace(expected=REPLAYED)
        if before and draw < _REPLAYED_SHARE + _REUSED_SHARE:
            first = self._rng.choice(before)
            return first._replace(units=first.units + 1, expected="REQUEST_ID_REUSED", used=0, received=0, rate=-1)
        refused = self._refused(member, place, day) if draw > 1 - _REFUSED_SHARE else None
        planned = refused or self._sensible(member, place, day)
        if is_suspended(place, day):
            planned = planned._replace(expected="MERCHANT_SUSPENDED", used=0, received=0, rate=-1)
        return planned._replace(request_id=request_id)

    def _sensible(self, member: Member, place: str, day: date) -> Planned:
        """Something the merchant's roles and the member's points allow; if there is nothing, an award is tried."""
        roles = self._world.participants[place].roles
        purse = [code for code, points in member.balances.items() if points]
        options: dict[str, Callable[[], Planned | None]] = {}
        if EARNING in roles:
            options["earn"] = lambda: self._earn(member, place)
        if REDEMPTION in roles and purse:
            options["redeem"] = lambda: self._spend(member, place, "redeem", self._rng.choice(purse))
        if DISCOUNT in roles and purse:
            options["discount"] = lambda: self._spend(member, place, "discount", self._rng.choice(purse))
        if EXCHANGE in roles and purse:
            options["convert"] = lambda: self._convert(member, place, day)
        while options:
            op = self._rng.choices(list(options), [_WEIGHTS[op] for op in options])[0]
            planned = options.pop(op)()
            if planned is not None:
                return planned
        return self._earn(member, place)._replace(expected="ROLE_MISSING")

    def _refused(self, member: Member, place: str, day: date) -> Planned | None:
        """Something that must be refused at this place; None when the drawn kind does not exist here."""
        kinds = (self._without_role, self._without_points, self._below_minimum, self._without_rate, self._by_stranger)
        return self._rng.choice(kinds)(member, place, day)

    def _earn(self, member: Member, place: str) -> Planned:
        currency = place if place in self._world.prices and self._rng.random() < 0.5 else member.home  # noqa: PLR2004 - even chance
        usual = self._world.usual_earn(currency)
        return _plain(member, place, "earn", currency, self._rng.randint(usual // 2 + 1, usual * 3))

    def _spend(self, member: Member, place: str, op: str, currency: str) -> Planned:
        return _plain(member, place, op, currency, self._rng.randint(1, member.balances[currency] // 2 + 1))

    def _convert(self, member: Member, place: str, day: date) -> Planned | None:
        possible = []
        for number, rate in self._world.in_force(day):
            points = member.balances.get(rate.source.code, 0)
            if place in {rate.source.code, rate.target.code} and points >= rate.minimum and rate.converted(points)[0]:
                possible.append((number, rate))
        if not possible:
            return None
        number, rate = self._rng.choice(possible)
        points = member.balances[rate.source.code]
        units = self._rng.randint(max(rate.minimum, 1), points)
        if not rate.converted(units)[0]:
            units = points
        used, received = rate.converted(units)
        return Planned(
            "", member.number, place, "convert", rate.source.code, rate.target.code, units, DONE, used, received, number
        )

    def _without_role(self, member: Member, place: str, day: date) -> Planned | None:
        del day
        lacking = [op for op, role in _ROLE_OF.items() if role not in self._world.participants[place].roles]
        if not lacking:
            return None
        return _plain(member, place, self._rng.choice(lacking), member.home, 10)._replace(expected="ROLE_MISSING")

    def _without_points(self, member: Member, place: str, day: date) -> Planned | None:
        allowed = [op for op in ("redeem", "discount") if _ROLE_OF[op] in self._world.participants[place].roles]
        if allowed:
            units = member.balances.get(member.home, 0) + self._rng.randint(1, 1_000)
            planned = _plain(member, place, self._rng.choice(allowed), member.home, units)
            return planned._replace(expected="INSUFFICIENT_POINTS")
        found = [rate for _, rate in self._world.in_force(day) if rate.source.code == place]
        if not found:
            return None
        rate = self._rng.choice(found)
        units = member.balances.get(place, 0) + max(rate.minimum, rate.block, rate.source_units)
        target = rate.target.code
        return Planned("", member.number, place, "convert", place, target, units, "INSUFFICIENT_POINTS")

    def _below_minimum(self, member: Member, place: str, day: date) -> Planned | None:
        found = [
            rate
            for _, rate in self._world.in_force(day)
            if place in {rate.source.code, rate.target.code} and rate.minimum > 1
        ]
        if not found:
            return None
        rate = self._rng.choice(found)
        units = self._rng.randint(1, rate.minimum - 1)
        return Planned("", member.number, place, "convert", rate.source.code, rate.target.code, units, "BELOW_MINIMUM")

    def _without_rate(self, member: Member, place: str, day: date) -> Planned | None:
        if place not in self._world.prices:
            return None
        reached = {rate.target.code for _, rate in self._world.in_force(day) if rate.source.code == place}
        target = self._rng.choice([code for code in self._programmes if code != place and code not in reached])
        return Planned("", member.number, place, "convert", place, target, 5_000, "NO_RATE")

    def _by_stranger(self, member: Member, place: str, day: date) -> Planned | None:
        found = [rate for _, rate in self._world.in_force(day) if place not in {rate.source.code, rate.target.code}]
        if EXCHANGE not in self._world.participants[place].roles or not found:
            return None
        rate = self._rng.choice(found)
        return Planned("", member.number, place, "convert", rate.source.code, rate.target.code, 5_000, "NOT_THE_ISSUER")


def _plain(member: Member, place: str, op: str, currency: str, units: int) -> Planned:
    return Planned("", member.number, place, op, currency, "", units, DONE)
