"""SettlementService: a window is cut off, netted once and for all, and everything paid drills down to transfers."""

from collections.abc import AsyncIterator

import pytest

from exchange.v1 import transfer_service_pb2 as transfer_pb
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_after_period_a, short
from tests.database import Databases
from tests.servers import a_server
from tests.worlds import a_world

PAIRS = {
    ("AIR", "TEL"): 20_000,
    ("BNK", "GRO"): 60_000,
    ("CAF", "AIR"): 50_100,
    ("GRO", "TEL"): 144_000,
    ("TEL", "CAF"): 50_000,
    ("TEL", "GRO"): 12_345,
}
NETS = {"AIR": 30_100, "BNK": -60_000, "CAF": -100, "GRO": -71_655, "TEL": 101_655}


@pytest.fixture(scope="module")
async def finance(databases: Databases) -> AsyncIterator[Finance]:
    """A coalition that has had the rulebook's period A in its first window; the window is closed and netted."""
    name = await databases.clone()
    async with (
        a_server(databases.url_of(name)) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        finance = await finance_after_period_a(world)
        await finance.start("windows/1")
        yield finance
    await databases.drop(name)


@pytest.fixture
async def run(finance: Finance) -> pb.Run:
    """The run of the first window."""
    return (await finance.start("windows/1")).run


async def test_a_run_tells_the_rulebooks_figures(run: pb.Run) -> None:
    """Gross, what is left by pair, what is paid: in fen."""
    (summary,) = run.summaries

    assert (run.window, run.state) == ("windows/1", pb.Run.STATE_CALCULATED)
    assert run.configuration.mode == pb.NETTING_MODE_MULTILATERAL
    assert (summary.currency_code, summary.gross_minor_units, summary.obligation_count) == ("CNY", 336_445, 6)
    assert (summary.net_minor_units, summary.paid_minor_units) == (131_755, 131_755)
    assert summary.bilateral_minor_units == 336_445 - 2 * 12_345
    assert len(run.result_digest) == 64


async def test_net_positions_are_the_rulebooks_and_sum_to_zero(finance: Finance, run: pb.Run) -> None:
    """Receivable, payable and net of each, by currency and participant, page by page."""
    pages = await finance.rows(finance.maker, run, "positions", 2)

    rows = [row for page in pages for row in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [short(row.participant) for row in rows] == sorted(NETS)
    assert {short(row.participant): row.net_receive_minor_units - row.net_pay_minor_units for row in rows} == NETS
    assert sum(row.receivable_minor_units - row.payable_minor_units for row in rows) == 0
    assert [
        (row.receivable_minor_units, row.payable_minor_units) for row in rows if short(row.participant) == "TEL"
    ] == [(164_000, 62_345)]
    assert {row.currency_code for row in rows} == {"CNY"}


async def test_pairs_tell_gross_and_what_set_off_leaves(finance: Finance, run: pb.Run) -> None:
    """By debtor and creditor; the exact micro-units beside the one rounding."""
    pages = await finance.rows(finance.checker, run, "pairs", 4)

    rows = [row for page in pages for row in page]
    assert {(short(row.debtor), short(row.creditor)): row.gross_minor_units for row in rows} == PAIRS
    assert all(int(row.micros) == row.gross_minor_units * 10_000 for row in rows)
    assert {(short(r.debtor), short(r.creditor)): r.net_minor_units for r in rows if r.net_minor_units} == {
        ("AIR", "TEL"): 20_000,
        ("BNK", "GRO"): 60_000,
        ("CAF", "AIR"): 50_100,
        ("GRO", "TEL"): 131_655,
        ("TEL", "CAF"): 50_000,
    }
    assert {row.obligation_count for row in rows} == {1}


async def test_each_debtor_pays_the_operator_which_pays_each_creditor(finance: Finance, run: pb.Run) -> None:
    """Through the clearing account, in equal sums."""
    (rows,) = await finance.rows(finance.maker, run, "payments")

    assert {(short(row.payer), short(row.payee)): row.minor_units for row in rows} == {
        ("BNK", "OPR"): 60_000,
        ("CAF", "OPR"): 100,
        ("GRO", "OPR"): 71_655,
        ("OPR", "AIR"): 30_100,
        ("OPR", "TEL"): 101_655,
    }


async def test_everything_netted_drills_down_to_transfers(finance: Finance, run: pb.Run) -> None:
    """Obligations of a pair sum to its exact figure; each is the one its transfer tells."""
    (pairs,) = await finance.rows(finance.maker, run, "pairs")
    auditor = await finance.cast.world.auditor()

    for pair in pairs:
        ((entry,),) = await finance.obligations(finance.maker, "windows/1", debtor=pair.debtor, creditor=pair.creditor)
        request = transfer_pb.GetTransferRequest(name=entry.transfer)
        transfer = (await auditor.ask(auditor.stubs.transfers.GetTransfer, request)).transfer
        assert entry.obligation.amount.micros == int(pair.micros)
        assert list(transfer.obligations) == [entry.obligation]
        assert (entry.window, entry.ledger_sequence) == (transfer.window, transfer.ledger_sequence)
        assert entry.event_time == transfer.event_time


async def test_obligations_are_listed_in_ledger_order_page_by_page(finance: Finance) -> None:
    """All of a window's, or a debtor's, or a creditor's."""
    pages = await finance.obligations(finance.maker, "windows/1", 4)
    by_debtor = await finance.obligations(finance.maker, "windows/1", debtor="merchants/TEL")
    by_creditor = await finance.obligations(finance.maker, "windows/1", creditor="merchants/GRO")

    places = [entry.ledger_sequence for page in pages for entry in page]
    assert ([len(page) for page in pages], places) == ([4, 2], sorted(places))
    assert [short(entry.obligation.creditor) for entry in by_debtor[0]] == ["CAF", "GRO"]
    assert [short(entry.obligation.debtor) for entry in by_creditor[0]] == ["BNK", "TEL"]


async def test_a_merchant_sees_only_what_it_is_a_party_of(finance: Finance, run: pb.Run) -> None:
    """CAF: its own position, two pairs, one payment, two obligations."""
    caf = finance.cast.caf

    (positions,) = await finance.rows(caf, run, "positions")
    (pairs,) = await finance.rows(caf, run, "pairs")
    (payments,) = await finance.rows(caf, run, "payments")
    (obligations,) = await finance.obligations(caf, "windows/1")
    (of_others,) = await finance.obligations(caf, "windows/1", debtor="merchants/GRO")

    assert [short(row.participant) for row in positions] == ["CAF"]
    assert [(short(row.debtor), short(row.creditor)) for row in pairs] == [("CAF", "AIR"), ("TEL", "CAF")]
    assert [(short(row.payer), row.minor_units) for row in payments] == [("CAF", 100)]
    assert [(short(e.obligation.debtor), short(e.obligation.creditor)) for e in obligations] == [
        ("CAF", "AIR"),
        ("TEL", "CAF"),
    ]
    assert of_others == []


@pytest.mark.parametrize("what", ["positions", "pairs", "payments", "items"])
async def test_to_a_merchant_without_a_part_in_it_a_run_does_not_exist(
    finance: Finance, run: pb.Run, what: str
) -> None:
    """It cannot be told from a run that there never was; and the window holds nothing of its own."""
    nowhere = pb.Run(name="runs/00000000-0000-4000-8000-000000000000")

    hidden = await refusal(finance.rows(finance.cast.gen, run, what))
    missing = await refusal(finance.rows(finance.cast.gen, nowhere, what))

    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "run")
    assert repr(hidden).replace(run.name, "RUN") == repr(missing).replace(nowhere.name, "RUN")
    assert await finance.obligations(finance.cast.gen, "windows/1") == [[]]


async def test_a_page_token_of_a_run_serves_only_its_caller(finance: Finance, run: pb.Run) -> None:
    """A merchant does not page on where finance left off."""
    stub = finance.stub
    first = await finance.maker.ask(stub.ListPairTotals, pb.ListPairTotalsRequest(run=run.name, page_size=1))
    token = first.next_page_token

    refused = [
        await refusal(
            finance.cast.caf.ask(stub.ListPairTotals, pb.ListPairTotalsRequest(run=run.name, page_token=token))
        ),
        await refusal(finance.maker.ask(stub.ListPayments, pb.ListPaymentsRequest(run=run.name, page_token=token))),
    ]

    assert {no.reason for no in refused} == {"INVALID_PAGE_TOKEN"}


async def test_a_second_run_of_a_window_is_the_first(finance: Finance, run: pb.Run) -> None:
    """The same configuration gives the same run and digest; GetRun tells it to finance, operator and auditor."""
    again = await finance.start("windows/1")
    spelled_out = await finance.start("windows/1", mode=pb.NETTING_MODE_MULTILATERAL, minimum_minor_units={"CNY": 0})

    assert (again.replayed, again.run, spelled_out.replayed, spelled_out.run) == (True, run, True, run)
    for reader in (finance.maker, finance.checker, finance.cast.world.operator, await finance.cast.world.auditor()):
        assert (await reader.ask(finance.stub.GetRun, pb.GetRunRequest(name=run.name))).run == run


async def test_another_configuration_is_another_run(finance: Finance, run: pb.Run) -> None:
    """Bilateral: each pair pays what set-off leaves, directly."""
    other = (await finance.start("windows/1", mode=pb.NETTING_MODE_BILATERAL)).run

    (payments,) = await finance.rows(finance.maker, other, "payments")
    assert (other.name != run.name, other.result_digest != run.result_digest) == (True, True)
    assert {(short(p.payer), short(p.payee)): p.minor_units for p in payments} == {
        ("AIR", "TEL"): 20_000,
        ("BNK", "GRO"): 60_000,
        ("CAF", "AIR"): 50_100,
        ("GRO", "TEL"): 131_655,
        ("TEL", "CAF"): 50_000,
    }


async def test_a_window_tells_how_far_it_is(finance: Finance, run: pb.Run) -> None:
    """Calculated, with who closed it and when; the open one has neither."""
    assert run.window == "windows/1"

    closed = await finance.cast.gro.ask(finance.stub.GetWindow, pb.GetWindowRequest(name="windows/1"))
    opened = await finance.cast.gro.ask(finance.stub.GetWindow, pb.GetWindowRequest(name="windows/open"))

    assert (closed.window.name, closed.window.state) == ("windows/1", pb.Window.STATE_CALCULATED)
    assert closed.window.close_time == opened.window.open_time
    assert finance.maker.key in closed.window.closed_by
    assert (opened.window.name, opened.window.state) == ("windows/2", pb.Window.STATE_OPEN)
    assert (opened.window.HasField("close_time"), opened.window.closed_by) == (False, "")


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("GetWindow", pb.GetWindowRequest(name="windows/999"), "name"),
        ("CloseWindow", pb.CloseWindowRequest(name="windows/999"), "name"),
        ("StartRun", pb.StartRunRequest(window="windows/999"), "window"),
        ("ListObligations", pb.ListObligationsRequest(window="windows/999"), "window"),
        ("GetRun", pb.GetRunRequest(name="runs/00000000-0000-4000-8000-000000000000"), "name"),
        ("ListPayments", pb.ListPaymentsRequest(run="runs/00000000-0000-4000-8000-000000000000"), "run"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_windows_and_runs_there_are_not_are_not_found(
    finance: Finance, method: str, request_: object, field: str
) -> None:
    """By the field that named them."""
    refused = await refusal(finance.maker.ask(getattr(finance.stub, method), request_))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", field)
