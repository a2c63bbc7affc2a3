"""Playing the events of a scenario in order, each as the merchant that the file names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from exchange.client.caller import Caller, Refused, Stubs
from exchange.client.settlement import NettedWindow, Settlement
from exchange.scenario import wire
from exchange.scenario.coalition import Actors
from exchange.scenario.dues import Dues
from exchange.scenario.model import Advance, CloseWindow, Event, ExpectRefusal, FollowUp, Movement, Scenario
from exchange.scenario.outcomes import Converted, Day, Outcome, Played
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types

_TOO_LATE = "TOO_LATE"
_METHODS = {
    transfers.EarnPointsRequest: "EarnPoints",
    transfers.RedeemPointsRequest: "RedeemPoints",
    transfers.DiscountPointsRequest: "DiscountPoints",
    transfers.ConvertPointsRequest: "ConvertPoints",
    transfers.UseInCampaignRequest: "UseInCampaign",
    transfers.CashOutPointsRequest: "CashOutPoints",
    transfers.HoldPointsRequest: "HoldPoints",
    transfers.CaptureHoldRequest: "CaptureHold",
    transfers.VoidHoldRequest: "VoidHold",
    transfers.ReverseTransferRequest: "ReverseTransfer",
}


class _NothingToFollow(Exception):
    """The event that `of` names was refused, so that there is no transfer to follow."""


@dataclass(frozen=True, slots=True)
class _Moved:
    """A movement the server made, now or when its key was first used."""

    transfer: types.Transfer
    replayed: bool
    merchant: str


@dataclass(slots=True)
class _Members:
    """Members by the name the file gives them: the first merchant that needs one enrolls it, the others link it."""

    stubs: Stubs
    names: dict[str, str] = field(default_factory=dict)
    linked: set[tuple[str, str]] = field(default_factory=set)

    async def reach(self, member: str, merchant: str, caller: Caller) -> str:
        """The member's resource name, once the merchant may use it."""
        if member not in self.names:
            enrolled = await caller.ask(self.stubs.members.EnrollMember, members.EnrollMemberRequest(reference=member))
            self.names[member] = enrolled.member.name
            self.linked.add((member, merchant))
        elif (member, merchant) not in self.linked:
            request = members.LinkMemberRequest(member=self.names[member], reference=member)
            await caller.ask(self.stubs.members.LinkMember, request)
            self.linked.add((member, merchant))
        return self.names[member]


class Runner:
    """Plays one scenario on a sandbox whose coalition stands already."""

    def __init__(self, scenario: Scenario, stubs: Stubs, operator: Caller, actors: Actors) -> None:
        self._scenario = scenario
        self._stubs = stubs
        self._operator = operator
        self._actors = actors
        self._members = _Members(stubs)
        self._settlement = Settlement(stubs.channel, actors.finance_maker)
        self._windows: list[NettedWindow] = []
        self._converted: dict[str, Converted] = {}
        self._reversed: dict[str, int] = {}
        self._made: dict[str, _Moved] = {}
        self._now = scenario.clock
        self._dues = Dues(scenario.currencies)
        self._given_keys = {m.key for m in map(_movement_of, scenario.events) if m is not None and m.key is not None}

    async def play(self) -> Day:
        """Every event, whatever becomes of it, and then what the members hold.

        Raises:
            Refused: the server refuses what no file can be blamed for, such as closing the window.
        """
        played = [await self._event(number, event) for number, event in enumerate(self._scenario.events, start=1)]
        balances = {member: await self._balances(name) for member, name in sorted(self._members.names.items())}
        return Day(played, self._windows, balances, self._converted, self._reversed)

    async def _event(self, number: int, event: Event) -> Played:
        match event:
            case Advance():
                await self._forward(event.to)
                return Played(number, event.line, "advance", f"to {event.to.isoformat()}", Outcome.DONE)
            case CloseWindow():
                await self._forward(event.at)
                return await self._close(number, event)
            case ExpectRefusal():
                await self._forward(event.at)
                return await self._refusal(number, event)
            case Movement() | FollowUp():
                return await self._movement(number, event)

    async def _movement(self, number: int, event: Movement | FollowUp) -> Played:
        key = event.key or self._made_up_key(number)
        text = _text(event)
        where = f"event {number} (line {event.line})"
        try:
            moved = await self._move(event, key)
        except _NothingToFollow as nothing:
            return Played(
                number, event.line, event.op, text, Outcome.REFUSED, key, difference=f"{where}: {event.op}: {nothing}"
            )
        except Refused as refused:
            return Played(
                number,
                event.line,
                event.op,
                text,
                Outcome.REFUSED,
                key,
                "",
                refused.reason,
                refused.message,
                difference=f"{where}: {event.op} refused: {refused}",
            )
        outcome = Outcome.REPLAYED if moved.replayed else Outcome.DONE
        self._made[key] = moved
        if isinstance(event, Movement) and not moved.replayed:
            self._dues.add(event, self._now, moved.transfer.event_time.ToDatetime(UTC))
        if event.op == "convert":
            self._converted[key] = Converted(moved.transfer.used.units, moved.transfer.received.units)
            text += f" (used {moved.transfer.used.units}, received {moved.transfer.received.units})"
        if event.op == "reverse":
            self._reversed[key] = _moved_back(moved.transfer)
            text += f" ({self._reversed[key]})"
        text += _bonuses(moved.transfer)
        return Played(number, event.line, event.op, text, outcome, key, moved.transfer.name)

    async def _refusal(self, number: int, event: ExpectRefusal) -> Played:
        key = event.movement.key or self._made_up_key(number)
        where = f"event {number} (line {event.line})"
        text = f"{event.movement.op} {_text(event.movement)}"
        try:
            moved = await self._move(event.movement, key)
        except _NothingToFollow as nothing:
            difference = f"{where}: {event.movement.op}: {nothing}"
            return Played(number, event.line, "expect_refusal", text, Outcome.REFUSED, key, difference=difference)
        except Refused as refused:
            as_expected = refused.reason == event.reason
            return Played(
                number,
                event.line,
                "expect_refusal",
                text,
                Outcome.REFUSED_AS_EXPECTED if as_expected else Outcome.REFUSED,
                key,
                "",
                refused.reason,
                refused.message,
                difference="" if as_expected else f"{where}: expected refusal {event.reason}, refused by {refused}",
            )
        return Played(
            number,
            event.line,
            "expect_refusal",
            text,
            Outcome.NOT_REFUSED,
            key,
            moved.transfer.name,
            difference=f"{where}: expected refusal {event.reason}, but {event.movement.op} succeeded",
        )

    async def _move(self, event: Movement | FollowUp, key: str) -> _Moved:
        await self._forward(event.at)
        if isinstance(event, FollowUp):
            original = self._made.get(event.of)
            if original is None:
                raise _NothingToFollow(f"the event with key {event.of} was refused")
            merchant = original.merchant
            caller = self._actors.merchants[merchant]
            request = wire.follow_up(event, key, original.transfer.name)
        else:
            merchant = event.merchant
            caller = self._actors.merchants[merchant]
            request = wire.movement(event, key, await self._members.reach(event.member, merchant, caller))
        method: Any = getattr(self._stubs.transfers, _METHODS[type(request)])
        answer = await caller.ask(method, request)
        return _Moved(answer.transfer, answer.replayed, merchant)

    async def _close(self, number: int, event: CloseWindow) -> Played:
        coalition = self._scenario.coalition
        window = await self._settlement.close()
        netted = await self._settlement.net(window, coalition.currency, coalition.minimum_payment)
        self._windows.append(netted)
        return Played(number, event.line, "close_window", f"{window}, gross {netted.gross}", Outcome.DONE)

    async def _forward(self, to: datetime | None) -> None:
        """Move the clock to an instant, unless playing took so long that it is past it already.

        The file's own order was checked when it was read, so "too late" can only mean that. What is due by the file's
        clock is due then, though the sandbox's ran on a little before it began.
        """
        if to is None:
            return
        self._now = to
        try:
            await self._operator.ask(self._stubs.sandbox.SetClock, wire.set_clock(self._dues.reached_by(to)))
        except Refused as refused:
            if refused.reason != _TOO_LATE:
                raise

    async def _balances(self, member: str) -> dict[str, int]:
        request = members.ListBalancesRequest(member=member)
        answer = await self._actors.auditor.ask(self._stubs.members.ListBalances, request)
        return {balance.currency.partition("/")[2]: balance.available_units for balance in answer.balances}

    def _made_up_key(self, number: int) -> str:
        """A key for an event that has none: the same in every run, and none of those the file gives."""
        key = f"event-{number}"
        while key in self._given_keys:
            key += "'"
        return key


def _movement_of(event: Event) -> Movement | FollowUp | None:
    if isinstance(event, ExpectRefusal):
        return event.movement
    return event if isinstance(event, Movement | FollowUp) else None


def _text(event: Movement | FollowUp) -> str:
    if isinstance(event, FollowUp):
        part = "" if event.points is None else f" {event.points}"
        kept = "" if event.retained is None else f" keeping {event.retained} of {event.total}"
        return f"{event.of}{part}{kept}"
    into = f" -> {event.target}" if event.target is not None else ""
    what = f"{event.points} {event.currency}" if event.rule is None else f"{event.amount} by {event.rule}"
    return f"{event.merchant}: {event.member} {what}{into}"


def _bonuses(transfer: types.Transfer) -> str:
    """What promotions gave beside a movement, or got back by a reversal."""
    sign = "-" if transfer.kind == types.Transfer.KIND_REVERSAL else "+"
    return "".join(f" ({one.promotion.partition('/')[2]} {sign}{one.points.units})" for one in transfer.promotions)


def _moved_back(reversal: types.Transfer) -> int:
    """Points a reversal took back from the member; where the original had taken points, those it gave back."""
    leg = types.PointsLeg
    sides = dict.fromkeys((leg.SIDE_CREDIT, leg.SIDE_DEBIT), 0)
    for one in reversal.legs:
        if one.account == leg.ACCOUNT_CIRCULATION:
            sides[one.side] += one.points.units
    return sides[leg.SIDE_CREDIT] or sides[leg.SIDE_DEBIT]
