"""Whatever the funds and the loss: every minor unit is borne once, by whom it is to be, and in the order agreed."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from settlement.defaults import rules
from settlement.defaults.model import PURPOSE_OF, Bearer, Layer, Waterfall
from settlement.funds.model import Account, CurrencyTerms, Purpose, Residual
from settlement.funds.rules import posted
from settlement.netting.registry import MODES
from settlement.run.model import Configuration
from settlement.run.rules import Inputs
from tests.unit.settlement.settlements import owed

NAMES = ("AIR", "BNK", "CAF", "GRO", "TEL")
AMOUNTS = st.integers(0, 10**12)
PURPOSES = (Purpose.PREFUNDING, Purpose.COLLATERAL, Purpose.GUARANTEE)


@st.composite
def defaults(draw: st.DrawFn) -> tuple[dict[tuple[str, Account], int], CurrencyTerms, Waterfall]:
    """Funds, terms and the waterfall of some loss of GRO's."""
    book = {
        ("CNY", Account(name, purpose)): draw(AMOUNTS) for name in NAMES for purpose in PURPOSES if draw(st.booleans())
    }
    book["CNY", Account("OPR", Purpose.OPERATOR_LAYER)] = draw(AMOUNTS)
    terms = CurrencyTerms(
        "CNY",
        contribution_cap_bps=draw(st.sampled_from((0, 1, 3_333, 10_000))),
        residual=draw(st.sampled_from(Residual)),
    )
    paid = draw(st.dictionaries(st.sampled_from((*NAMES[:3], "TEL", "OPR")), st.integers(1, 10**12)))
    bearers = [Bearer(name, amount, number) for number, (name, amount) in enumerate(paid.items())]
    return book, terms, rules.waterfall("GRO", draw(st.integers(1, 10**13)), book, terms, "OPR", bearers)


@given(defaults())
def test_every_unit_of_a_loss_is_borne_once(
    found: tuple[dict[tuple[str, Account], int], CurrencyTerms, Waterfall],
) -> None:
    """Taken, allocated and open are the loss; what is posted is what is taken, and nobody comes below nothing."""
    book, _, fall = found

    after = posted(book, fall.postings("GRO"))

    assert fall.taken + sum(fall.allocated.values()) + fall.open == fall.loss
    assert min(after.values()) >= 0
    assert after.get(("CNY", Account("GRO", Purpose.DEFAULT_COVER)), 0) == fall.taken
    borne = {one.participant: amount for (_, one), amount in after.items() if one.purpose is Purpose.LOSS_BORNE}
    claimed = after.get(("CNY", Account("GRO", Purpose.DEFAULT_CLAIM)), 0)
    assert (borne, claimed) == (dict(fall.borne), sum(fall.allocated.values()))
    assert sum(after.values()) == sum(book.values()) + 2 * claimed


@given(defaults())
def test_no_layer_is_touched_before_those_above_it_are_empty(
    found: tuple[dict[tuple[str, Account], int], CurrencyTerms, Waterfall],
) -> None:
    """And none gives more than may be taken of it; only then is anything allocated or open."""
    book, _, fall = found
    layers = list(Layer)

    for take in fall.takes:
        assert 0 <= take.taken <= take.at_most <= take.holds
        assert take.holds == book.get(("CNY", Account(take.participant, PURPOSE_OF[take.layer])), 0)
        if take.taken:
            above = [one for one in fall.takes if layers.index(one.layer) < layers.index(take.layer)]
            assert all(one.taken == one.at_most for one in above)
    if fall.allocated or fall.open:
        assert all(one.taken == one.at_most for one in fall.takes)


@given(defaults())
def test_others_give_in_proportion_to_the_last_unit(
    found: tuple[dict[tuple[str, Account], int], CurrencyTerms, Waterfall],
) -> None:
    """Nobody is further than one unit from its exact share."""
    _, _, fall = found
    others = [take for take in fall.takes if take.layer is Layer.OTHERS_GUARANTEE]
    given_, limits = sum(take.taken for take in others), sum(take.at_most for take in others)

    for take in others:
        assert abs(take.taken * limits - given_ * take.at_most) < max(limits, 1)


@given(
    debts=st.dictionaries(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1]),
        st.integers(1, 10**6),
        min_size=1,
        max_size=12,
    ),
    mode=st.sampled_from(sorted(MODES)),
)
def test_without_the_defaulter_everybody_has_the_difference_held(debts: dict[tuple[str, str], int], mode: str) -> None:
    """What somebody pays and receives, with what is held of and for it, is what it was before: nothing is lost."""
    totals = [owed(debtor, creditor, "earn", amount) for (debtor, creditor), amount in debts.items()]
    inputs = Inputs(1, date(2026, 4, 1), totals, (), Configuration(mode=mode), "OPR")

    for changes in rules.recast(inputs, "GRO").changes.values():
        assert "GRO" not in {change.participant for change in changes}
        for change in changes:
            before, after = change.before, change.after
            held = after.held_receivable - after.held_payable
            assert after.receives - after.pays + held == before.receives - before.pays
            assert after.held_payable == debts.get((change.participant, "GRO"), 0)
            assert after.held_receivable == debts.get(("GRO", change.participant), 0)


@given(defaults(), st.data())
def test_whatever_is_given_up_and_comes_back_nobody_gains_by_it(
    found: tuple[dict[tuple[str, Account], int], CurrencyTerms, Waterfall], data: st.DataObject
) -> None:
    """Repaid, written off and still claimed are together what each bears; who is repaid last gives up first."""
    stakes = rules.stakes_of(found[2], "GRO")

    for _ in range(data.draw(st.integers(1, 6))):
        borne = sum(one.left for one in stakes if one.purpose is not Purpose.DEFAULT_COVER)
        open_ = sum(one.borne - one.repaid for one in stakes)
        if data.draw(st.booleans()) and borne:
            amount = data.draw(st.integers(1, borne))
            losses = rules.given_up(stakes, amount)
            stakes = rules.without_losses(stakes, losses)
            assert sum(one.minor_units for one in losses) == amount
        elif open_:
            amount = data.draw(st.integers(1, open_))
            after = rules.repaid(stakes, amount)
            assert sum(one.repaid for one in after) == sum(one.repaid for one in stakes) + amount
            revived = sum(one.written_off for one in stakes) - sum(one.written_off for one in after)
            assert revived == max(0, amount - sum(one.left for one in stakes))
            stakes = after
        for one in stakes:
            assert min(one.repaid, one.written_off, one.left) >= 0
            later = [other for other in stakes if other.turn > one.turn]
            assert not one.written_off or not any(other.left for other in later)


@given(defaults(), st.data())
def test_recoveries_repay_all_that_was_borne_and_never_more(
    found: tuple[dict[tuple[str, Account], int], CurrencyTerms, Waterfall], data: st.DataObject
) -> None:
    """In whatever parts it comes: each part whole, nobody above what it gave, nobody before those repaid first."""
    fall = found[2]
    stakes = rules.stakes_of(fall, "GRO")
    own = sum(take.taken for take in fall.takes if take.layer.name.startswith("OWN"))
    assert sum(one.borne for one in stakes) == fall.loss - own

    left = fall.loss - own
    while left:
        part = data.draw(st.integers(1, left) | st.just(left))
        after = rules.repaid(stakes, part)
        assert sum(one.repaid for one in after) == sum(one.repaid for one in stakes) + part
        for old, new in zip(stakes, after, strict=True):
            assert old.repaid <= new.repaid <= new.borne
            assert new.repaid == old.repaid or all(one.left == 0 for one in after if one.turn < new.turn)
        stakes, left = after, left - part
        if data.draw(st.booleans()):
            break
