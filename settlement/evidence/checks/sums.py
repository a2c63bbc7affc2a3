"""Every obligation is its points at a published price, and all of them sum to what the calculation took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from settlement.evidence.ages import too_old_for
from settlement.evidence.model import Difference
from settlement.evidence.reading import Pack, Row
from settlement.recount import rules

PRICED = {
    "earn": "issue",
    "redeem": "redeem",
    "discount": "redeem",
    "campaign": "redeem",
    "conversion": "conversion_in",
    "cash_out": "cash_out",
}
"""Which published price each kind of obligation goes by; all others are shares, fees, spreads and mirrors."""
Key = tuple[str, ...]
_PAIR = ("currency", "debtor", "creditor")
_KIND = (*_PAIR, "kind")


def entries(pack: Pack) -> Iterator[Difference]:
    """Places rise, nobody owes himself, points times price is the amount, and the price was published."""
    published = _prices(pack)
    before = (0, 0)
    for row in pack.rows("entries.csv"):
        place = (row.whole("sequence"), row.whole("position"))
        if place <= before:
            yield row.differs("sequence", place, f"after {before}")
        before = place
        if row.text("debtor") == row.text("creditor"):
            yield row.differs("creditor", row.text("creditor"), "somebody else than the debtor")
        kind = row.text("kind")
        if kind in PRICED:
            yield from _priced(row, published.get(PRICED[kind], frozenset()), kind)


def _priced(row: Row, published: frozenset[int], kind: str) -> Iterator[Difference]:
    price = row.whole("price_micros")
    if price not in published:
        yield row.differs("price_micros", price, f"a published {PRICED[kind]} price")
    if row.whole("micros") != row.whole("points") * price:
        yield row.differs("micros", row.whole("micros"), f"{row.whole('points') * price} (points x price)")


def _prices(pack: Pack) -> Mapping[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for row in pack.rows("prices.csv"):
        for column in PRICED.values():
            found.setdefault(column, set()).add(row.whole(column))
    return {column: frozenset(figures) for column, figures in found.items()}


def totals(pack: Pack) -> Iterator[Difference]:
    """Obligations sum to the totals by kind, and those to the totals by pair; exactly, and counted."""
    summed = _summed(pack, "entries.csv", _KIND, of_one=True)
    yield from _against(pack, "kinds.csv", _KIND, summed, "entries.csv")
    yield from _against(pack, "pairs.csv", _PAIR, _summed(pack, "kinds.csv", _PAIR, of_one=False), "kinds.csv")


def recounts(pack: Pack) -> Iterator[Difference]:
    """What was counted before the approval is what the obligations come to; a run that was submitted was counted."""
    if "recounts.csv" in too_old_for(pack):
        return
    manifest, _ = pack.manifest()
    counter, transfers, run = rules.Counter(), 0, manifest.run.removeprefix("runs/")
    for row in pack.rows("entries.csv"):
        counter.add([(row.text("currency"), row.text("debtor"), row.text("creditor"), row.whole("micros"), 1)])
        transfers += row.whole("position") == 1
    counted = counter.counted(transfers)
    digest = rules.digest_of(rules.written(manifest.window_no, counted))
    last = None
    for row in pack.rows("recounts.csv"):
        expected = {"digest": digest, "transfers": str(counted.transfers), "obligations": str(counted.obligations)}
        for column, value in expected.items():
            if row.text(column) != value:
                yield row.differs(column, row.text(column), f"{value} as entries.csv comes to")
        last = row if row.text("run_id") == run else last
    submitted = any(row.text("run_id") == run and row.text("to_state") == "SUBMITTED" for row in pack.rows("steps.csv"))
    passed = last is not None and (last.text("passed"), last.text("run_digest")) == ("true", manifest.digest)
    if submitted and not passed:
        yield Difference(
            "recounts.csv", 0, "passed", "no recount of this run that passed", "one, before it was submitted"
        )


def _summed(pack: Pack, part: str, by: Key, *, of_one: bool) -> dict[Key, tuple[int, int]]:
    found: dict[Key, tuple[int, int]] = {}
    for row in pack.rows(part):
        key = tuple(row.text(column) for column in by)
        micros, count = found.get(key, (0, 0))
        found[key] = (micros + row.whole("micros"), count + (1 if of_one else row.whole("obligations")))
    return found


def _against(
    pack: Pack, part: str, by: Key, summed: Mapping[Key, tuple[int, int]], source: str
) -> Iterator[Difference]:
    left = dict(summed)
    for row in pack.rows(part):
        key = tuple(row.text(column) for column in by)
        micros, count = left.pop(key, (0, 0))
        if row.whole("micros") != micros:
            yield row.differs("micros", row.whole("micros"), f"{micros} as {source} sums to")
        if row.whole("obligations") != count:
            yield row.differs("obligations", row.whole("obligations"), f"{count} as {source} counts")
    for key, (micros, _) in left.items():
        if micros:
            yield Difference(part, 0, " ".join(key), "missing", f"{micros} as {source} sums to")
