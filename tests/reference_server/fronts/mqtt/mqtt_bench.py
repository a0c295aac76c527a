"""A platform that does what a test says, served over MQTT, and a client that is nothing but a socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from fleetrig.reference_server.fronts.http.socket_endings import LINGER_ZERO
from fleetrig.reference_server.fronts.mqtt.front import MqttFront
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.mqtt_limits import MqttLimits
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttVersion,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.undecodable import Undecodable
from tests.reference_server.echo import ServerBench, running, traced, until
from tests.reference_server.fronts.peer import LIMIT_S
from tests.reference_server.mqtt_codec.client_wire import V311, ServerBytes, to_server

Answer = Callable[[Session, Envelope], Sequence[Output]]


def welcome(session: Session, envelope: Envelope) -> Sequence[Output]:
    """Accepts every CONNECT, answers pings, closes after what cannot be decoded and after a DISCONNECT."""
    match envelope:
        case MqttConnect():
            return (Send(session.id, MqttConnack()),)
        case MqttPingreq():
            return (Send(session.id, MqttPingresp()),)
        case MqttDisconnect() | Undecodable():
            return (Close(session.id),)
        case _:
            return ()


@dataclass
class Scripted:
    """A `SessionPlatform`: `answer` says what it does; what `welcome` does where that says None."""

    answer: Callable[[Session, Envelope], Sequence[Output] | None] = lambda session, envelope: None
    mqtt_limits: MqttLimits = MqttLimits()  # noqa: RUF009 (it is frozen)
    opening: Callable[[Session], Sequence[Output]] = lambda session: ()
    came: list[tuple[int, Envelope]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    name: str = "scripted"

    def opened(self, session: Session, now_us: int) -> Reaction:
        self.sessions.append(session)
        return Reaction(self.opening(session))

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        self.came.append((session.id, envelope))
        outputs = self.answer(session, envelope)
        return Reaction(welcome(session, envelope) if outputs is None else outputs)

    def closed(self, session: Session, now_us: int) -> Reaction:
        self.gone.append(session.id)
        return NOTHING

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return ()

    def secrets(self) -> list[tuple[str, str]]:
        return []


class MqttPeer:
    """`say` sends, `hear` waits for the next packet, for `LIMIT_S` at most."""

    def __init__(self, port: int, version: MqttVersion = V311, tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.version = version
        self._wire = ServerBytes(b"", version)
        self._heard: list[MqttPacket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def connect(self, client_id: str = "gw-1", password: str = "") -> str:
        self.say(MqttConnect(client_id, "user", password.encode(), version=self.version))
        return self.hear().line

    def say(self, *packets: MqttPacket) -> None:
        self.socket.sendall(b"".join(to_server(one, self.version) for one in packets))

    def hear(self) -> MqttPacket:
        """Raises EOFError when the server closes, ConnectionResetError when it resets."""
        while not self._heard:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError("closed")
            self._wire.data += data
            self._heard = self._wire.packets()
        return self._heard.pop(0)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self.socket.close()

    def is_served(self) -> bool:
        self.say(MqttPingreq())
        return self.hear() == MqttPingresp()

    def rest(self) -> bytes:
        """All that comes until the server closes. Raises ConnectionResetError when it resets."""
        data, self._wire.data = self._wire.data, b""
        while more := self.socket.recv(1 << 16):
            data += more
        return data


@dataclass
class MqttBench:
    server: ReferenceServer
    bench: ServerBench
    platform: Any
    events: list[TraceEvent]
    listener: str = "mqtt"

    @property
    def port(self) -> int:
        return self.server.addresses[self.platform.name][self.listener].port

    def peer(self, version: MqttVersion = V311, tls: ssl.SSLContext | None = None) -> MqttPeer:
        """`tls`: what a client over TLS shows and trusts; without it, nothing and the server's throw-away authority."""
        if self.listener == "mqtts" and tls is None:
            tls = ssl.create_default_context(cafile=str(self.server.ca))
        return MqttPeer(self.port, version, tls)

    @property
    def front(self) -> MqttFront:
        (front,) = self.server._scheduler._fronts
        assert isinstance(front, MqttFront)
        return front

    def is_reading(self, session: int) -> bool:
        return self.front._connections[session].transport.is_reading()

    def network(self) -> list[tuple[str, str, str]]:
        """(kind, fault, reason) of what stands in the network lane."""
        return [(one.kind, one.fault, one.reason) for one in self.events if one.lane is Lane.NETWORK]

    def reasons(self, session: int = 1) -> list[str]:
        """Why, as the network lane says it, of one session."""
        return [one.reason for one in self.events if one.lane is Lane.NETWORK and one.session == session]

    def has_received(self, line: str) -> bool:
        """A packet of that line has come, of whomever."""
        return any(one.kind == "received" and one.envelope is not None and one.envelope.line == line
                   for one in list(self.events))  # fmt: skip

    def is_gone(self, session: int = 1) -> None:
        """Waits until the platform has heard that a session is over."""
        until(lambda: session in self.platform.gone)


@contextmanager
def mqtt_served(
    platform: Any, listeners: Sequence[str] = ("mqtt",), client_auth: ClientAuth = ClientAuth.NONE, **options: Any
) -> Iterator[MqttBench]:
    def build(store: Store, blobs: Blobs, entropy: Entropy) -> Any:
        return platform

    with running() as bench:
        trace, events = traced()
        served = PlatformOptions(platform.name, build, dict.fromkeys(listeners, ANY_LOOPBACK_PORT), client_auth)
        server = bench.run(ReferenceServer(ServerOptions((served,), **options), trace))
        yield MqttBench(server, bench, platform, events, listeners[0])
        assert server.bugs == []
