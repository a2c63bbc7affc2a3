"""The one written form of a netting: same obligations and terms, same bytes, whatever the row order or locale."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from json.encoder import encode_basestring as quoted
from typing import Any

from settlement.netting.model import NettingResult, Pair


def to_json(results: Iterable[NettingResult], converted: Mapping[str, Any] | None = None) -> str:
    """Currencies, participants and pairs in name order; figures in the order finance reads them; ends in a newline.

    `converted`: what was brought into the one currency there is; it stands last, as `fx`.
    """
    return "".join(written(results, converted))


def written(results: Iterable[NettingResult], converted: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The same piece by piece: among thousands of participants a document held whole would be a gigabyte."""
    fx = [] if converted is None else [("fx", [_nested(converted)])]
    lead = "{\n"
    for result in results:
        yield f"{lead}  {quoted(result.currency)}: "
        lead = ",\n"
        yield from _currency(chain(_figures(result), fx))
    yield "{}\n" if lead == "{\n" else "\n}\n"


def _currency(figures: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    lead = "{\n"
    for name, pieces in figures:
        yield f"{lead}    {quoted(name)}: "
        lead = ",\n"
        yield from pieces
    yield "\n  }"


def _nested(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2).replace("\n", "\n    ")


def _figures(result: NettingResult) -> Iterator[tuple[str, Iterable[str]]]:
    """Each figure with how it is written. Pairs are keyed `debtor>creditor`."""
    yield "gross", [str(result.gross)]
    yield "held", [str(result.held)]
    yield "bilateral", [str(result.bilateral)]
    yield "net_needed", [str(result.net_needed)]
    yield "pairs", _by_pair(result.pairs)
    yield "nets", _by_name(result.nets.items())
    yield "payments", _payments(result)
    yield "carried", _carried(result)
    if result.set_off is not None:
        yield "cleared", [str(result.set_off.cleared)]
        yield "remainder", _by_pair(result.set_off.remainder)
        yield "certificate", _by_name(result.set_off.certificate.items())


def _by_pair(pairs: Mapping[Pair, int]) -> Iterator[str]:
    return _by_name((f"{debtor}>{creditor}", amount) for (debtor, creditor), amount in pairs.items())


def _by_name(amounts: Iterable[tuple[str, int]]) -> Iterator[str]:
    return _block("{}", (f"{quoted(name)}: {amount}" for name, amount in amounts))


def _payments(result: NettingResult) -> Iterator[str]:
    inner = "\n        "
    return _block(
        "[]",
        (
            f'{{{inner}"from": {quoted(p.payer)},{inner}"to": {quoted(p.payee)},{inner}"amount": {p.amount}\n      }}'
            for p in result.payments
        ),
    )


def _carried(result: NettingResult) -> Iterator[str]:
    """Keyed the way the mode nets.

    By participant with the sign of its net in the multilateral star, where the other side is always the clearing
    account; by pair elsewhere.
    """
    centre = result.clearing_account
    if centre is None:
        return _by_pair({(item.debtor, item.creditor): item.amount for item in result.carried})
    participants = (item.creditor if item.debtor == centre else item.debtor for item in result.carried)
    return _by_name((name, result.nets[name]) for name in participants)


def _block(brackets: str, entries: Iterable[str]) -> Iterator[str]:
    """What stands between brackets, one entry a line; nothing between them when there is none."""
    lead = f"{brackets[0]}\n      "
    for entry in entries:
        yield lead + entry
        lead = ",\n      "
    yield brackets if lead[0] == brackets[0] else f"\n    {brackets[1]}"
