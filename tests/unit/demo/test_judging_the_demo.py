"""When the demo's day adds up, and that nothing that is wrong passes for right."""

from dataclasses import replace

from exchange.client.settlement import NettedWindow, PairTotal, Payment, Position
from exchange.demo.model import DONE, Planned
from exchange.demo.tally import Tally
from exchange.demo.traffic import Answer
from exchange.demo.verdict import Audit, judge
from exchange.v1 import types_pb2 as types

EARNED = Planned("k1", 0, "SHOP", "earn", "MR", "", 100, DONE)
SOUND = Audit(ok=True, checks=[{"check": "balances", "ok": True}])


def transfer(micros: int) -> types.Transfer:
    """An earn that leaves the shop owing MR."""
    obligation = types.Obligation(debtor="merchants/SHOP", creditor="merchants/MR")
    obligation.amount.currency_code, obligation.amount.micros = "USD", micros
    return types.Transfer(name="transfers/1", obligations=[obligation])


def tally_of(*answers: tuple[Planned, Answer]) -> Tally:
    """What was counted of these answers."""
    tally = Tally(())
    for planned, answer in answers:
        tally.add(planned, answer)
    return tally


def window(micros: int = 1_500_000) -> NettedWindow:
    """SHOP owes MR 1.50, and pays it."""
    return NettedWindow(
        window="windows/1",
        run="runs/1",
        digest="",
        pairs={("SHOP", "MR"): PairTotal(micros, 150, 150)},
        positions={"SHOP": Position(0, 150, -150, 0), "MR": Position(150, 0, 150, 0)},
        payments=(Payment("SHOP", "OPR", 150), Payment("OPR", "MR", 150)),
        gross=150,
        paid=150,
        obligation_count=1,
    )


def broken(tally: Tally, window: NettedWindow, audit: Audit = SOUND, asked: int = 1) -> list[str]:
    """The checks that fail."""
    return [
        check.name for check in judge(tally, asked=asked, window=window, audit=audit, operator="OPR") if not check.ok
    ]


ANSWERED = tally_of((EARNED, Answer(transfer(1_500_000), replayed=False, reason="", message="")))


def test_a_day_that_adds_up_passes_every_check() -> None:
    """One movement, its obligation in the window, paid through the clearing account."""
    assert broken(ANSWERED, window()) == []


def test_an_answer_too_few_is_found() -> None:
    """Two movements asked for, one answered."""
    assert broken(ANSWERED, window(), asked=2) == ["every movement got one answer"]


def test_an_answer_nobody_foresaw_is_found() -> None:
    """Refused where the plan was sure of a yes."""
    tally = tally_of((EARNED, Answer(None, replayed=False, reason="NO_PRICE", message="no price")))

    assert tally.surprises == ["k1 earn at SHOP: expected DONE, got NO_PRICE (no price)"]
    assert "every answer is the one the plan foresaw" in broken(tally, window())


def test_a_conversion_at_other_figures_is_found() -> None:
    """The plan counts used and received itself."""
    planned = Planned("k2", 0, "MR", "convert", "MR", "HILTON", 1_000, DONE, used=1_000, received=2_000, rate=0)
    answer = types.Transfer(used=types.PointsAmount(units=1_000), received=types.PointsAmount(units=1_999))

    tally = tally_of((planned, Answer(answer, replayed=False, reason="", message="")))

    assert tally.surprises == ["k2 convert at MR: expected 1000 used, 2000 received, got (1000, 1999)"]


def test_a_replay_counts_no_obligation_twice() -> None:
    """The first answer comes again, obligations and all; it leaves nobody owing more."""
    again = (EARNED._replace(expected="REPLAYED"), Answer(transfer(1_500_000), replayed=True, reason="", message=""))
    tally = tally_of((EARNED, Answer(transfer(1_500_000), replayed=False, reason="", message="")), again)

    assert broken(tally, window(), asked=2) == []


def test_a_micro_unit_lost_on_the_way_to_settlement_is_found() -> None:
    """Rounded to cents the window would look right."""
    assert broken(ANSWERED, window(micros=1_499_999)) == ["the window holds what the answers told, to the micro-unit"]


def test_a_net_too_many_and_a_payment_too_few_are_found() -> None:
    """Each by its own check."""
    uneven = replace(window(), positions=window().positions | {"MILL": Position(1, 0, 1, 0)})
    unpaid = replace(window(), payments=window().payments[:1])

    assert broken(ANSWERED, uneven) == ["net positions sum to zero", "payments leave nobody owing"]
    assert broken(ANSWERED, unpaid) == ["payments leave nobody owing"]


def test_an_audit_that_finds_something_is_found() -> None:
    """Whether it says so in all or in one check."""
    for audit in (Audit(ok=False, checks=()), Audit(ok=True, checks=[{"check": "lots", "ok": False}])):
        assert broken(ANSWERED, window(), audit) == ["the ledger's audit finds nothing"]
