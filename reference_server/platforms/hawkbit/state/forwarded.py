"""Behind a proxy: `server.forward-headers-strategy`, and what a request looks like once it is believed.

By default nothing is believed and links carry the request's own `Host`. `NATIVE` is what the real server's
documentation tells people with a proxy to set (Tomcat's RemoteIpValve); `FRAMEWORK` is Spring's ForwardedHeaderFilter.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from typing import Final

from fleetrig.simulator.contract.http import Headers, HttpRequest
from fleetrig.simulator.contract.session import Session

FOR, HOST, PORT, PROTO = "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"
PREFIX, SSL, FORWARDED = "x-forwarded-prefix", "x-forwarded-ssl", "forwarded"
FORWARDING_HEADERS: Final = frozenset({FOR, HOST, PORT, PROTO, PREFIX, SSL, FORWARDED})
USUAL_PORTS: Final = {"http": 80, "https": 443}
INTERNAL: Final = re.compile(
    r"10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|169\.254(?:\.\d{1,3}){2}|127(?:\.\d{1,3}){3}"
    r"|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}"
    r"|0:0:0:0:0:0:0:1|::1|fe[89ab]\w:[\w:]*|f[cd]\w{2}:[\w:]*",
    re.ASCII,
)
"""Peers whose word `NATIVE` takes, and which it skips in `X-Forwarded-For`."""
HOST_NAME: Final = re.compile(r"\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+")
INT_MAX: Final = 2**31 - 1
NO_PORT: Final = -1


class Forwarding(StrEnum):
    """The strategies, in Spring Boot's words."""

    NONE = "none"
    NATIVE = "native"
    FRAMEWORK = "framework"


class BadForwarding(Exception):
    """`FRAMEWORK` answers 400 to a port that is no number."""


def apply_forwarded_headers(
    strategy: Forwarding, request: HttpRequest, session: Session, context_path: str = ""
) -> tuple[HttpRequest, Session]:
    """The request and its peer as the rest of the server sees them; links begin with `origin`, the context path too.

    A prefix that a proxy names stands in place of the context path. Raises BadForwarding.
    """
    if strategy is Forwarding.NONE or not any(name.lower() in FORWARDING_HEADERS for name, _ in request.headers):
        return _within(request, context_path), session
    if strategy is Forwarding.FRAMEWORK:
        return _framework(request, session, context_path)
    seen, session = _native(request, session)
    return _within(seen, context_path), session


def _within(request: HttpRequest, context_path: str) -> HttpRequest:
    if not context_path:
        return request
    scheme, host, port = origin_parts(request.origin)
    return replace(request, origin=_origin(scheme, host, port) + context_path)


def _native(request: HttpRequest, session: Session) -> tuple[HttpRequest, Session]:
    if INTERNAL.fullmatch(session.peer) is None:
        return request, session
    scheme, host, port = origin_parts(request.origin)
    if (proto := request.header(PROTO)) is not None:
        words = _words(proto)
        scheme = "https" if words and all(word.lower() == "https" for word in words) else "http"
        port = _integer(request.header(PORT) or "", USUAL_PORTS[scheme])
    if HOST_NAME.fullmatch(forwarded_host := _without_port(request.header(HOST) or "")):
        host = forwarded_host
    peer, left = _nearest_stranger([value for name, value in request.headers if name.lower() == FOR])
    headers = request.headers
    if peer:
        headers = _without(headers, frozenset({FOR})) + (((FOR, ", ".join(left)),) if left else ())
        session = replace(session, peer=peer)
    return _with_origin(request, scheme, host, port, headers), session


def _nearest_stranger(values: list[str]) -> tuple[str, list[str]]:
    """From the right, the first address that is no proxy of ours (else the leftmost), and what stands left of it."""
    hops = _words(", ".join(values))
    for index in range(len(hops) - 1, -1, -1):
        if INTERNAL.fullmatch(hops[index]) is None:
            return hops[index], hops[:index]
    return (hops[0], []) if hops else ("", [])


def _framework(request: HttpRequest, session: Session, context_path: str) -> tuple[HttpRequest, Session]:
    scheme, host, port = origin_parts(request.origin)
    forwarded = request.header(FORWARDED) or ""
    proto, authority = _pair(forwarded, "proto"), _pair(forwarded, "host")
    client = _pair(forwarded, "for")
    if not forwarded.strip():
        proto, authority, client = (_first(request.header(name)) for name in (PROTO, HOST, FOR))
    if not proto and (request.header(SSL) or "").lower() == "on":
        proto = "https"
    if proto:
        scheme, port = proto, NO_PORT
    if authority:
        host, port = _host_and_port(authority)
    if not forwarded.strip() and (text := _first(request.header(PORT))):
        port = _need_integer(text)
    prefixes = request.header(PREFIX)
    prefix = context_path if prefixes is None else "".join(word.rstrip("/") for word in _words(prefixes))
    seen = _with_origin(request, scheme, host, port, _without(request.headers, FORWARDING_HEADERS), prefix)
    return seen, replace(session, peer=_host_and_port(client)[0].strip("[]")) if client else session


def origin_parts(origin: str) -> tuple[str, str, int]:
    """Scheme, host and port; `NO_PORT` if it names none."""
    scheme, _, authority = origin.partition("://")
    host = _without_port(authority)
    return scheme, host, _integer(authority[len(host) + 1 :], NO_PORT)


def _with_origin(
    request: HttpRequest, scheme: str, host: str, port: int, headers: Headers, prefix: str = ""
) -> HttpRequest:
    origin = _origin(scheme, host, port)
    headers = (("Host", origin.partition("://")[2]), *_without(headers, frozenset({"host"})))
    return replace(request, origin=origin + prefix, headers=headers)


def _origin(scheme: str, host: str, port: int) -> str:
    """A usual port is left out."""
    return f"{scheme}://{host}" if port in (NO_PORT, USUAL_PORTS.get(scheme)) else f"{scheme}://{host}:{port}"


def _without(headers: Headers, names: frozenset[str]) -> Headers:
    return tuple((name, value) for name, value in headers if name.lower() not in names)


def _without_port(authority: str) -> str:
    """`[::1]:99` -> `[::1]`."""
    return authority[: authority.rindex("]") + 1] if "]" in authority else authority.partition(":")[0]


def _host_and_port(authority: str) -> tuple[str, int]:
    host = _without_port(authority)
    return host, _need_integer(authority[len(host) + 1 :]) if len(host) < len(authority) else NO_PORT


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _first(text: str | None) -> str:
    words = _words(text or "")
    return words[0] if words else ""


def _pair(forwarded: str, name: str) -> str:
    """The first value of a name in a `Forwarded` header (RFC 7239)."""
    found = re.search(rf'{name}="?([^;,"]+)"?', forwarded, re.IGNORECASE)
    return found.group(1).strip() if found else ""


def _integer(text: str, default: int) -> int:
    digits = text.lstrip("0") or text[:1]
    is_short = digits.isascii() and digits.isdigit() and len(digits) <= len(str(INT_MAX))
    return int(digits) if is_short and int(digits) <= INT_MAX else default


def _need_integer(text: str) -> int:
    number = _integer(text, NO_PORT)
    if number == NO_PORT:
        raise BadForwarding(f"the forwarding headers name a port {text[:20]!r}")
    return number
