"""Who stands in for a defaulter, and a run without it."""

from datetime import date
from uuid import UUID

from settlement.defaults import rules
from settlement.defaults.content import declaration_of, plain
from settlement.defaults.model import Claim, DefaultDeclaration, Layer, Stake, Standing, Waterfall
from settlement.funds.model import Account, Book, CurrencyTerms, Purpose, Residual
from settlement.funds.rules import posted, unsound
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


def fall(loss: int, terms: CurrencyTerms | None = None) -> Waterfall:
    """GRO does not pay so much, of which TEL was to get 300 and AIR 100."""
    return rules.waterfall("GRO", loss, FUNDS, terms or CurrencyTerms("CNY"), "OPR", {"TEL": 300, "AIR": 100, "OPR": 9})


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
    """As the terms say; the operator, who passes money on, bears nothing of it."""
    open_ = fall(4_800)
    borne = fall(4_800, CurrencyTerms("CNY", residual=Residual.CREDITORS))
    more_than_they_get = fall(5_200, CurrencyTerms("CNY", residual=Residual.CREDITORS))

    assert (open_.taken, open_.allocated, open_.open) == (4_700, {}, 100)
    assert (borne.taken, borne.allocated, borne.open) == (4_700, {"AIR": 25, "TEL": 75}, 0)
    assert (more_than_they_get.allocated, more_than_they_get.open) == ({"AIR": 100, "TEL": 300}, 100)


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
    terms = CurrencyTerms("CNY", residual=Residual.CREDITORS)
    declaration = DefaultDeclaration("GRO", 7, "d" * 64, [fall(4_800, terms), fall(5, terms)])

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
    assert rules.repaid(part, 1)[-1] == Stake(3, "OPR", Purpose.OPERATOR_LAYER, 400, 1)
