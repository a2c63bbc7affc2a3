"""Encryption and identity by certificate, with certificates made for the test."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exchange.config import SettingsRefused
from tests.integration.serving.probe import Client, a_probe, a_server

NOW = dt.datetime.now(dt.UTC)
GRO = "gro.coalition.example"


@dataclass
class Party:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as a file holds it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as a file holds it."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def an_authority(name: str = "coalition") -> Party:
    """Somebody who signs certificates."""
    return _signed(name, None, x509.BasicConstraints(ca=True, path_length=0))


def a_party(name: str, authority: Party) -> Party:
    """Somebody whose certificate the authority signed; `name` is its subject alternative name."""
    return _signed(name, authority, x509.SubjectAlternativeName([x509.DNSName(name)]))


def _signed(name: str, authority: Party | None, extension: x509.ExtensionType) -> Party:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = authority.certificate.subject if authority else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(hours=1))
        .not_valid_after(NOW + dt.timedelta(hours=1))
        .add_extension(extension, critical=True)
    )
    return Party(builder.sign(authority.key if authority else key, hashes.SHA256()), key)


@dataclass
class Files:
    """What the settings name."""

    folder: Path
    authority: Party

    def settings(self, *, mutual: bool) -> dict[str, Any]:
        """Writes a server's files; answers the settings that name them."""
        server = a_party("localhost", self.authority)
        contents = {"tls_certificate": server.certificate_pem, "tls_key": server.key_pem}
        if mutual:
            contents["tls_client_ca"] = self.authority.certificate_pem
        for name, content in contents.items():
            (self.folder / name).write_bytes(content)
        return {name: self.folder / name for name in contents}

    def channel(self, port: int, client: Party | None = None) -> grpc.aio.Channel:
        """A connection of a client that trusts the authority, and shows a certificate if it has one."""
        own = (client.key_pem, client.certificate_pem) if client else (None, None)
        credentials = grpc.ssl_channel_credentials(self.authority.certificate_pem, *own)
        return grpc.aio.secure_channel(f"localhost:{port}", credentials)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A folder for certificates of one authority."""
    return Files(tmp_path, an_authority())


async def test_a_call_over_tls_is_answered(files: Files) -> None:
    """The key is the credential; the certificate is the server's."""
    async with a_server(**files.settings(mutual=False)) as (_, port, _), files.channel(port) as channel:
        answer = await Client(channel).call("Whoami")

    assert answer.reference == "apiKeys/1"


async def test_a_tls_server_hears_no_plaintext(files: Files) -> None:
    """A client that forgot to encrypt reaches nobody, and its key is read by nobody."""
    async with a_server(**files.settings(mutual=False)) as (server, port, _):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            refusal = await Client(channel).refused("Echo")

        counted = [
            s for metric in server.guard.meter.collect() for s in metric.samples if s.name == "exchange_calls_total"
        ]

    assert refusal.code is grpc.StatusCode.UNAVAILABLE
    assert sum(sample.value for sample in counted) == 0


async def test_a_client_certificate_stands_for_a_key(files: Files) -> None:
    """Under mutual TLS the subject alternative name tells who calls."""
    gro = a_party(GRO, files.authority)
    async with a_server(**files.settings(mutual=True)) as (_, port, _), files.channel(port, gro) as channel:
        answer = await Client(channel, authorization=None).call("Whoami")

    assert answer.reference == f"certificates/{GRO}"


async def test_a_key_goes_before_the_certificate(files: Files) -> None:
    """A proxy with one certificate can speak for several callers by their keys."""
    gro = a_party(GRO, files.authority)
    async with a_server(**files.settings(mutual=True)) as (_, port, _), files.channel(port, gro) as channel:
        answer = await Client(channel, "Bearer auditor-key").call("Whoami")

    assert answer.reference == "apiKeys/2"


async def test_a_certificate_nobody_registered_is_unknown(files: Files) -> None:
    """Signed by our authority is not enough: somebody must stand behind the name."""
    stranger = a_party("stranger.example", files.authority)
    async with a_server(**files.settings(mutual=True)) as (_, port, _), files.channel(port, stranger) as channel:
        refusal = await Client(channel, authorization=None).refused("Whoami")

    assert refusal.reason == "CREDENTIAL_UNKNOWN"


async def test_without_mutual_tls_a_certificate_says_nothing(files: Files) -> None:
    """Nobody has verified it."""
    gro = a_party(GRO, files.authority)
    async with a_server(**files.settings(mutual=False)) as (_, port, _), files.channel(port, gro) as channel:
        refusal = await Client(channel, authorization=None).refused("Whoami")

    assert refusal.reason == "CREDENTIAL_MISSING"


@pytest.mark.parametrize("shown", ["none", "of another authority"])
async def test_mutual_tls_takes_no_connection_without_a_certificate_of_the_authority(files: Files, shown: str) -> None:
    """The connection fails before any call, key or not."""
    client = None if shown == "none" else a_party(GRO, an_authority("impostor"))
    async with a_server(**files.settings(mutual=True)) as (_, port, _), files.channel(port, client) as channel:
        refusal = await Client(channel).refused("Echo")

    assert refusal.code is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key", "tls_client_ca"])
@pytest.mark.parametrize("flaw", ["missing", "no PEM"])
async def test_an_unusable_file_is_named(files: Files, name: str, flaw: str) -> None:
    """Whoever starts the server reads which file is wrong."""
    settings = files.settings(mutual=True)
    if flaw == "missing":
        settings[name].unlink()
    else:
        settings[name].write_text("not a certificate")

    with pytest.raises(SettingsRefused, match=name):
        async with a_probe(**settings):
            pass


async def test_a_key_of_another_certificate_is_refused(files: Files) -> None:
    """Such a server would start and fail every handshake."""
    settings = files.settings(mutual=False)
    settings["tls_key"].write_bytes(an_authority().key_pem)

    with pytest.raises(SettingsRefused, match="do not belong together"):
        async with a_probe(**settings):
            pass
