"""The recount takes the table of transfers piece by piece: the pieces are the window, each row counted once."""

from __future__ import annotations

from uuid import UUID

import pytest

from exchange.db.engine import Database
from settlement import exchange_sums
from settlement.actors import Actor
from settlement.recount.model import Recount
from settlement.recount.service import Recounts
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.servers import Server

ANN = Actor("FINANCE_MAKER:apiKeys/ann", "ann")

SPREAD = """
INSERT INTO exchange.transfers
    (bucket, transfer_id, kind, merchant_no, member_id, request_id, occurred_at, ledger_sequence, window_no, legs,
     obligations)
SELECT bucket, (left(transfer_id::text, 13) || right(gen_random_uuid()::text, 23))::uuid, kind, merchant_no,
       member_id, window_no || ' ' || n, occurred_at,
       1000000 * window_no + n, window_no, legs, CASE WHEN n % 7 = 0 THEN obligations[:0] ELSE obligations END
FROM exchange.transfers, generate_series(1, 300) AS n ORDER BY n % 5, window_no
"""
"""More of each transfer, one in seven owing nothing: the windows lie in stretches between one another."""
LARGEST = "UPDATE exchange.transfers SET obligations[1].micros = 9223372036854775807 WHERE "
PLAIN = """
SELECT currency_code, debtor, creditor, sum(micros)::text, count(*)
FROM exchange.clearing_entries_v1 WHERE window_no = $1 GROUP BY currency_code, debtor, creditor ORDER BY 1, 2, 3
"""
OWING = "SELECT count(*) FROM exchange.transfers WHERE window_no = $1 AND obligations <> '{}'"
PAGES = """
SELECT max((place::text::point)[0])::int - min((place::text::point)[0])::int + 1
FROM exchange.clearing_transfers_v2 WHERE window_no = $1
"""
NOBODY = "UPDATE exchange.transfers SET obligations[1].debtor_no = 99 WHERE window_no = 1"


async def recounted(server: Server, run: pb.Run, told: list[tuple[int, int]] | None = None) -> Recount:
    """A run's window, counted; how far it was is added to `told`."""
    heard = [] if told is None else told
    database = Database(server.url)
    try:
        run_id = UUID(run.name.removeprefix("runs/"))
        return await Recounts(database).recount(run_id, ANN, lambda done, of: heard.append((done, of)))
    finally:
        await database.dispose()


@pytest.mark.parametrize(("pages", "scans"), [(1, 1), (3, 3), (5, 2), (1_024, 4)])
async def test_the_pieces_are_the_whole_however_the_table_is_cut(
    server: Server, finance: Finance, monkeypatch: pytest.MonkeyPatch, pages: int, scans: int
) -> None:
    """Windows between one another, sums beyond 64 bits, rows that were moved: as one plain GROUP BY says."""
    await finance.cast.gro.earn(finance.member, "100 TEL")
    await finance.close("windows/2")
    runs = {number: (await finance.start(f"windows/{number}")).run for number in (1, 2)}
    async with connected(server.url) as connection:
        await connection.execute(SPREAD)
        await connection.execute(f"{LARGEST} window_no = 2 AND obligations <> '{{}}'")
        plain = {number: [tuple(row) for row in await connection.fetch(PLAIN, number)] for number in runs}
        owing = {number: await connection.fetchval(OWING, number) for number in runs}
        extents = {number: await connection.fetchval(PAGES, number) for number in runs}
    monkeypatch.setattr(exchange_sums, "PAGES_AT_ONCE", pages)
    monkeypatch.setattr(exchange_sums, "SCANS_AT_ONCE", scans)

    for number, run in runs.items():
        told: list[tuple[int, int]] = []
        counted = (await recounted(server, run, told)).counted

        found = [(*pair, str(sums.micros), sums.obligations) for pair, sums in counted.pairs.items()]
        assert found == plain[number]
        assert counted.transfers == owing[number] == counted.obligations
        assert told == sorted(told)
        assert told[-1] == (owing[number], owing[number])
        assert (len(told) > 1) == (extents[number] > pages)
    assert int(plain[2][0][3]) > 2**63


async def test_an_empty_window_has_no_pieces(server: Server, finance: Finance) -> None:
    """Nothing is told of it, and it passes."""
    await finance.close("windows/2")
    await finance.start("windows/1")
    told: list[tuple[int, int]] = []

    recount = await recounted(server, (await finance.start("windows/2")).run, told)

    assert (recount.passed, recount.counted.transfers, told) == (True, 0, [])


async def test_who_is_in_no_directory_is_counted_all_the_same(server: Server, finance: Finance) -> None:
    """An obligation of somebody unknown is not passed over: it is a pair that no run has."""
    run = (await finance.start("windows/1")).run
    async with connected(server.url) as connection:
        await connection.execute(NOBODY)

    recount = await recounted(server, run)

    assert not recount.passed
    assert [one.pair.debtor for one in recount.mismatches if one.transfers.obligations] == ["#99"]
