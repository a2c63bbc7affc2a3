"""How this client connects: what it tells gRPC, and to whom it shows a key."""

from __future__ import annotations

from ipaddress import ip_address

OPTIONS: tuple[tuple[str, int], ...] = (
    # A page of a thousand transfers is larger than gRPC's default.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # One policy of repeating is enough: this client's own, which reads reasons and RetryInfo.
    ("grpc.enable_retries", 0),
    # A server that is restarted is back in a second or two; by default gRPC would look again ever more rarely.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


def authorization(key: str | None) -> tuple[tuple[str, str], ...]:
    """The metadata that show an API key; none where a client certificate speaks."""
    return () if key is None else (("authorization", f"Bearer {key}"),)


def refuse_open_wire(address: str) -> None:
    """Keep a key from travelling where others could read it.

    Raises:
        ValueError: the address can be on another machine.
    """
    if not _is_here(address):
        raise ValueError(f"{address} may be another machine: give credentials (grpc.ssl_channel_credentials)")


def _is_here(address: str) -> bool:
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition("/")[2].removeprefix("ipv4:").removeprefix("ipv6:").removeprefix("dns:")
    host = host.rpartition(":")[0].strip("[]") if ":" in host else host
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
