"""The till's tests, on a sandbox: run them with `pytest --exchange-sandbox`."""

from datetime import timedelta

from checkout import pay

from exchange.testing.running import ExchangeSandbox


def test_goods_are_paid_with_points(exchange_sandbox: ExchangeSandbox) -> None:
    """A member has 500 TEL and gives 200."""
    member = exchange_sandbox.member(TEL=500)

    shown = pay(exchange_sandbox.client("CAF"), "1", member.reference, 200)

    assert shown == "paid"
    assert exchange_sandbox.balance(member, "TEL") == 300


def test_the_till_says_how_many_points_there_are(exchange_sandbox: ExchangeSandbox) -> None:
    """A real refusal: the canned member card-empty has none."""
    assert pay(exchange_sandbox.client("CAF"), "2", "card-empty", 200) == "only 0 points"


def test_the_till_waits_while_the_exchange_is_away(exchange_sandbox: ExchangeSandbox) -> None:
    """A forced refusal: the amount makes the sandbox say so, as long as it is asked."""
    units = exchange_sandbox.forcing("DATABASE_UNAVAILABLE")

    assert pay(exchange_sandbox.client("CAF"), "3", "card-1", units) == "please wait"


def test_a_lost_answer_costs_nothing(exchange_sandbox: ExchangeSandbox) -> None:
    """The points are taken, the answer is lost, the client asks again: the order is paid once."""
    units = exchange_sandbox.forcing("DATABASE_UNAVAILABLE", done=True)
    member = exchange_sandbox.member(TEL=2 * units)

    assert pay(exchange_sandbox.client("CAF"), "4", member.reference, units) == "paid"
    assert exchange_sandbox.balance(member, "TEL") == units


def test_miles_end_after_a_year(fresh_exchange_sandbox: ExchangeSandbox) -> None:
    """The clock is moved, and what fell due is done."""
    member = fresh_exchange_sandbox.member(AIR=40)

    fresh_exchange_sandbox.clock.advance(timedelta(days=366))

    assert fresh_exchange_sandbox.balance(member, "AIR") == 0
