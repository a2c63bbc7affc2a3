"""Wire checks: is a raw value one that a request may hold? What is wrong is collected by proto path, then said at once.

Every check answers the value to go on with; after a violation that is a harmless stand-in of the same type, so that the
remaining fields can be looked at too. Nothing may be used before `raise_if_any`. The checks are on the path of every
transfer: the happy way through each costs a fraction of a microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from exchange.money.limits import INT64_MAX
from exchange.refusals import InvalidField

NO_UUID: Final = "00000000-0000-0000-0000-000000000000"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_EARLIEST_SECONDS: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_LATEST_SECONDS: Final = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
_NANOS_PER_SECOND: Final = 1_000_000_000
# Line and paragraph separators and the directional overrides are controls too: they make a log or a statement line lie.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_COLLECTIONS: Final = [
    "members",
    "transfers",
    "rates",
    "rateDrafts",
    "quotes",
    "lots",
    "apiKeys",
    "proposals",
    "adjustments",
    "instructions",
    "externalConversions",
    "disputes",
    "netDebitCapChanges",
]
_UUID_NAMES: Final = {collection: re.compile(f"{collection}/({_UUID})") for collection in _COLLECTIONS}
_NAMES: Final = {
    "merchants": (re.compile(r"merchants/([A-Za-z0-9_-]{1,32})"), 'letters, digits, "_" and "-", at most 32'),
    "currencies": (re.compile(r"currencies/([A-Z0-9]{1,16})"), "capital letters and digits, at most 16"),
    "earnRules": (re.compile(r"earnRules/([A-Za-z0-9_-]{1,32})"), 'letters, digits, "_" and "-", at most 32'),
    "promotions": (re.compile(r"promotions/([A-Za-z0-9_-]{1,32})"), 'letters, digits, "_" and "-", at most 32'),
    "windows": (re.compile(r"windows/([1-9][0-9]{0,17})"), "a number"),
    "runs": (re.compile(r"runs/([A-Za-z0-9_-]{1,64})"), 'letters, digits, "_" and "-", at most 64'),
}
_FOUND: Final[dict[str, tuple[str, str]]] = {}
"""Names that were well formed, with their collections and ids: a few currencies stand in nearly every request."""
_FOUND_MAX: Final = 1_000
_TIER: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_CURRENCY_CODE: Final = re.compile(r"[A-Z]{3}")


class Violations:
    """Collects what is wrong with one request; paths are those of its own message, "points.units".

    Args:
        prefix: what stands before them where the message is part of another: "items[3].convert.".
    """

    __slots__ = ("_found", "_prefix")

    def __init__(self, prefix: str = "") -> None:
        self._found: dict[str, str] | None = None
        self._prefix = prefix

    def say(self, path: str, what: str) -> None:
        """Notes a violation; the first one of a path stays."""
        if self._found is None:
            self._found = {}
        self._found.setdefault(self._prefix + path, what)

    @property
    def found(self) -> Mapping[str, str]:
        """Violations so far by path."""
        return self._found or {}

    def raise_if_any(self) -> None:
        """Ends the looking.

        Raises:
            InvalidField: something was wrong; names every field to blame, at most 50.
        """
        if self._found is not None:
            raise InvalidField(self._found)

    def text(self, path: str, value: str, at_least: int, at_most: int) -> str:
        """A text of `at_least` to `at_most` characters without NUL or other control characters."""
        if at_least <= len(value) <= at_most and (value.isprintable() or _CONTROL.search(value) is None):
            return value
        if not value:
            self.say(path, "is required")
        elif len(value) < at_least:
            self.say(path, f"is shorter than {at_least} characters")
        elif len(value) > at_most:
            self.say(path, f"is longer than {at_most} characters")
        else:
            self.say(path, "holds a control character")
        return ""

    def resource_name(self, path: str, value: str, collection: str) -> str:
        """The id in "collection/id": "GRO" of "merchants/GRO"."""
        found = _FOUND.get(value)
        if found is not None and found[0] == collection:
            return found[1]
        pattern, form = _NAMES[collection]
        match = pattern.fullmatch(value)
        if match is not None:
            if len(_FOUND) >= _FOUND_MAX:
                _FOUND.clear()
            _FOUND[value] = collection, match[1]
            return match[1]
        self.say(path, f'is no name of the form "{collection}/ID", ID being {form}' if value else "is required")
        return ""

    def uuid_name(self, path: str, value: str, collection: str) -> str:
        """The UUID in "collection/uuid", as canonical lower-case text."""
        match = _UUID_NAMES[collection].fullmatch(value)
        if match is not None:
            return match[1]
        self.say(path, f'is no name of the form "{collection}/UUID", in lower case' if value else "is required")
        return NO_UUID

    def positive(self, path: str, value: int, at_most: int = INT64_MAX) -> int:
        """A whole number from 1."""
        if 0 < value <= at_most:
            return value
        self.say(path, f"is {value}, not 1 to {at_most}")
        return 1

    def within(self, path: str, value: int, at_least: int, at_most: int = INT64_MAX) -> int:
        """A whole number from `at_least` to `at_most`."""
        if at_least <= value <= at_most:
            return value
        self.say(path, f"is {value}, not {at_least} to {at_most}")
        return at_least

    def known(self, path: str, value: int, numbers: frozenset[int]) -> int:
        """An enum value that is known and specified; `numbers` is `known_numbers` of the enum."""
        if value in numbers:
            return value
        self.say(path, f"is {value}, no value of the enum" if value else "is required")
        return min(numbers)

    def currency_code(self, path: str, value: str) -> str:
        """Three capital letters, as of ISO 4217; whether there is such a currency is not looked at."""
        if _CURRENCY_CODE.fullmatch(value) is not None:
            return value
        self.say(path, "is no ISO 4217 code" if value else "is required")
        return "XXX"

    def tier(self, path: str, value: str) -> str:
        """A tier's code, or the empty text for none."""
        if not value or _TIER.fullmatch(value) is not None:
            return value
        self.say(path, 'is no tier code: letters, digits, "_" and "-", at most 16')
        return ""

    def digest(self, path: str, value: str) -> str:
        """A SHA-256 digest as 64 hexadecimal digits in lower case."""
        if _DIGEST.fullmatch(value) is not None:
            return value
        self.say(path, "is no digest: 64 hexadecimal digits in lower case" if value else "is required")
        return ""

    def instant(self, path: str, value: Timestamp) -> datetime:
        """A moment from the year 2000 to before 2200, in UTC; what is finer than a microsecond is dropped."""
        seconds, nanos = value.seconds, value.nanos
        if _EARLIEST_SECONDS <= seconds < _LATEST_SECONDS and 0 <= nanos < _NANOS_PER_SECOND:
            moment = datetime.fromtimestamp(seconds, UTC)
            return moment.replace(microsecond=nanos // 1_000) if nanos else moment
        nanos_fit = 0 <= nanos < _NANOS_PER_SECOND
        self.say(path, "is not between the years 2000 and 2200" if nanos_fit else "has nanos beyond a second")
        return EPOCH


class EnumLike(Protocol):
    """What protobuf offers of an enum."""

    def values(self) -> Iterable[int]:
        """The numbers of the enum."""
        ...


def known_numbers(enum: EnumLike) -> frozenset[int]:
    """The numbers an enum field may hold on input: all but UNSPECIFIED, 0."""
    return frozenset(int(number) for number in enum.values()) - {0}
