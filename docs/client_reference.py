"""What docs/catalogue.py writes for client programs: exceptions, retry policy, deadlines, forced refusals."""
# A script beside the pages it writes, in no package.
# ruff: noqa: INP001

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from google.protobuf.descriptor import ServiceDescriptor

from exchange.client.errors import DEFINITE, Refused, Told
from exchange.client.policy import CODE_OF_NAME, Kind, deadlines_of, kind_of, service_config
from exchange.rehearsal.amounts import AMOUNTS

ROOT = Path(__file__).resolve().parents[1]
PROTOS = ROOT / "protos"
DEADLINES_BEGIN = "<!-- deadlines: written by docs/catalogue.py -->"
DEADLINES_END = "<!-- end of deadlines -->"
AMOUNTS_BEGIN = "<!-- amounts: written by docs/catalogue.py -->"
AMOUNTS_END = "<!-- end of amounts -->"
WHOLE_NUMBERS = frozenset(
    {
        "available",
        "balance",
        "block",
        "borne",
        "came",
        "cap",
        "credit",
        "debit",
        "headroom",
        "held",
        "in_micros",
        "item",
        "left",
        "limit",
        "maximum",
        "micros",
        "minimum",
        "minor_units",
        "missing",
        "out_micros",
        "points",
        "price_micros",
        "remaining",
        "requested",
        "spent",
        "used",
    }
)
"""Names of metadata that are whole numbers wherever they stand."""

HEAD = '''"""An exception for each reason of `exchange.v1.ErrorReason`, its metadata as attributes.

Written by docs/catalogue.py from protos/exchange/v1/error_reason.proto: do not edit. docs/errors.md tells what to do.
"""

from __future__ import annotations

from exchange.client.errors import Definite, Refused, Undecided
'''


class Reason(Protocol):
    """A reason as docs/catalogue.py reads it."""

    @property
    def name(self) -> str:
        """Without prefix."""
        ...

    @property
    def status(self) -> str:
        """The name of its status code."""
        ...

    @property
    def when(self) -> str:
        """Sentences that say when it is given."""
        ...

    @property
    def metadata(self) -> str:
        """Names of its metadata, with examples."""
        ...

    @property
    def sometimes(self) -> str:
        """Those that are not told to everybody, or not always."""
        ...


def reasons_module(reasons: Iterable[Reason]) -> str:
    """The text of exchange/client/reasons.py."""
    known = list(reasons)
    lines = [HEAD]
    for reason in known:
        base = "Definite" if CODE_OF_NAME[reason.status] in DEFINITE else "Undecided"
        lines += ["", f"class {class_name(reason.name)}({base}):"]
        lines += [f'    """{reason.status}. {_first_sentence(reason.when)}"""', "", f'    FOR = "{reason.name}"']
        fields = [f"    {name}: {kind}" for name, kind in fields_of(reason) if not _is_taken(name)]
        lines += ["", *fields, ""] if fields else [""]
    lines += ["", "BY_REASON: dict[str, type[Refused]] = {"]
    lines += [f'    "{reason.name}": {class_name(reason.name)},' for reason in known]
    return "\n".join([*lines, "}"]) + "\n"


def class_name(reason: str) -> str:
    """The name of a reason's class: InsufficientPoints of INSUFFICIENT_POINTS."""
    return "".join(word.capitalize() for word in reason.split("_"))


def fields_of(reason: Reason) -> list[tuple[str, str]]:
    """Name and type of a reason's metadata, what is told sometimes too."""
    found = []
    known = ", ".join(filter(None, (reason.metadata, reason.sometimes)))
    for name, example in re.findall(r'(\w+)(?:: "([^"]*)")?(?:, |$)', known):
        is_number = name in WHOLE_NUMBERS or bool(re.fullmatch(r"-?\d+", example))
        found.append((name, "int" if is_number else "str"))
    return found


def _is_taken(name: str) -> bool:
    """Whether every refusal has an attribute of that name already; then the metadata alone tell it."""
    return hasattr(Refused(Told(CODE_OF_NAME["UNKNOWN"], "")), name)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.) ", text, maxsplit=1)[0]


def services() -> list[ServiceDescriptor]:
    """Every service of the protos, in the order of their files."""
    found: list[ServiceDescriptor] = []
    for path in sorted(PROTOS.glob("*/v1/*_service.proto")):
        module: Any = importlib.import_module(f"{path.parts[-3]}.v1.{path.stem}_pb2")
        found += module.DESCRIPTOR.services_by_name.values()
    return found


def retry_policy() -> str:
    """The text of docs/retry-policy.json."""
    return json.dumps(service_config(services()), indent=2) + "\n"


def clients_page() -> str:
    """The text of docs/clients.md with its table as it should be."""
    return _with_table("clients.md", deadlines_table(), DEADLINES_BEGIN, DEADLINES_END)


def sandbox_page() -> str:
    """The text of docs/sandbox.md with its table as it should be."""
    return _with_table("sandbox.md", amounts_table(), AMOUNTS_BEGIN, AMOUNTS_END)


def _with_table(name: str, table: str, begins: str, ends: str) -> str:
    present = (ROOT / "docs" / name).read_text(encoding="utf-8")
    before, _, rest = present.partition(begins)
    _, found, after = rest.partition(ends)
    assert found, f"docs/{name} has lost its markers {begins} and {ends}"
    return before + table + after


def amounts_table() -> str:
    """The table of amounts that force refusals, markers included."""
    done = {forced.reason: units for units, forced in AMOUNTS.items() if forced.done}
    lines = [AMOUNTS_BEGIN, "", "| reason | amount | made, and its answer lost |", "|---|---|---|"]
    for units, forced in sorted(AMOUNTS.items()):
        if not forced.done:
            link = f"[{forced.reason}](errors.md#{forced.reason.lower()})"
            lines.append(f"| {link} | {units} | {done.get(forced.reason, '')} |")
    return "\n".join([*lines, "", AMOUNTS_END])


def deadlines_table() -> str:
    """The table of deadlines, markers included: a row for each method."""
    lines = [DEADLINES_BEGIN, "", "| method | kind | one attempt | in all |", "|---|---|---|---|"]
    for service in services():
        for method in service.methods:
            deadlines, kind = deadlines_of(method), kind_of(method)
            assert (deadlines is None) == (kind is Kind.STREAM)
            times = ["none", "none"] if deadlines is None else [f"{seconds:g} s" for seconds in deadlines]
            lines.append(f"| {service.full_name}/{method.name} | {kind.value} | {times[0]} | {times[1]} |")
    return "\n".join([*lines, "", DEADLINES_END])
