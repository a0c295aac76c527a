"""What a control interface says of its server (`GET /`, docs/control.md): all that a run needs to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.harness.servers.address import host_port, web_url
from fleetrig.harness.servers.description import LISTENERS
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.harness.servers.served_account import ServedAccount
from fleetrig.reference_server.control.control import REFERENCE_SERVER
from fleetrig.simulator.contract.errors import UsageError

OVER_HTTP: Final = frozenset({"http", "https"})
EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})
"""Hosts of a server that listens on all addresses of its machine."""


@dataclass(frozen=True, slots=True)
class ToldPlatform:
    """One platform of a server."""

    profile: str = ""
    listeners: Mapping[str, str] = field(default_factory=dict)
    """Listener -> URL (of HTTP) or `HOST:PORT`, as SERVER.yaml has them."""
    administrator: ServedAccount | None = None
    can: frozenset[str] = frozenset()
    """What its start-up properties make it capable of, beside what its profile does."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """The start-up properties that it was given."""


@dataclass(frozen=True, slots=True)
class ControlPage:
    """A server of ours, by its control interface."""

    url: str
    """Of the control interface, without a slash at the end."""
    platforms: Mapping[str, ToldPlatform]
    ca: str = ""
    """Where the authority of its certificate lies on its machine; empty for a certificate of somebody's own."""


def page_of(url: str, body: bytes) -> ControlPage | None:
    """None for the answer of anything else than a control interface."""
    try:
        document = read_json(body)
    except NotJson:
        return None
    if not isinstance(document, dict) or document.get("server") != REFERENCE_SERVER:
        return None
    names = [name for name in _list(document.get("platforms")) if isinstance(name, str)]
    return ControlPage(url, {name: _platform(name, document, url) for name in names}, _text(document.get("ca")))


def _platform(name: str, document: Mapping[str, Any], url: str) -> ToldPlatform:
    urls, properties = _part(document, "urls", name), _part(document, "properties", name)
    told = {listener: text for listener, text in urls.items() if listener in LISTENERS and isinstance(text, str)}
    return ToldPlatform(
        _text(_dict(document.get("profiles")).get(name)),
        {listener: place for listener, text in told.items() if (place := as_in_server_file(text, url))},
        _account(_part(document, "administrators", name)),
        frozenset(word for word in _list(_dict(document.get("can")).get(name)) if isinstance(word, str)),
        {key: value for key, value in properties.items() if isinstance(value, str)},
    )


def as_in_server_file(text: str, control_url: str) -> str:
    """`mqtt://127.0.0.1:1883` as `127.0.0.1:1883`, a URL of HTTP as it is.

    A server that listens on every address is where its control interface was found. Empty for what is no address.
    """
    scheme, _, place = text.partition("://")
    try:
        parts, found_at = urlsplit(f"//{place}"), urlsplit(control_url).hostname or ""
        if parts.hostname in EVERY_ADDRESS:
            host = f"[{found_at}]" if ":" in found_at else found_at
            place = f"{host}:{parts.port}{parts.path}"
        return web_url(f"{scheme}://{place}") if scheme in OVER_HTTP else host_port(place)
    except (ValueError, UsageError):
        return ""


def _account(given: Mapping[str, Any]) -> ServedAccount | None:
    match given:
        case {"user": str(user), "password": str(password)}:
            return ServedAccount(user, password)
        case _:
            return None


def _part(document: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    return _dict(_dict(document.get(key)).get(name))


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
