"""Which messages can be read, and reading one: nothing sent is trusted before it is known to be harmless."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from settlement.payments.formats.schema import URN, problem_with
from settlement.payments.reading import camt, pain002
from settlement.payments.reading.model import BankMessage, Line, Unreadable

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
_ROOT = re.compile(rf"\{{{re.escape(URN)}([a-z]{{4}}\.\d{{3}}\.\d{{3}}\.\d{{2}})\}}Document")


class Reader(NamedTuple):
    """How a family of messages is read."""

    versions: tuple[str, ...]
    lines: Callable[[Any], Iterable[Line]]
    message_id_of: Callable[[Any], str]


READERS: dict[str, Reader] = {
    "pain.002.001": Reader(pain002.VERSIONS, pain002.lines, pain002.message_id_of),
    "camt.053.001": Reader(camt.VERSIONS, camt.lines, camt.message_id_of),
    "camt.054.001": Reader(camt.VERSIONS, camt.lines, camt.message_id_of),
}


def names() -> list[str]:
    """Every message that can be read, "camt.053.001.08"."""
    return [f"{family}.{version}" for family, reader in READERS.items() for version in reader.versions]


def read(content: bytes) -> BankMessage:
    """A bank's message.

    Raises:
        Unreadable: it is none, or none of these, or it breaks its schema. The text says what.
    """
    name = _name_of(content)
    reader = READERS[name.rpartition(".")[0]]
    if problem := problem_with(content, name):
        raise Unreadable(f"it breaks the schema of {name} at {problem}")
    document = _bound(content, name)
    return BankMessage(name, reader.message_id_of(document), list(reader.lines(document)))


def _name_of(content: bytes) -> str:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if len(content) > MESSAGE_BYTES_MAX:
        raise Unreadable(f"it is larger than {MESSAGE_BYTES_MAX} bytes")
    try:
        # Entities and document types have no place in a bank's message, and do harm.
        root = fromstring(content, forbid_dtd=True)
    except ParseError as error:
        raise Unreadable(f"it is no XML: {error}") from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise Unreadable("it declares a document type or entities, or an encoding there is not") from error
    match = _ROOT.fullmatch(root.tag)
    if match is None or match[1] not in names():
        raise Unreadable(f"its root is {root.tag[:80]}, none of {', '.join(names())}")
    return match[1]


def _bound(content: bytes, name: str) -> Any:
    from xsdata.exceptions import ConverterWarning, ParserError
    from xsdata.formats.dataclass.parsers import XmlParser
    from xsdata.formats.dataclass.parsers.config import ParserConfig

    family, module = name[:4], name.replace(".", "_")
    bindings = importlib.import_module(f"pyiso20022.{family}.{module}")
    parser = XmlParser(config=ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True))
    try:
        return parser.from_bytes(content, bindings.Document)
    except (ParserError, ConverterWarning, TypeError, ValueError) as error:
        raise Unreadable(f"it is not as {name} says: {error}") from error
