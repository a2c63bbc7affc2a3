"""Bindings to bytes: one way of writing XML, the same every time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from settlement.payments.formats.bindings import flaws
from settlement.payments.formats.schema import URN, problem_with


def written(document: Any, name: str) -> bytes:
    """A message's bindings as bytes: UTF-8, indented, the message's namespace as the default one.

    What does not keep to the schema is a mistake of ours and never leaves the house: every field is held to what its
    binding says of it, and the whole to the published schema where there is one.
    """
    from xsdata.formats.dataclass.serializers import XmlSerializer
    from xsdata.formats.dataclass.serializers.config import SerializerConfig

    wrong = list(flaws(document))
    assert not wrong, f"a {name} of ours is wrong: {wrong}"
    serializer = XmlSerializer(config=SerializerConfig(indent="  ", xml_declaration=True, encoding="UTF-8"))
    content = serializer.render(document, ns_map={None: f"{URN}{name}"}).encode()
    problem = problem_with(content, name)
    assert problem is None, f"a {name} of ours breaks its schema at {problem}"
    return content


def instant(moment: datetime) -> Any:
    """A moment as ISO 20022 writes it: UTC, whole seconds."""
    from xsdata.models.datatype import XmlDateTime

    return XmlDateTime.from_string(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def day(when: date) -> Any:
    """A day without time zone, as the bank's calendar has it."""
    from xsdata.models.datatype import XmlDate

    return XmlDate(when.year, when.month, when.day)
