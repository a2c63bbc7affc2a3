"""The one written form of a netting: same obligations and terms, same bytes, whatever the row order or locale."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from settlement.netting.model import NettingResult, Pair


def to_json(results: Iterable[NettingResult], converted: Mapping[str, Any] | None = None) -> str:
    """Currencies, participants and pairs in name order; figures in the order finance reads them; ends in a newline.

    `converted`: what was brought into the one currency there is; it stands last, as `fx`.
    """
    fx = {} if converted is None else {"fx": converted}
    return json.dumps({r.currency: to_plain(r) | fx for r in results}, ensure_ascii=False, indent=2) + "\n"


def to_plain(result: NettingResult) -> dict[str, Any]:
    """One currency as plain values. Pairs are keyed `debtor>creditor`.

    `carried` is keyed the way the mode nets: by participant with the sign of its net in the multilateral star, where
    the other side is always the clearing account; by `debtor>creditor` elsewhere.
    """
    plain: dict[str, Any] = {
        "gross": result.gross,
        "held": result.held,
        "bilateral": result.bilateral,
        "net_needed": result.net_needed,
        "pairs": _by_pair(result.pairs),
        "nets": dict(result.nets),
        "payments": [{"from": p.payer, "to": p.payee, "amount": p.amount} for p in result.payments],
        "carried": _carried(result),
    }
    if result.set_off is not None:
        plain["cleared"] = result.set_off.cleared
        plain["remainder"] = _by_pair(result.set_off.remainder)
        plain["certificate"] = dict(result.set_off.certificate)
    return plain


def _by_pair(pairs: Mapping[Pair, int]) -> dict[str, int]:
    return {f"{debtor}>{creditor}": amount for (debtor, creditor), amount in pairs.items()}


def _carried(result: NettingResult) -> dict[str, int]:
    centre = result.clearing_account
    if centre is None:
        return {f"{item.debtor}>{item.creditor}": item.amount for item in result.carried}
    participants = (item.creditor if item.debtor == centre else item.debtor for item in result.carried)
    return {name: result.nets[name] for name in participants}
