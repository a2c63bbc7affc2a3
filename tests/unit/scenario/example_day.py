"""A scenario file with everything in it, which tests change in one place."""

from __future__ import annotations

DAY = """\
coalition: {operator: OPR, currency: CNY, minimum_payment: 100}
clock: 2026-03-01T09:00:00+08:00
merchants:
  - {id: TEL, roles: [earning, redemption, exchange]}
  - {id: AIR, roles: [exchange], cash_agent: true}
currencies:
  - {code: TEL, issuer: TEL, prices: [{from: 2026-01-01, issue: 12000, redeem: 10000}, {from: 2026-04-01, issue: 1}]}
  - {code: AIR, issuer: AIR, prices: [], expiry: {policy: days, days: 365}}
rates:
  - {from: TEL, to: AIR, source: 30, target: 1, block: 300, effective_until: 2026-06-01T00:00:00+00:00}
events:
  - {op: earn, merchant: TEL, member: ada, currency: TEL, points: 500, key: e1, expires: 2026-06-30}
  - {op: convert, merchant: TEL, member: ada, from: TEL, to: AIR, points: 300, key: c1, at: 2026-03-02T00:00:00+08:00}
  - {op: expect_refusal, reason: NO_RATE, event: {op: convert, merchant: TEL, member: a, from: AIR, to: TEL, points: 1}}
  - {op: advance, to: 2026-03-03}
  - {op: close_window}
expect:
  windows: [{pairs: {"TEL>AIR": 1, "TEL > OPR": 2}, nets: {AIR: 1, TEL: -1}, gross: 1, paid: 1}]
  balances: {ada: {TEL: 200}}
  converted: {c1: {used: 300, received: 10}}
"""


def changed(old: str, new: str) -> str:
    """The example with one thing different."""
    assert DAY.count(old) == 1, f"{old!r} must stand once in the example"
    return DAY.replace(old, new)


def line_of(text: str) -> int:
    """Where it stands in the example."""
    return DAY[: DAY.index(text)].count("\n") + 1
