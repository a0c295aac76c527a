"""`server.forward-headers-strategy`: whose word is taken for scheme, host, port, prefix and the device's address."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.forwarded import (
    BadForwarding,
    Forwarding,
    apply_forwarded_headers,
)
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

NATIVE, FRAMEWORK = Forwarding.NATIVE, Forwarding.FRAMEWORK
SEEN = "http://seen.example:8080"


def request_with(**headers: str) -> HttpRequest:
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpRequest("GET", SEEN, "/x?y", (("Host", "seen.example:8080"), *sent))


def origin(strategy: Forwarding, **headers: str) -> str:
    return apply_forwarded_headers(strategy, request_with(**headers), Session("127.0.0.1"))[0].origin


def peer(strategy: Forwarding, forwarded_for: str, peer: str = "127.0.0.1") -> str:
    return apply_forwarded_headers(strategy, request_with(X_Forwarded_For=forwarded_for), Session(peer))[1].peer


def test_by_default_nothing_is_believed() -> None:
    request, session = request_with(X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9"), Session("10.0.0.1")
    assert apply_forwarded_headers(Forwarding.NONE, request, session) == (request, session)


@pytest.mark.parametrize(
    ("proto", "port", "expected"),
    [
        ("https", "", "https://seen.example"),
        ("HTTPS", "8443", "https://seen.example:8443"),
        ("https, https", "443", "https://seen.example"),
        ("https,http", "8443", "http://seen.example:8443"),
        ("http", "80", "http://seen.example"),
        ("https", "80", "https://seen.example:80"),
        ("https", "zz", "https://seen.example"),
    ],
)
def test_native_takes_the_port_with_the_scheme(proto: str, port: str, expected: str) -> None:
    headers = {"X_Forwarded_Proto": proto} | ({"X_Forwarded_Port": port} if port else {})
    assert origin(NATIVE, **headers) == expected


def test_native_takes_no_port_without_a_scheme_and_none_from_the_host() -> None:
    assert origin(NATIVE, X_Forwarded_Port="8443") == SEEN
    assert origin(NATIVE, X_Forwarded_Host="ota.example:99") == "http://ota.example:8080"
    assert origin(NATIVE, X_Forwarded_Host="a.example, b.example") == SEEN


def test_native_knows_neither_prefix_nor_forwarded() -> None:
    assert origin(NATIVE, X_Forwarded_Prefix="/api", Forwarded="proto=https;host=x") == SEEN


@pytest.mark.parametrize(
    ("chain", "expected", "left"),
    [
        ("203.0.113.9", "203.0.113.9", None),
        ("203.0.113.9, 10.0.0.1", "203.0.113.9", None),
        ("198.51.100.7, 203.0.113.9", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.2, 10.0.0.1", "10.0.0.2", None),
    ],
)
def test_native_looks_for_the_nearest_stranger(chain: str, expected: str, left: str | None) -> None:
    request, session = apply_forwarded_headers(NATIVE, request_with(X_Forwarded_For=chain), Session("127.0.0.1"))
    assert (session.peer, request.header("X-Forwarded-For")) == (expected, left)


def test_native_takes_no_word_from_a_stranger() -> None:
    assert peer(NATIVE, "203.0.113.9", peer="198.51.100.7") == "198.51.100.7"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X_Forwarded_Proto": "https"}, "https://seen.example"),
        ({"X_Forwarded_Ssl": "on"}, "https://seen.example"),
        ({"X_Forwarded_Port": "8443"}, "http://seen.example:8443"),
        ({"X_Forwarded_Host": "ota.example"}, "http://ota.example"),
        ({"X_Forwarded_Host": "ota.example:99, inner"}, "http://ota.example:99"),
        ({"X_Forwarded_Prefix": "/api/"}, SEEN + "/api"),
        ({"X_Forwarded_Prefix": "/a,/b"}, SEEN + "/a/b"),
        ({"Forwarded": 'proto=https;host="ota.example:99", host=inner'}, "https://ota.example:99"),
        ({"Forwarded": "for=192.0.2.43", "X_Forwarded_Proto": "https"}, SEEN),
    ],
)
def test_framework_knows_all_of_them(headers: dict[str, str], expected: str) -> None:
    assert origin(FRAMEWORK, **headers) == expected


def test_framework_takes_the_first_hop_and_hides_the_headers() -> None:
    request, session = apply_forwarded_headers(
        FRAMEWORK, request_with(X_Forwarded_For="203.0.113.9, 10.0.0.1"), Session("127.0.0.1")
    )
    assert (session.peer, request.header("X-Forwarded-For")) == ("203.0.113.9", None)


def test_framework_refuses_a_port_that_is_no_number() -> None:
    with pytest.raises(BadForwarding, match="zz"):
        origin(FRAMEWORK, X_Forwarded_Port="zz")
