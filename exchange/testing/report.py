"""What a sandbox says of itself when it is ready: for programs, and for people."""

from __future__ import annotations

from typing import Any

from exchange.testing.coalition import MEMBERS, ROLES, SUSPENDED, Keys


def told(address: str, keys: Keys) -> dict[str, Any]:
    """Everything a program needs."""
    return {
        "event": "sandbox",
        "address": address,
        "operator_key": keys.operator,
        "auditor_key": keys.auditor,
        "merchants": {
            merchant: {"name": f"merchants/{merchant}", "key": key, "roles": list(ROLES[merchant])}
            for merchant, key in keys.merchants.items()
        },
        "members": {reference: dict(points) for reference, points in MEMBERS.items()},
    }


def shown(address: str, keys: Keys) -> str:
    """The same for a person at a terminal."""
    lines = [f"An exchange listens on {address} until you press Ctrl-C.", "", "merchant  key and roles"]
    for merchant, key in keys.merchants.items():
        roles = ", ".join(role.lower() for role in ROLES[merchant])
        lines.append(f"{merchant:<10}{key}  {roles}{' (suspended)' if merchant == SUSPENDED else ''}")
    lines += [f"operator  {keys.operator}", f"auditor   {keys.auditor}", "", "member      points"]
    for reference, points in MEMBERS.items():
        owned = ", ".join(f"{units} {code}" for code, units in points.items()) or "none"
        lines.append(f"{reference:<12}{owned}")
    return "\n".join([*lines, "", "Amounts that force refusals: docs/sandbox.md"])
