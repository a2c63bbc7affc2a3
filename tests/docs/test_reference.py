"""The reference pages say what the code says."""

from __future__ import annotations

import re
import subprocess
import sys

from docs.catalogue import ADVICE, PROTO, STEPS, errors_page, reasons
from docs.client_reference import fields_of
from docs.settings_reference import operations_page, settings_table
from exchange.config import PREFIX, Settings
from exchange.rehearsal.rules import FORCED
from exchange.serving.errors import RETRY_AFTER_MS, STATUS_CODES
from exchange.v1.error_reason_pb2 import ErrorReason
from tests.docs.pages import ROOT

REASONS = {name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number}


def test_the_catalogue_of_refusals_is_what_the_proto_says() -> None:
    """After a change of error_reason.proto: python docs/catalogue.py write."""
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == errors_page()


def test_the_settings_page_is_what_the_code_says() -> None:
    """After a change of exchange/config.py: python docs/catalogue.py write."""
    assert (ROOT / "docs" / "operations.md").read_text(encoding="utf-8") == operations_page()


def test_every_reason_is_catalogued_with_advice() -> None:
    """Reading the comments loses none, and none is left without a word on what to do."""
    page = errors_page()

    assert {reason.name for reason in reasons()} == REASONS
    assert ADVICE.keys() >= REASONS
    assert all(page.count(f"\n### {name}\n") == 1 for name in REASONS)


def test_a_reason_is_documented_under_a_status_the_server_gives() -> None:
    """INTERNAL is no category of refusal; it is what a fault of ours becomes."""
    given = {code.name for code in STATUS_CODES.values()} | {"INTERNAL"}
    with_delay = {STATUS_CODES[category].name for category in RETRY_AFTER_MS}

    for reason in reasons():
        assert reason.status in given
        assert reason.retry_info == (reason.status in with_delay), f"{reason.name} and RetryInfo"
        assert reason.when.endswith("."), f"{reason.name} is not told in sentences"


def test_all_metadata_that_are_told_are_catalogued() -> None:
    """What is told always, and what only sometimes: none is left among the sentences, none is lost to clients."""
    comments = PROTO.read_text(encoding="utf-8")
    for reason in reasons():
        comment = re.search(rf"  // (.+)\n  ERROR_REASON_{reason.name} = ", comments)
        assert comment is not None
        groups = [re.sub(r'"[^"]*"', "", group) for group in re.findall(r"\{(.+?)\}", comment[1])]
        told = {name.partition(":")[0] for group in groups for name in group.split(", ")}

        assert {name for name, _ in fields_of(reason)} == told, reason.name
        assert "{" not in reason.when, reason.name


def test_no_movement_is_refused_as_a_step_is() -> None:
    """The advice on repeating differs: a movement's answer is kept under its request_id, a step's is not."""
    assert STEPS <= REASONS
    assert not STEPS & FORCED.keys()


def test_every_setting_has_its_row_with_its_default() -> None:
    """Names, order and defaults of Settings, read from the page itself."""
    rows = re.findall(r"^\| `EXCHANGE_(\w+)` \| (\S+) \| .* \| (.+) \|$", settings_table(), re.MULTILINE)

    assert [name.lower() for name, _, _ in rows] == list(Settings.model_fields)
    for name, default, meaning in rows:
        assert meaning.endswith("."), f"{name} has no meaning"
        value = Settings.model_fields[name.lower()].default
        told = default.strip("`")
        if value is None:
            assert told == "none"
        elif isinstance(value, float):
            assert float(told) == value
        elif isinstance(value, tuple):
            assert tuple(told.split(",")) == value
        else:
            assert told == str(value).lower() if isinstance(value, bool) else told == str(value)


def test_the_page_names_settings_as_the_environment_does() -> None:
    """Every EXCHANGE_ name the page speaks of is a setting, the file of settings, or the tests' own."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {"EXCHANGE_SETTINGS_FILE", "EXCHANGE_TEST_"}

    assert set(re.findall(r"\bEXCHANGE_[A-Z_]+", page)) <= known


def test_the_catalogues_command_finds_nothing_to_write() -> None:
    """As a developer runs it."""
    done = subprocess.run(
        [sys.executable, "docs/catalogue.py", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
