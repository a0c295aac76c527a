"""A platform that judges handshakes, over real TLS: what devices hear of it, and what stands in the trace."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platform import HandshakeAnswer
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import TraceEvent
from tests.conversation.echo_platform import EchoPlatform
from tests.conversation.peer import ToyPeer
from tests.conversation.toy_front import TOY_LISTENER_KINDS
from tests.reference_server.echo import ServerBench, running, traced
from tests.reference_server.fronts.tls.tls_bench import show_certificate


class JudgingEcho(EchoPlatform):
    """Takes chains of two certificates, and counts them; alone a certificate is unknown."""

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        if len(session.certificates) < 2:
            return HandshakeAnswer(TlsAlert.UNKNOWN_CA, reason="a certificate without its authority")
        return HandshakeAnswer(device="gw-7", changed="gw-7 created")


@dataclass
class Toys:
    server: ReferenceServer
    bench: ServerBench
    events: list[TraceEvent]

    def peer(self, shown: ClientCertificate | None = None) -> ToyPeer:
        context = ssl.create_default_context(cafile=self.server.ca)
        if shown is not None:
            show_certificate(context, shown)
        return ToyPeer(self.server.addresses["echo"]["toys"].port, context)

    def told(self, session: int) -> list[tuple[str, str, str]]:
        """(lane, kind, name) of a session."""
        return [(event.lane, event.kind, event.name) for event in self.events if event.session == session]


@contextmanager
def serving(client_auth: ClientAuth, trusted: bytes = b"") -> Iterator[Toys]:
    with running() as bench:
        trace, events = traced()
        one = PlatformOptions("echo", build, {"toys": ANY_LOOPBACK_PORT}, client_auth, trusted)
        server = bench.run(ReferenceServer(ServerOptions((one,)), trace, listener_kinds=TOY_LISTENER_KINDS))
        yield Toys(server, bench, events)
        assert server.bugs == []


def build(store: Store, blobs: Blobs, entropy: Entropy) -> EchoPlatform:
    return JudgingEcho(store)


@pytest.fixture
def toys() -> Iterator[Toys]:
    with serving(ClientAuth.ANY) as toys:
        yield toys


@pytest.fixture(scope="module")
def plant() -> CertificateAuthority:
    return CertificateAuthority("fleet", time.time_ns() // 1000).authority_below("plant")


def test_a_device_that_is_taken_opens_the_session_of_its_handshake(toys: Toys, plant: CertificateAuthority) -> None:
    with toys.peer(plant.issue_client("gw-7")) as peer:
        assert peer.connect("gw-7") == "CONNACK 0"
    assert toys.told(1)[:2] == [("server", "answered", "gw-7 created"), ("server", "opened", "toys")]


def test_a_device_that_is_refused_opens_nothing(toys: Toys, plant: CertificateAuthority) -> None:
    own = plant.issue_client("gw-7")
    with (
        pytest.raises(ssl.SSLError, match=r"(?i)alert.unknown.ca"),
        toys.peer(ClientCertificate(own.chain[:1], own.key_pem)) as peer,
    ):
        peer.connect("gw-7")
    with toys.peer() as other:  # it shows none, and is not asked for any
        assert other.connect("gw-8") == "CONNACK 0"
    assert toys.told(1) == [("server", "refused", "handshake: unknown_ca")]
    assert toys.told(2)[0] == ("server", "opened", "toys")


def test_who_is_verified_by_tls_itself_is_refused_in_the_network_lane(plant: CertificateAuthority) -> None:
    with serving(ClientAuth.REQUIRED, plant.certificate_pem) as toys:
        with toys.peer(plant.issue_client("gw-7")) as peer:
            assert peer.connect("gw-7") == "CONNACK 0"
        stranger = CertificateAuthority("nobody", time.time_ns() // 1000).issue_client("gw-8")
        with pytest.raises(ssl.SSLError, match=r"(?i)alert.unknown.ca"), toys.peer(stranger) as peer:
            peer.connect("gw-8")
    assert toys.told(2) == [("network", "refused", "toys")]


@pytest.mark.parametrize("client_auth", [ClientAuth.NONE, ClientAuth.ANY])
def test_a_fault_shows_another_certificate_to_one_connection(client_auth: ClientAuth) -> None:
    with serving(client_auth) as toys:
        fault = Fault(
            FaultKind.SERVER_CERTIFICATE,
            "HANDSHAKE toys",
            times=1,
            parameters={"certificate": str(ShownCertificate.EXPIRED)},
        )
        toys.bench.loop.call(lambda: toys.server.add_fault(fault))
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            toys.peer()
        with toys.peer() as peer:
            assert peer.connect("gw-7") == "CONNACK 0"
    assert toys.told(1) == [("server", "fault", ""), ("network", "refused", "toys")]
