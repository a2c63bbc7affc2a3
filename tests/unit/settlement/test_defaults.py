"""Who stands in for a defaulter, and a run without it."""

from datetime import date
from uuid import UUID

from settlement.defaults import rules
from settlement.defaults.bearing import bearers
from settlement.defaults.content import declaration_of, plain
from settlement.defaults.model import (
    Bearer,
    Claim,
    DefaultDeclaration,
    Layer,
    Reduction,
    Stake,
    Standing,
    Waterfall,
)
from settlement.funds.model import Account, Book, CurrencyTerms, Purpose, Residual, Way
from settlement.funds.rules import posted, unsound
from settlement.payments.model import AttemptState, Leg, LegView
from settlement.run.model import Configuration
from settlement.run.rules import Inputs
from tests.unit.settlement.settlements import PERIOD_A

INPUTS = Inputs(1, date(2026, 4, 1), PERIOD_A, (), Configuration(), "OPR")
FUNDS: Book = {
    ("CNY", Account("OPR", Purpose.CLEARING_ACCOUNT)): 1_000 + 2_000 + 300 + 400 + 500 + 250 + 250,
    ("CNY", Account("GRO", Purpose.PREFUNDING)): 1_000,
    ("CNY", Account("GRO", Purpose.COLLATERAL)): 2_000,
    ("CNY", Account("GRO", Purpose.GUARANTEE)): 300,
    ("CNY", Account("OPR", Purpose.OPERATOR_LAYER)): 400,
    ("CNY", Account("AIR", Purpose.GUARANTEE)): 500,
    ("CNY", Account("BNK", Purpose.GUARANTEE)): 250,
    ("CNY", Account("TEL", Purpose.GUARANTEE)): 250,
    ("USD", Account("TEL", Purpose.GUARANTEE)): 9_999,
}


BEARERS = [Bearer("TEL", 300, 4, 1), Bearer("AIR", 100, 5, 2)]
CREDITORS = CurrencyTerms("CNY", residual=Residual.CREDITORS)


def fall(loss: int, terms: CurrencyTerms | None = None) -> Waterfall:
    """GRO does not pay so much, of which TEL was to get 300 and AIR 100."""
    return rules.waterfall("GRO", loss, FUNDS, terms or CurrencyTerms("CNY"), "OPR", BEARERS)


def taken(found: Waterfall) -> list[tuple[Layer, str, int]]:
    """What is taken of whom, where anything is."""
    return [(one.layer, one.participant, one.taken) for one in found.takes if one.taken]


def test_layers_stand_in_one_after_the_other() -> None:
    """The defaulter's own first, then the operator's, then the others' in proportion; ties by name."""
    assert taken(fall(1_000)) == [(Layer.OWN_PREFUNDING, "GRO", 1_000)]
    assert taken(fall(3_301)) == [
        (Layer.OWN_PREFUNDING, "GRO", 1_000),
        (Layer.OWN_COLLATERAL, "GRO", 2_000),
        (Layer.OWN_GUARANTEE, "GRO", 300),
        (Layer.OPERATOR, "OPR", 1),
    ]
    assert taken(fall(3_702))[-2:] == [(Layer.OTHERS_GUARANTEE, "AIR", 1), (Layer.OTHERS_GUARANTEE, "BNK", 1)]
    assert [one.taken for one in fall(3_800).takes[-3:]] == [50, 25, 25]


def test_what_no_layer_holds_is_left_open_or_borne_by_those_who_are_paid() -> None:
    """As the terms say: in proportion to what they are still to get, and their payments are so much smaller."""
    open_ = fall(4_800)
    borne = fall(4_801, CREDITORS)
    more_than_they_get = fall(5_200, CREDITORS)
    covered = fall(4_700, CREDITORS)

    assert (open_.taken, open_.allocated, open_.open, open_.reductions) == (4_700, {}, 100, None)
    assert (borne.taken, borne.allocated, borne.open) == (4_700, {"AIR": 25, "TEL": 76}, 0)
    assert borne.reductions == [Reduction(4, "TEL", 1, 76), Reduction(5, "AIR", 2, 25)]
    assert (more_than_they_get.allocated, more_than_they_get.open) == ({"AIR": 100, "TEL": 300}, 100)
    assert (covered.allocated, covered.reductions) == ({}, [])


def test_what_creditors_bear_is_noted_beside_the_money() -> None:
    """No money moves by it: what TEL and AIR bear is what is claimed of GRO, and both come back together."""
    found = fall(4_800, CREDITORS)
    declared = posted(FUNDS, found.postings("GRO"))
    owed = Claim(UUID(int=1), "GRO", 1, "CNY", 4_800, rules.stakes_of(found, "GRO"))

    after = posted(declared, rules.repayments(owed, 150, "OPR"))

    def figures(book: Book, *accounts: tuple[str, Purpose]) -> list[int]:
        return [book.get(("CNY", Account(*one)), 0) for one in accounts]

    notes = (("AIR", Purpose.LOSS_BORNE), ("TEL", Purpose.LOSS_BORNE), ("GRO", Purpose.DEFAULT_CLAIM))
    back = (("AIR", Purpose.LOSS_REPAID), ("TEL", Purpose.LOSS_REPAID), ("AIR", Purpose.GUARANTEE))
    assert figures(declared, *notes, *back) == [25, 75, 100, 0, 0, 0]
    assert figures(after, *notes, *back) == [0, 0, 0, 25, 75, 25]
    assert [line for book in (declared, after) for line in unsound(book) if line.startswith("CNY")] == []
    assert unsound({("CNY", Account("TEL", Purpose.LOSS_BORNE)): 1}) == ["CNY 1 is borne of defaults and 0 claimed"]


def test_a_default_of_before_has_creditors_parts_told_and_not_posted() -> None:
    """What was written then is read as it was meant: the run lacks what they were told to bear."""
    said = plain(DefaultDeclaration("GRO", 7, "d" * 64, [fall(4_800, CREDITORS)]))
    del said["currencies"][0]["reductions"]

    found = declaration_of(said)

    (one,) = found.waterfalls
    assert (one.allocated, one.borne, one.uncovered) == ({"AIR": 25, "TEL": 75}, {}, 100)
    assert {line.way for line in found.postings} == {Way.DEFAULT}
    assert [stake.borne for stake in rules.stakes_of(one, "GRO") if stake.turn < 3] == [100]


LEGS = [
    LegView(Leg(number, "CNY", payer, payee, amount), attempt, "", "", state, None, "", borne)
    for number, payer, payee, amount, attempt, state, borne in (
        (1, "CAF", "OPR", 100, 1, AttemptState.SETTLED, 0),
        (2, "GRO", "OPR", 500, 1, AttemptState.REJECTED, 0),
        (3, "OPR", "AIR", 200, 1, AttemptState.RETURNED, 50),
        (4, "OPR", "BNK", 40, 1, AttemptState.SETTLED, 0),
        (5, "OPR", "TEL", 300, 0, AttemptState.CREATED, 0),
        (6, "OPR", "VIP", 30, 0, AttemptState.BORNE, 30),
    )
]


def test_who_bears_a_default_is_who_was_not_paid_yet() -> None:
    """What was booked is final; the operator bears with what it keeps of what comes in, less what it bore before."""
    found = bearers("GRO", "OPR", "multilateral", LEGS, 10)

    assert found == [Bearer("AIR", 150, 3, 2), Bearer("TEL", 300, 5, 1), Bearer("OPR", 20)]
    assert bearers("GRO", "OPR", "multilateral", LEGS, 30)[-1].participant == "TEL"


def test_whoever_is_paid_by_the_defaulter_itself_bears_its_default() -> None:
    """No other payment hangs on it, so nobody else's is smaller."""
    direct = [view._replace(leg=view.leg._replace(payer="GRO")) for view in LEGS[2:5]]
    others = [LEGS[0]._replace(state=AttemptState.CREATED)]

    assert bearers("GRO", "OPR", "bilateral", [*others, *direct], 0) == [
        Bearer("AIR", 150, 3, 2),
        Bearer("TEL", 300, 5, 1),
    ]


def test_a_contribution_is_spared_above_its_cap() -> None:
    """At 40 %, one default takes at most 200 of AIR's 500; the defaulter's own is not spared."""
    found = fall(10_000, CurrencyTerms("CNY", contribution_cap_bps=4_000))

    assert [(one.holds, one.at_most, one.taken) for one in found.takes[-3:]] == [
        (500, 200, 200),
        (250, 100, 100),
        (250, 100, 100),
    ]
    assert found.open == 10_000 - 3_300 - 400 - 400


def test_every_layer_is_posted_to_the_cover_of_the_defaulter() -> None:
    """No money leaves the clearing account by it, and the book stays sound."""
    found = fall(3_801)

    book = posted(FUNDS, found.postings("GRO"))

    assert book["CNY", Account("GRO", Purpose.DEFAULT_COVER)] == 3_801
    assert book["CNY", Account("GRO", Purpose.COLLATERAL)] == 0
    assert [line for line in unsound(book) if line.startswith("CNY")] == []


def test_a_declaration_is_read_back_as_it_was_written() -> None:
    """With every layer; its postings follow from them."""
    declaration = DefaultDeclaration("GRO", 7, "d" * 64, [fall(4_800, CREDITORS), fall(5)])

    found = declaration_of(plain(declaration))

    assert (found, found.postings) == (declaration, declaration.postings)


def test_a_run_without_the_defaulter_holds_all_of_its_debts_and_claims() -> None:
    """TEL was to get ¥1 016.55; without GRO's ¥1 440.00, and the ¥123.45 it owes GRO, it has to pay ¥300.00."""
    changes = {change.participant: change for change in rules.recast(INPUTS, "GRO").changes["CNY"]}

    assert sorted(changes) == ["AIR", "BNK", "CAF", "TEL"]
    assert changes["TEL"].before == Standing(0, 101_655, 0, 0)
    assert changes["TEL"].after == Standing(30_000, 0, held_payable=12_345, held_receivable=144_000)
    assert changes["BNK"].after == Standing(0, 0, held_payable=60_000, held_receivable=0)
    assert changes["AIR"].before == changes["AIR"].after


def claim(loss: int) -> Claim:
    """What is claimed of GRO after it did not pay so much."""
    return Claim(UUID(int=1), "GRO", 1, "CNY", loss, rules.stakes_of(fall(loss), "GRO"))


def back(found: Claim, amount: int) -> list[tuple[str, Purpose, int]]:
    """Who is repaid when so much comes back."""
    return [
        (one.credit.participant, one.credit.purpose, one.minor_units) for one in rules.repayments(found, amount, "OPR")
    ]


def test_what_a_defaulters_own_money_covered_is_nobodys_claim() -> None:
    """Of 4,800 its own 3,300; the others' 1,000, the operator's 400 and what nobody holds are claimed."""
    found = claim(4_800)

    assert (found.claimed, found.recovered, found.remaining, found.missing) == (1_500, 0, 1_500, 100)
    assert claim(3_300).remaining == 0


def test_whoever_stood_in_last_is_repaid_first() -> None:
    """Those the run was to pay, then the others alike, ties by name, then the operator: all from what came."""
    found = claim(4_800)
    cover = ("GRO", Purpose.DEFAULT_COVER)

    assert back(found, 99) == [(*cover, 99)]
    assert back(found, 102) == [(*cover, 100), ("AIR", Purpose.GUARANTEE, 1), ("BNK", Purpose.GUARANTEE, 1)]
    assert back(found, 1_500) == [
        (*cover, 100),
        ("AIR", Purpose.GUARANTEE, 500),
        ("BNK", Purpose.GUARANTEE, 250),
        ("TEL", Purpose.GUARANTEE, 250),
        ("OPR", Purpose.OPERATOR_LAYER, 400),
    ]
    part = rules.repaid(found.stakes, 1_100)
    assert [one.left for one in part] == [0, 0, 0, 0, 400]
    assert rules.repaid(part, 1)[-1] == Stake(4, "OPR", Purpose.OPERATOR_LAYER, 400, 1)
