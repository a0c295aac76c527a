"""DTLS in memory: a server of associations, clients, and a network between them that the test performs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from trustme import CA

from fleetrig.reference_server.fronts.datagrams import DatagramPeer, DatagramSocket, SocketAddress
from fleetrig.reference_server.fronts.dtls.associations import DtlsAssociations, DtlsLimits
from fleetrig.reference_server.fronts.dtls.contexts import DtlsContexts
from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.identity import TlsCredential
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.dtls_client import DtlsClient
from tests.certificates import P256, long_chain, of_server, trusting

AUTHORITY = CA(key_type=P256)
SERVER = of_server(AUTHORITY.issue_cert("localhost", "127.0.0.1", key_type=P256))
SHOWN = {
    ShownCertificate.STRANGER: of_server(CA(key_type=P256).issue_cert("localhost", key_type=P256)),
    ShownCertificate.LONG_CHAIN: of_server(long_chain(AUTHORITY, 9).issue_cert("localhost", key_type=P256)),
}
DEVICE = ("127.0.0.1", 40_001)
KEYS = {"dev-1": b"sixteen bytes!!!"}


class Midnight:
    """A clock that stands still: what is told to the server and to the trace has its time from it."""

    def now_us(self) -> int:
        return 0


@dataclass
class Judge:
    """The part of a `Conversation` that handshakes need."""

    keys: dict[str, bytes] = field(default_factory=lambda: dict(KEYS))
    alert: TlsAlert | None = None
    shown: ShownCertificate = ShownCertificate.OWN
    asked: list[Session] = field(default_factory=list)

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        return self.shown

    def psk(self, session: Session, now_us: int) -> bytes | None:
        self.asked.append(session)
        return self.keys.get(session.psk_identity)

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        self.asked.append(session)
        return self.alert


class Echo:
    """A `DatagramReceiver` that says everything again."""

    def __init__(self) -> None:
        self.opened: list[DatagramPeer] = []
        self.closed: list[DatagramPeer] = []
        self.heard: list[bytes] = []

    def peer_opened(self, peer: DatagramPeer) -> None:
        self.opened.append(peer)

    def received(self, peer: DatagramPeer, data: bytes) -> None:
        self.heard.append(data)
        peer.send(data)

    def peer_closed(self, peer: DatagramPeer) -> None:
        self.closed.append(peer)


@dataclass
class Device:
    """A client at an address. `failure`: what ended it."""

    client: DtlsClient
    address: SocketAddress
    came: list[bytes] = field(default_factory=list)
    failure: BaseException | None = None

    def hear(self, datagram: bytes) -> None:
        self.do(lambda: self.client.take(datagram))

    def do(self, step: Callable[[], Iterable[bytes] | None]) -> None:
        try:
            self.came += step() or ()
        except (OSError, EOFError) as error:
            self.failure = error


class Bench:
    """`run` carries datagrams to and fro until nobody sends any more."""

    def __init__(self, certificate: ServerCertificate = SERVER, limits: DtlsLimits | None = None) -> None:
        self.judge = Judge()
        self.echo = Echo()
        self.events: list[TraceEvent] = []
        self.bugs: list[BaseException] = []
        self.to_device: list[tuple[bytes, SocketAddress]] = []
        self.carried: list[bytes] = []
        """All that devices have sent."""
        trace = Trace()
        trace.listen(self.events.append)
        tools = FrontTools(Midnight(), trace, lambda _, bug: self.bugs.append(bug), count(1).__next__)
        sock = DatagramSocket("coaps", 5684, None, lambda data, address: self.to_device.append((data, address)))
        shown = {**SHOWN, ShownCertificate.OWN: certificate}
        contexts = DtlsContexts(shown.__getitem__)
        self.server = DtlsAssociations(
            self.echo, sock, self.judge, tools, contexts, b"secret", limits or DtlsLimits()  # type: ignore[arg-type]
        )  # fmt: skip
        self.now_s = 0.0
        self.devices: dict[SocketAddress, Device] = {}

    def device(
        self, shown: TlsCredential | None = None, address: SocketAddress = DEVICE, host: str = "localhost",
        trusted: CA = AUTHORITY,
    ) -> Device:  # fmt: skip
        """It begins its handshake. One that was there before at the address has lost its power."""
        device = Device(DtlsClient(ClientTls(trusting(trusted)).of(shown), host), address)
        self.devices[address] = device
        device.do(device.client.start)
        return device

    def shaken(self, shown: TlsCredential | None = None, address: SocketAddress = DEVICE) -> Device:
        device = self.device(shown, address)
        self.run()
        return device

    def verified(self, shown: TlsCredential | None = None, address: SocketAddress = DEVICE) -> Device:
        """It has its cookie, and has not sent it back."""
        device = self.device(shown, address)
        before = self.take_sent()
        self.carry_to_server(device)
        [(verify, _)] = self.take_sent()
        self.to_device += before
        device.hear(verify)
        return device

    def half_open(self, shown: TlsCredential | None = None, address: SocketAddress = DEVICE) -> Device:
        """The server's first flight is on its way."""
        device = self.verified(shown, address)
        self.carry_to_server(device)
        return device

    def run(self) -> None:
        while sum(self.carry_to_server(device) for device in self.devices.values()) or self.to_device:
            self.carry_to_devices()

    def carry_to_devices(self) -> None:
        for data, address in self.take_sent():
            if address in self.devices:
                self.devices[address].hear(data)

    def carry_to_server(self, device: Device) -> bool:
        datagrams = device.client.outgoing()
        self.carried += datagrams
        for data in datagrams:
            self.server.datagram(data, device.address, self.now_s)
        return bool(datagrams)

    def take_sent(self) -> list[tuple[bytes, SocketAddress]]:
        sent, self.to_device[:] = list(self.to_device), []
        return sent

    def reasons(self) -> list[str]:
        return [event.reason.removeprefix("DTLS: ") for event in self.events]
