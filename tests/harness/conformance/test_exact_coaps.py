"""The exact CoAP client over DTLS: what it shows, what it asks for, and how it hears that it gets no session."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from fleetrig.harness.conformance.exact_coap import GET, ExactCoap
from fleetrig.harness.conformance.exact_coaps import NoSession, exact_coaps
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey, TlsCredential
from tests.reference_server.echo import running
from tests.reference_server.fronts.dtls.who_platform import KEYS, WhoPlatform

Place = tuple[str, int]
WITHIN_S = 30.0
SOON_S = 0.2


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with running() as bench:
        options = ServerOptions((PlatformOptions("who", WhoPlatform, {"coaps": ANY_LOOPBACK_PORT}),))
        server = bench.run(ReferenceServer(options))
        yield "127.0.0.1", server.addresses["who"]["coaps"].port


def certificate(name: str) -> ClientCertificate:
    return CertificateAuthority("fleet", time.time_ns() // 1000).issue_client(name)


@contextlib.contextmanager
def open_session(place: Place, shown: TlsCredential | None, name: str = "") -> Iterator[ExactCoap]:
    with contextlib.closing(exact_coaps(place, shown, WITHIN_S, name)) as client:
        yield client


@pytest.mark.parametrize(
    ("shown", "who"),
    [(PreSharedKey("dev-1", KEYS["dev-1"]), "dev-1"), (certificate("dev-2"), "dev-2")],
    ids=["key", "certificate"],
)
def test_what_is_shown_and_asked_for(place: Place, shown: TlsCredential, who: str) -> None:
    with open_session(place, shown) as client:
        for _ in range(2):
            assert client.ask(GET, "/who").payload == f"{who} at no name".encode()
    with open_session(place, shown, "t1.example.com") as client:
        assert client.ask(GET, "/who").payload == f"{who} at t1.example.com".encode()


def test_an_alert_is_told_by_its_name(place: Place) -> None:
    with pytest.raises(HandshakeRefused) as refused, open_session(place, certificate("bad_certificate")):
        pass
    assert refused.value.alert == "bad_certificate"


@pytest.mark.parametrize("shown", [PreSharedKey("dev-1", b"another key"), PreSharedKey("nobody", b"x")])
def test_a_wrong_key_gets_no_session_from_a_server_that_is_there(place: Place, shown: PreSharedKey) -> None:
    with pytest.raises(NoSession, match=r"^neither a DTLS session nor an alert within 0.2 s$") as silent:
        exact_coaps(place, shown, SOON_S, "")
    assert silent.value.has_answered


def test_who_says_nothing_at_all_is_told_apart() -> None:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(NoSession) as nothing:
            exact_coaps(silent.getsockname(), None, SOON_S, "")
    assert not nothing.value.has_answered


def test_nobody_listens(free_port: int) -> None:
    with pytest.raises(BrokenBench, match=r"^nobody listens for CoAP over DTLS"):
        exact_coaps(("127.0.0.1", free_port), None, WITHIN_S, "")
