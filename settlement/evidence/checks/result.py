"""The result computed again from pairs, rules and what came in; and the rules held against what was agreed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from settlement.evidence.comparing import documents
from settlement.evidence.model import Difference
from settlement.evidence.reading import Pack
from settlement.exchange_ledger import PairMicros
from settlement.fx.model import FxSet
from settlement.proposals import content
from settlement.proposals.model import Exclusions, Kind, Terms
from settlement.run.canonical import canonical, configuration_of, digest_of, parsed
from settlement.run.model import Configuration
from settlement.run.rules import Inputs, calculate

RESULT, BEFORE, WINDOW, DOCUMENTS = "result.json", "before.json", "window.json", "documents.json"


def calculated(pack: Pack) -> Iterator[Difference]:
    """The same bytes come out again; where not, the first figures that differ are named."""
    stored = pack.content(RESULT)
    document = pack.document(RESULT)
    inputs, before = _inputs(pack, document)
    again = canonical(inputs, before, calculate(inputs))
    if again == stored:
        return
    found = list(documents(RESULT, document, json.loads(again)))
    yield from found
    if not found:
        yield Difference(RESULT, 0, "", "other bytes", "the canonical form of the same figures")


def digests(pack: Pack) -> Iterator[Difference]:
    """Result, manifest and the list of runs name one digest; the run before is the one that was built on."""
    manifest, _ = pack.manifest()
    digest = digest_of(pack.content(RESULT))
    if digest != manifest.digest:
        yield Difference("manifest.json", 0, "digest", manifest.digest, f"{digest}, the SHA-256 of {RESULT}")
    rows = list(pack.rows("runs.csv"))
    for row in rows[-1:]:
        for column, expected in (("digest", digest), ("run_id", manifest.run.removeprefix("runs/"))):
            if row.text(column) != expected:
                yield row.differs(column, row.text(column), expected)
    if not rows:
        yield Difference("runs.csv", 0, "", "empty", "the run")
    has_before = BEFORE in pack.names()
    built_on = pack.document(RESULT)["before"]
    before = digest_of(pack.content(BEFORE)) if has_before else None
    if built_on != before:
        yield Difference(BEFORE, 0, "sha256", str(before), f"{built_on}, which {RESULT} was built on")


def rules(pack: Pack) -> Iterator[Difference]:
    """Each document has its digest and two persons; exclusions and pay days of the run are those agreed."""
    configuration = configuration_of(pack.document(RESULT))
    made = [row.as_("created_at", datetime.fromisoformat) for row in pack.rows("runs.csv")][-1]
    excluded: Exclusions | None = None
    terms: Terms | None = None
    rates: dict[str, FxSet] = {}
    for place, one in enumerate(pack.document(DOCUMENTS)):
        path = f"[{place}]"
        held = content.read(Kind(one["kind"]), json.dumps(one["content"]))
        digest = digest_of(content.written(held).encode())
        for name in ("digest", "decided_digest"):
            if one[name] != digest:
                yield Difference(DOCUMENTS, 0, f"{path}.{name}", one[name], f"{digest}, that of its content")
        if one["proposed_person"] == one["decided_person"]:
            yield Difference(DOCUMENTS, 0, f"{path}.decided_person", one["decided_person"], "somebody else")
        if isinstance(held, FxSet):
            rates[digest] = held
        if isinstance(held, Exclusions) and datetime.fromisoformat(one["decided_at"]) <= made:
            excluded = held
        if isinstance(held, Terms) and datetime.fromisoformat(one["decided_at"]) <= made:
            terms = held
    if configuration.suspended and not (terms and terms.holds_suspended):
        yield Difference(RESULT, 0, "suspended", str(configuration.suspended), "nobody, as no terms say so")
    yield from _excluded(configuration, excluded or Exclusions(), pack.document(WINDOW))
    fx = configuration.fx
    if fx is not None and rates.get(fx.digest) != fx.fx:
        found = f"{fx.fx.name} {fx.fx.version} with digest {fx.digest}"
        yield Difference(RESULT, 0, "fx", found, f"a set that was approved and stands in {DOCUMENTS}")


def _excluded(configuration: Configuration, agreed: Exclusions, window: Any) -> Iterator[Difference]:
    number = int(window["window"].removeprefix("windows/"))
    pay_dates = {one["currency"]: date.fromisoformat(one["pay_day"]) for one in window["cut_offs"]}
    for figure, found, expected in (
        ("excluded", configuration.excluded, tuple(sorted({*agreed.names(), *configuration.suspended}))),
        ("released", configuration.released, agreed.released_in(number)),
        ("released_items", configuration.chosen, agreed.chosen_in(number)),
        ("pay_dates", dict(configuration.pay_dates), pay_dates),
    ):
        if found != expected:
            yield Difference(RESULT, 0, figure, str(found), f"{expected} as agreed")


def _inputs(pack: Pack, document: Any) -> tuple[Inputs, str | None]:
    window = pack.document(WINDOW)
    closed_on = date.fromisoformat(window["closed_on"])
    totals = [
        PairMicros(
            row.text("currency"),
            row.text("debtor"),
            row.text("creditor"),
            row.whole("micros"),
            row.whole("obligations"),
        )
        for row in pack.rows("pairs.csv")
    ]
    before: bytes | None = pack.content(BEFORE) if BEFORE in pack.names() else None
    # What results did not tell when they did not tell ages yet cannot be of a later window than this.
    result = parsed(before.decode(), closed_on) if before else []
    inputs = Inputs(
        window_no=int(window["window"].removeprefix("windows/")),
        closed_on=closed_on,
        totals=totals,
        before=result,
        configuration=configuration_of(document),
        operator=window["operator"],
    )
    return inputs, digest_of(before) if before else None
