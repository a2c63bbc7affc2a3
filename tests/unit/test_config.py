"""Settings: where they come from and what is refused."""

from pathlib import Path

import pytest

from exchange.config import SettingsRefused, is_loopback, load_settings


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples say every setting themselves."""
    import os

    for name in [name for name in os.environ if name.startswith("EXCHANGE_")]:
        monkeypatch.delenv(name)


def test_a_server_for_one_machine_needs_no_settings() -> None:
    """The defaults serve plaintext to this machine only, with nothing switched on that could do harm."""
    settings = load_settings()

    assert (settings.host, settings.port, settings.is_encrypted) == ("127.0.0.1", 50051, False)
    assert (settings.reflection, settings.sandbox, settings.metrics_port) == (False, False, 0)


def test_an_argument_goes_before_the_environment_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The nearer one wins; None on the command line means not given."""
    file = tmp_path / "settings.toml"
    file.write_text("port = 1\nprocesses = 2\nadmission_max = 3\ndrain_seconds = 4")
    monkeypatch.setenv("EXCHANGE_SETTINGS_FILE", str(file))
    monkeypatch.setenv("EXCHANGE_PORT", "11")
    monkeypatch.setenv("EXCHANGE_PROCESSES", "12")

    settings = load_settings(port=21, drain_seconds=None)

    assert (settings.port, settings.processes, settings.admission_max, settings.drain_seconds) == (21, 12, 3, 4.0)


def test_a_file_may_have_the_form_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As container platforms write them."""
    file = tmp_path / "settings.env"
    file.write_text("# where to listen\nEXCHANGE_PORT=7\nEXCHANGE_SERVICE_EXTENSIONS=a:b, c:d\n")
    monkeypatch.setenv("EXCHANGE_SETTINGS_FILE", str(file))

    settings = load_settings()

    assert (settings.port, settings.service_extensions) == (7, ("a:b", "c:d"))


def test_extensions_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comma alone is a list of none."""
    monkeypatch.setenv("EXCHANGE_SERVICE_EXTENSIONS", ",")

    assert load_settings().service_extensions == ()


def test_an_unknown_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt limit would protect nothing."""
    monkeypatch.setenv("EXCHANGE_ADMISION_MAX", "5")

    with pytest.raises(SettingsRefused, match="unknown environment variable: EXCHANGE_ADMISION_MAX"):
        load_settings()


def test_variables_of_the_tests_are_nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """They share the prefix only."""
    monkeypatch.setenv("EXCHANGE_TEST_DATABASE_URL", "postgresql://somewhere")

    assert load_settings().database_url is None


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files leave them empty."""
    monkeypatch.setenv("EXCHANGE_DATABASE_URL", "")

    assert load_settings().database_url is None


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("settings.toml", "prot = 1", "unknown setting in .*settings.toml: prot"),
        ("settings.env", "EXCHANGE_PROT=1", "unknown setting in .*settings.env: EXCHANGE_PROT"),
        ("settings.env", "PORT=1", "unknown setting in .*settings.env: PORT"),
        ("settings.toml", "port = ", "cannot read .*settings.toml"),
        ("settings.toml", None, "cannot read .*settings.toml"),
    ],
)
def test_a_file_with_something_else_in_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: str | None, shown: str
) -> None:
    """Unknown names, bad syntax, no file: each is told with the file's name."""
    if content is not None:
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("EXCHANGE_SETTINGS_FILE", str(tmp_path / name))

    with pytest.raises(SettingsRefused, match=shown):
        load_settings()


def test_everything_out_of_bounds_is_told_at_once() -> None:
    """One line for each, with the value."""
    with pytest.raises(SettingsRefused) as refused:
        load_settings(port=70_000, processes=0, log_level="loud")

    lines = str(refused.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["port", "processes", "log_level"]
    assert "70000" in lines[0]


def test_a_password_is_never_shown() -> None:
    """Settings and their refusals end up in logs."""
    with pytest.raises(SettingsRefused) as refused:
        load_settings(database_url=["postgresql://exchange:hunter2@db/points"])

    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in repr(load_settings(database_url="postgresql://exchange:hunter2@db/points"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "exchange.coalition.example"])
def test_plaintext_beyond_this_machine_is_refused(host: str) -> None:
    """Keys would travel readable; the sentence says what is needed."""
    with pytest.raises(SettingsRefused, match="tls_certificate and tls_key are needed"):
        load_settings(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"])
def test_plaintext_on_this_machine_is_served(host: str) -> None:
    """Nobody else can listen."""
    assert is_loopback(load_settings(host=host).host)


def test_with_tls_any_address_is_served() -> None:
    """The files are looked at when the server starts."""
    settings = load_settings(host="0.0.0.0", tls_certificate="server.pem", tls_key="server.key")

    assert settings.is_encrypted


@pytest.mark.parametrize(
    "given", [{"tls_certificate": "server.pem"}, {"tls_key": "server.key"}, {"tls_client_ca": "clients.pem"}]
)
def test_half_a_tls_setting_is_refused(given: dict[str, str]) -> None:
    """A server that someone believes to be encrypted must be."""
    with pytest.raises(SettingsRefused, match="tls_"):
        load_settings(**given)


def test_refusals_are_forced_in_a_sandbox_only() -> None:
    """Anywhere else they would refuse honest requests."""
    with pytest.raises(SettingsRefused, match="needs sandbox"):
        load_settings(forced_refusals=True)

    assert load_settings(forced_refusals=True, sandbox=True).forced_refusals


def test_an_unknown_argument_is_refused() -> None:
    """The command line passes field names."""
    with pytest.raises(SettingsRefused, match="unknown argument: prot"):
        load_settings(prot=1)
