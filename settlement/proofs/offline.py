"""Checks a merchant's statement from its two files and the published head alone.

    python offline.py W12-GRO-merchant-statement.json W12-GRO-proof.json HEAD

It needs nothing but Python: copy this file wherever the statement is. When it says that the statement is true, every
line that counts items is made of obligations that are in the ledger, none of the merchant's is left out, the lines add
up to the net, so do the tables of other sides and of payments, and the other side of every pair was told the same
figure, because it is checked against the same head. Lines without items, of what was carried, held, adjusted or
converted, come from elsewhere: they are added up, not proven. Ask somebody else for the head: whoever gives out
statements must not be the only one who tells what they are held against.

A window's obligations are the leaves of a Merkle tree as RFC 6962 hashes it, in the order of the ledger; what each
directed pair owes are those of a second one. The head binds both, and the head of the window before.
"""

from __future__ import annotations

import hashlib
import json
import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FIRST = "0" * 64
"""What stands for the head before the first."""
ITEM = ("transfer", "ledger_sequence", "position", "occurred", "kind", "debtor", "creditor", "currency", "micros",
        "points", "price_micros")  # fmt: skip
"""An obligation as its leaf tells it; parted by bars. Amounts in micro-units."""
PAIR = ("currency", "debtor", "creditor", "micros", "obligations", "minor_units")
"""What a directed pair owes in a window; `minor_units` after the one rounding."""
HEAD = ("window", "closed", "previous", "items", "items_root", "pairs", "pairs_root")
"""What a head is the hash of, in this order."""
CONVERSIONS = ("converted_out", "converted_in", "fx_difference")
"""Lines of what was converted between currencies: with the operator, beside what is owed to and by other sides."""
ROW_BY_ROW = {"disputed": "disputed", "adjusted": "adjustments", "borne": "borne"}
"""Lines that a table of the statement tells row by row, and which."""
WORDS = 4
"""The program, the statement, the proof and the head."""


class Untrue(Exception):
    """What does not hold, in words."""


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 6962: of a leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962: of what lies above two."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def head_of(told: Mapping[str, Any]) -> str:
    """The head that commits to what is told of a window."""
    return hashlib.sha256("|".join(str(told[name]) for name in HEAD).encode()).hexdigest()


def root_of(size: int, own: Mapping[int, bytes], others: Iterator[bytes]) -> bytes:
    """The root of a tree of so many leaves, some known by their place; `others`: the subtrees without any of them.

    Raises:
        Untrue: it takes more or fewer subtrees than there are, or a place lies outside.
    """
    places = sorted(own)
    if places and not 0 <= places[0] <= places[-1] < size:
        raise Untrue(f"place {places[-1]} is in no tree of {size}")

    def subtree(level: int, number: int) -> bytes:
        first, end = number << level, min((number + 1) << level, size)
        found = bisect_left(places, first)
        if found == len(places) or places[found] >= end:
            return _next_of(others)
        if level == 0:
            return own[first]
        left = subtree(level - 1, 2 * number)
        if (2 * number + 1) << (level - 1) >= size:
            return left
        return node_hash(left, subtree(level - 1, 2 * number + 1))

    root = subtree((size - 1).bit_length(), 0) if size else hashlib.sha256().digest()
    if next(others, None) is not None:
        raise Untrue("the proof has more hashes than its tree")
    return root


def _next_of(others: Iterator[bytes]) -> bytes:
    found = next(others, None)
    if found is None:
        raise Untrue("the proof has fewer hashes than its tree")
    return found


def check(statement: Mapping[str, Any], proof: Mapping[str, Any], head: str) -> int:
    """Hold a statement against a head; how many obligations stand behind it.

    Raises:
        Untrue: the first thing that does not hold.
    """
    told, name = proof["head"], proof["participant"]
    if head_of(told) != head.strip().lower():
        raise Untrue(f"the proof is of another head: {head_of(told)}")
    if (statement["about"]["window"], statement["about"]["participant"]) != (told["window"], name):
        raise Untrue("the statement is of another window or merchant than the proof")
    items = _leaves(proof["items"], told["items"], told["items_root"], ITEM, name)
    pairs = _leaves(proof["pairs"], told["pairs"], told["pairs_root"], PAIR, name)
    _pairs_are_sums(items, pairs)
    _lines_are_sums(statement, items, pairs, name)
    _lines_add_up(statement)
    _others_add_up(statement, pairs, name)
    _payments_add_up(statement, name)
    for line, table in ROW_BY_ROW.items():
        _rows_add_up(statement, name, line, table)
    return len(items)


def _leaves(part: Mapping[str, Any], size: int, root: str, fields: Sequence[str], name: str) -> list[dict[str, str]]:
    """The leaves told, each in the tree with this root, and each the merchant's."""
    own = {place: leaf_hash(leaf.encode()) for place, leaf in part["leaves"]}
    if len(own) != len(part["leaves"]):
        raise Untrue("a leaf is told twice")
    if root_of(size, own, map(bytes.fromhex, part["hashes"])).hex() != root:
        raise Untrue("a line is not what the head commits to")
    found = [dict(zip(fields, leaf.split("|"), strict=True)) for _, leaf in part["leaves"]]
    for one in found:
        if name not in (one["debtor"], one["creditor"]):
            raise Untrue(f"{one['debtor']} owes {one['creditor']}, which is nothing of {name}")
    return found


def _pairs_are_sums(items: Sequence[Mapping[str, str]], pairs: Sequence[Mapping[str, str]]) -> None:
    """The other side of a pair holds the same leaf of it; whoever left an obligation out could not sum to it."""
    sums: dict[tuple[str, str, str], tuple[int, int]] = {}
    for one in items:
        pair = (one["currency"], one["debtor"], one["creditor"])
        micros, count = sums.get(pair, (0, 0))
        sums[pair] = (micros + int(one["micros"]), count + 1)
    committed = {
        (one["currency"], one["debtor"], one["creditor"]): (int(one["micros"]), int(one["obligations"]))
        for one in pairs
    }
    for pair in sorted(sums.keys() | committed.keys()):
        if sums.get(pair) != committed.get(pair):
            raise Untrue(f"{pair[1]} owes {pair[2]} in {pair[0]}: the head has {committed.get(pair)}, "
                         f"the lines {sums.get(pair)} micro-units and obligations")  # fmt: skip


def _lines_are_sums(
    statement: Mapping[str, Any],
    items: Sequence[Mapping[str, str]],
    pairs: Sequence[Mapping[str, str]],
    name: str,
) -> None:
    wanted: dict[tuple[str, str], list[int]] = {}
    rounded: dict[str, list[int]] = {}
    for one in items:
        figures = wanted.setdefault((one["currency"], one["kind"]), [0, 0, 0])
        figures[one["debtor"] == name] += int(one["micros"])
        figures[2] += 1
    for one in pairs:
        rounded.setdefault(one["currency"], [0, 0])[one["debtor"] == name] += int(one["minor_units"])
    told: dict[tuple[str, str], list[int]] = {}
    minor: dict[str, list[int]] = {}
    for line in statement["lines"]:
        if line["items"] is not None:
            told[line["currency"], line["line"]] = [line["receivable_micros"], line["payable_micros"], line["items"]]
            sums = minor.setdefault(line["currency"], [0, 0])
            sums[0] += line["receivable"]
            sums[1] += line["payable"]
    for key in sorted(wanted.keys() | told.keys()):
        if wanted.get(key) != told.get(key):
            raise Untrue(f"{' '.join(key)}: the statement says {told.get(key)}, its obligations {wanted.get(key)}")
    if minor != rounded:
        raise Untrue(f"lines come to {minor} minor units, pairs to {rounded}")


def _lines_add_up(statement: Mapping[str, Any]) -> None:
    """Everything above the total sums to it; less what is held it is the net; that is paid or carried."""
    for currency in dict.fromkeys(line["currency"] for line in statement["lines"]):
        lines = [line for line in statement["lines"] if line["currency"] == currency]
        names = [line["line"] for line in lines]
        above = lines[: names.index("total")]
        # Of conversions there is a line for each other currency.
        once = [line for line in names if line not in CONVERSIONS]
        if len(set(once)) < len(once):
            raise Untrue(f"{currency}: a line is told twice")
        if any(line["items"] is not None or line["line"] in CONVERSIONS for line in lines[len(above) :]):
            raise Untrue(f"{currency}: a line stands below the total that it belongs to")
        by_name = {line["line"]: (line["receivable"], line["payable"]) for line in lines}
        for side, place in (("receivable", 0), ("payable", 1)):
            if sum(line[side] for line in above) != by_name["total"][place]:
                raise Untrue(f"{currency}: what is {side} does not add up to its total")
        nets = {key: pair[0] - pair[1] for key, pair in by_name.items()}
        if nets["total"] - nets.get("held", 0) != nets["net"]:
            raise Untrue(f"{currency}: the total less what is held is not the net")
        if nets["net"] != nets["paid"] + nets.get("carried", 0):
            raise Untrue(f"{currency}: what is paid and carried is not the net")
        for part, whole in zip(by_name.get("disputed", (0, 0)), by_name.get("held", (0, 0)), strict=True):
            if part > whole:
                raise Untrue(f"{currency}: more is disputed than is held")


def _others_add_up(statement: Mapping[str, Any], pairs: Sequence[Mapping[str, str]], name: str) -> None:
    """Each other side stands with all that the head has of it, and whatever stands there beside is in the lines."""
    committed: dict[tuple[str, str], list[int]] = {}
    for one in pairs:
        other = one["creditor"] if one["debtor"] == name else one["debtor"]
        figures = committed.setdefault((one["currency"], other), [0, 0, 0])
        figures[one["debtor"] == name] += int(one["minor_units"])
        figures[2] += int(one["obligations"])
    rows = {(row["currency"], row["counterparty"]): row for row in statement["counterparties"]}
    if len(rows) < len(statement["counterparties"]):
        raise Untrue("another side is told twice")
    told = {key: [row["receivable"], row["payable"], row["obligations"]] for key, row in rows.items()}
    for key in sorted(committed.keys() | told.keys()):
        least, found = committed.get(key, [0, 0, 0]), told.get(key, [0, 0, 0])
        if found[0] < least[0] or found[1] < least[1] or found[2] != least[2]:
            raise Untrue(f"{' '.join(key)}: the statement says {found}, the head has {least}")
    if any(not 0 <= row["held"] <= row["receivable"] + row["payable"] for row in rows.values()):
        raise Untrue("more is held with another side than stands there")
    sums: dict[str, list[int]] = {}
    for (currency, _), row in rows.items():
        for place, figure in enumerate(("receivable", "payable", "held")):
            sums.setdefault(currency, [0, 0, 0])[place] += row[figure]
    for currency in sorted(sums.keys() | {line["currency"] for line in statement["lines"]}):
        lines = [line for line in statement["lines"] if line["currency"] == currency]
        total = [line["line"] for line in lines].index("total") if lines else 0
        above = [line for line in lines[:total] if line["line"] not in CONVERSIONS]
        held = [line["receivable"] + line["payable"] for line in lines if line["line"] == "held"]
        wanted = [*(sum(line[side] for line in above) for side in ("receivable", "payable")), sum(held)]
        if sums.get(currency, [0, 0, 0]) != wanted:
            raise Untrue(f"{currency}: other sides come to {sums.get(currency)} receivable, payable and held, "
                         f"the lines to {wanted}")  # fmt: skip


def _payments_add_up(statement: Mapping[str, Any], name: str) -> None:
    """What each payment moves is what is to be received and to be paid now."""
    sums: dict[str, list[int]] = {}
    for payment in statement["payments"]:
        if (payment["payer"] == name) == (payment["payee"] == name) or payment["amount"] <= 0:
            raise Untrue(f"{payment['payer']} pays {payment['payee']} {payment['amount']}: no payment of {name}")
        sums.setdefault(payment["currency"], [0, 0])[payment["payer"] == name] += payment["amount"]
    told = {line["currency"]: [line["receivable"], line["payable"]] for line in statement["lines"]
            if line["line"] == "paid"}  # fmt: skip
    for currency in sorted(sums.keys() | told.keys()):
        found = sums.get(currency, [0, 0])
        # Who stands in the middle, and has no part in a currency, passes on what comes in.
        wanted = told.get(currency, [found[0], found[0]])
        if found != wanted:
            raise Untrue(f"{currency}: payments come to {found}, received and paid, the lines to {wanted}")


def _rows_add_up(statement: Mapping[str, Any], name: str, line: str, table: str) -> None:
    """What a table tells row by row comes to its line, and every row is the merchant's."""
    sums: dict[str, list[int]] = {}
    for row in statement.get(table, ()):
        # Of a default only what the creditor bears is told: whoever did not pay is no debtor of that line.
        owes = row.get("debtor") == name
        if owes == (row["creditor"] == name) or row["amount"] <= 0:
            raise Untrue(f"{table}: {row['amount']} of {row['creditor']} is nothing of {name}")
        sums.setdefault(row["currency"], [0, 0])[owes] += row["amount"]
    told = {one["currency"]: [one["receivable"], one["payable"]] for one in statement["lines"] if one["line"] == line}
    if sums != told:
        raise Untrue(f"{line}: the lines say {told}, receivable and payable, the table {sums}")


def main(words: Sequence[str]) -> int:
    """The program: 0 true, 1 not, 2 wrongly called."""
    if len(words) != WORDS:
        sys.stderr.write(f"usage: python {Path(__file__).name} STATEMENT.json PROOF.json HEAD\n")
        return 2
    try:
        statement, proof = (json.loads(Path(name).read_text(encoding="utf-8")) for name in words[1:3])
        count = check(statement, proof, words[3])
    except Untrue as untrue:
        return _said(f"NOT TRUE: {untrue}", 1)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as unreadable:
        return _said(f"NOT TRUE: the files cannot be read as a statement and its proof ({unreadable!r})", 1)
    return _said(f"true: {proof['participant']} in {proof['head']['window']}, {count} obligations", 0)


def _said(text: str, status: int) -> int:
    sys.stdout.write(f"{text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv))
