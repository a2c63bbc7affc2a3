"""Every netting mode by the name finance types. To add one: write the function, add its line; the tests follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from settlement.netting.direct import net_direct
from settlement.netting.model import Gross, NettingResult, Terms
from settlement.netting.rules import net_bilateral, net_gross, net_multilateral
from settlement.netting.setoff import net_setoff

Netting = Callable[[Gross, Terms], NettingResult]

MODES: Mapping[str, Netting] = {
    "gross": net_gross,
    "bilateral": net_bilateral,
    "multilateral": net_multilateral,
    "direct": net_direct,
    "setoff": net_setoff,
}
DEFAULT_MODE = "multilateral"


def net_all(by_currency: Mapping[str, Gross], mode: str, terms: Terms) -> list[NettingResult]:
    """Net each currency by itself, in the order of their codes; currencies never mix."""
    return [MODES[mode](by_currency[currency], terms) for currency in sorted(by_currency)]
