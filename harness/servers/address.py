"""Addresses of servers, as people write them: `https://server.example.com/path`, `127.0.0.1:1883`."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import sendable

EXAMPLES: Final = {"http": "http://127.0.0.1:8080", "https": "https://127.0.0.1:8443"}


def web_url(text: str, scheme: str = "http") -> str:
    """An http(s) URL without a slash at its end; `HOST:PORT` is one of that scheme. Raises UsageError."""
    url = text if "://" in text else f"{scheme}://{text}"
    host_of(url)
    if scheme == "https" and not url.startswith("https://"):
        raise UsageError(f"{text!r} is no https address; write for instance {EXAMPLES['https']}")
    return _sendable(url).rstrip("/")


def _sendable(url: str) -> str:
    """With what no URL may hold in percent-encoded UTF-8, as browsers do it; the host stays as it is."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    try:
        return f"{scheme}://{host}{sendable(slash + path)}"
    except ValueError as wrong:
        raise UsageError(f"{url!r} is no address of a server: {wrong}") from None


def name_in_url(text: str, option: str) -> str:
    """A name that stands in a path, in percent-encoded UTF-8. Raises UsageError for what is no text."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise UsageError(f"{option} {text!r} holds bytes that are not UTF-8")
    return text


def host_port(text: str) -> str:
    """`HOST:PORT` as it stands. Raises UsageError."""
    try:
        parts = urlsplit(f"//{text}")
        is_whole = bool(parts.hostname and parts.port) and parts.netloc == text and parts.username is None
        is_whole = is_whole and _is_host(parts.hostname or "")
    except ValueError:
        is_whole = False
    if not is_whole:
        raise UsageError(f"{text!r} is no address; expected HOST:PORT, for instance 127.0.0.1:1883")
    return text


def place_of(text: str) -> tuple[str, int]:
    """`HOST:PORT` in its parts. Raises UsageError."""
    parts = urlsplit(f"//{host_port(text)}")
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def host_of(url: str) -> str:
    """The host of an http(s) URL. Raises UsageError."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        expected = "expected http://HOST:PORT with a port up to 65535, and an IPv6 address in brackets"
        raise UsageError(f"{url!r} is no address of a server: {expected}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address takes no user and password, since others can see command lines: put them into a "
                         "SERVER.yaml (http, user, password: env:NAME) and give --against SERVER.yaml")  # fmt: skip
    is_host = _is_host(host) and url.split("/")[2].isprintable()  # urlsplit drops what is not
    if parts.scheme not in ("http", "https") or not is_host or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is no address of a server; write for instance {EXAMPLES['http']}")
    return host


def _is_host(name: str) -> bool:
    """Whether anybody could look that name up; it need not be there."""
    try:
        return bool(name.encode("idna")) and name.isprintable() and " " not in name
    except UnicodeError:
        return False


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def addresses_of(host: str) -> list[str]:
    """All addresses of a name; none when it has none."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None)]
    except OSError:
        return []


def is_near(address: str) -> bool:
    """True for loopback, private and link-local addresses."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return found.is_loopback or found.is_private or found.is_link_local
