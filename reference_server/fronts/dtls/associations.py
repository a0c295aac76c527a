"""The DTLS peers of one listener, without I/O: datagrams and the time come in, datagrams go out.

A peer is nothing to the server until it has brought back its cookie (RFC 6347 §4.2.1), and nothing to the front until
its handshake is done. A new handshake from the address of an open association leaves that one alone until it is done
itself (§4.2.8): restarted devices come from their old port.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from fleetrig.reference_server.fronts.datagrams import DatagramReceiver, DatagramSocket, SocketAddress
from fleetrig.reference_server.fronts.dtls.contexts import DtlsContexts, DtlsJudgement
from fleetrig.reference_server.fronts.dtls.engine import DtlsEngine
from fleetrig.reference_server.fronts.dtls.records import (
    APPLICATION_DATA,
    HANDSHAKE,
    RecordHead,
    client_random,
    first_record,
)
from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.tls.failure import TlsFailure
from fleetrig.reference_server.told_garbage import ToldGarbage
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Conversation
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane

TICK_S: Final = 0.1
"""How often those that shake hands are looked at."""
IDLE_TICK_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class DtlsLimits:
    """Where one is reached, the oldest gives way."""

    handshake_s: float = 60.0
    flight_s: float = 1.0
    """A flight that nobody answers is sent again after so long, then after twice as long each time; 1 s at least."""
    shaking: int = 1_000
    """So many peers may be in the middle of a handshake."""
    open: int = 10_000
    """So many associations, 73 KiB each."""
    idle_s: float = 86_400.0
    """How long a peer may say nothing: devices that observe listen for long."""


class DtlsPeer:
    """A `DatagramPeer`: the association with one address, from its cookie on."""

    __slots__ = (
        "_all", "address", "again_after_s", "again_s", "engine", "heard_s", "is_open", "random", "session",
    )  # fmt: skip

    def __init__(self, session: Session, address: SocketAddress, random: bytes, engine: DtlsEngine, heard_s: float,
                 everybody: DtlsAssociations) -> None:  # fmt: skip
        self.session = session
        self.address = address
        self.random = random
        """Of its ClientHello: the same one again is a datagram that was sent twice."""
        self.engine = engine
        self.heard_s = heard_s
        """When the handshake began, then when it last said something."""
        self.is_open = False
        self.again_after_s = 0.0
        """How long its latest flight waits for an answer."""
        self.again_s: float | None = None
        """When that is sent again; None until somebody looks at the clock."""
        self._all = everybody

    def send(self, data: bytes) -> None:
        try:
            self.engine.write(memoryview(data))
        except TlsFailure:
            return  # larger than a record, or after the goodbye: lost
        self._all.flush(self)

    def close(self, ending: Ending) -> None:
        self._all.forget(self)
        if ending is Ending.CLOSED:
            self.engine.end()
            self._all.flush(self)


class DtlsAssociations:
    """Everybody at one socket. `now_s` is of any clock that only goes on; the server gets that of `tools`."""

    def __init__(
        self,
        receiver: DatagramReceiver,
        sock: DatagramSocket,
        server: Conversation,
        tools: FrontTools,
        contexts: DtlsContexts,
        cookie_secret: bytes,
        limits: DtlsLimits,
    ) -> None:
        self._receiver = receiver
        self._sock = sock
        self._server = server
        self._tools = tools
        self._contexts = contexts
        self._cookie_secret = cookie_secret
        self._limits = limits
        self._shaking: dict[SocketAddress, DtlsPeer] = {}
        self._open: dict[SocketAddress, DtlsPeer] = {}
        """Those first that have been silent for the longest time."""
        self._listening = self._new_engine()
        self._garbage = ToldGarbage()

    def datagram(self, data: bytes, address: SocketAddress, now_s: float) -> None:
        head = first_record(data)
        if head is None:
            self._note_garbage(f"a datagram from {address[0]}:{address[1]} is none", now_s)
            return
        random = client_random(data, head)
        peer = self._peer_of(address, head, random)
        if peer is not None:
            self._take(peer, data, now_s)
        elif random is not None:
            self._listen(data, address, random, now_s)
        elif head.content_type == APPLICATION_DATA:  # what is left of a handshake that was refused is not worth a line
            self._note_garbage(f"a datagram from {address[0]}:{address[1]} belongs to no association", now_s)

    def due_in_s(self) -> float | None:
        """When to call `advance`; None while there is nothing to wait for."""
        return TICK_S if self._shaking else IDLE_TICK_S if self._open else None

    def advance(self, now_s: float) -> None:
        """Sends flights again, gives up handshakes that take too long and peers that say nothing any more."""
        for peer in list(self._shaking.values()):
            if now_s - peer.heard_s >= self._limits.handshake_s:
                self._give_up(peer, f"it did not end its handshake within {self._limits.handshake_s:g} s")
            else:
                self._try(peer, partial(self._send_again, peer, now_s))
        while (oldest := _first(self._open)) is not None and now_s - oldest.heard_s >= self._limits.idle_s:
            self._drop(oldest)

    def _send_again(self, peer: DtlsPeer, now_s: float) -> None:
        if peer.again_s is None:
            peer.again_after_s = peer.again_after_s or self._limits.flight_s
            peer.again_s = now_s + peer.again_after_s
        elif now_s >= peer.again_s and peer.engine.send_again():
            peer.again_after_s, peer.again_s = 2 * peer.again_after_s, None

    def close(self) -> None:
        self._shaking.clear()
        self._open.clear()

    def forget(self, peer: DtlsPeer) -> None:
        for peers in (self._shaking, self._open):
            if peers.get(peer.address) is peer:
                del peers[peer.address]

    def flush(self, peer: DtlsPeer) -> None:
        for datagram in peer.engine.datagrams():
            self._sock.send_to(datagram, peer.address)

    # Before an association

    def _new_engine(self) -> DtlsEngine:
        return DtlsEngine(self._contexts, DtlsJudgement(self._server, self._tools.clock, self._cookie_secret))

    def _listen(self, data: bytes, address: SocketAddress, random: bytes, now_s: float) -> None:
        engine = self._listening
        engine.judgement.address = address
        try:
            has_cookie = engine.listen(data)
        except TlsFailure as failure:
            self._listening = self._new_engine()
            self._note_garbage(failure.why, now_s)
            return
        if has_cookie:
            self._listening = self._new_engine()
            self._begin(engine, address, random, now_s)
        else:
            for datagram in engine.datagrams():
                self._sock.send_to(datagram, address)

    def _begin(self, engine: DtlsEngine, address: SocketAddress, random: bytes, now_s: float) -> None:
        sock = self._sock
        session = Session(address[0], sock.local_port, self._tools.next_session_id(), sock.listener, tls=True)
        peer = DtlsPeer(session, address, random, engine, now_s, self)
        engine.judgement.session = session
        engine.show(self._server.shown_certificate(session, self._tools.clock.now_us()))
        self._shaking.pop(address, None)
        if len(self._shaking) >= self._limits.shaking and (oldest := _first(self._shaking)) is not None:
            self._give_up(oldest, f"{self._limits.shaking} others are in the middle of a handshake")
        self._shaking[address] = peer
        self._take(peer, b"", now_s)
        engine.judgement.session = replace(session, server_name=engine.server_name)  # the hello has been read now

    # The datagrams of a peer

    def _peer_of(self, address: SocketAddress, head: RecordHead, random: bytes | None) -> DtlsPeer | None:
        """Whose datagram it is, where there may be two: the one whose handshake it belongs to."""
        shaking, is_open = self._shaking.get(address), self._open.get(address)
        if random is not None:
            return next((peer for peer in (shaking, is_open) if peer is not None and peer.random == random), None)
        if shaking is None or (is_open is not None and head.epoch and head.content_type != HANDSHAKE):
            return is_open
        return shaking

    def _take(self, peer: DtlsPeer, data: bytes, now_s: float) -> None:
        if data:
            peer.engine.feed(data)
        self._try(peer, lambda: self._go_on(peer, now_s))

    def _go_on(self, peer: DtlsPeer, now_s: float) -> None:
        if not peer.is_open:
            if not peer.engine.shake():
                return
            self.flush(peer)
            self._open_up(peer, now_s)
        self._read(peer, now_s)

    def _open_up(self, peer: DtlsPeer, now_s: float) -> None:
        self.forget(peer)
        before = self._open.get(peer.address)
        if before is None and len(self._open) >= self._limits.open:
            before = _first(self._open)
        if before is not None:
            self._drop(before)
        peer.session = peer.engine.judgement.session
        peer.is_open, peer.heard_s = True, now_s
        self._open[peer.address] = peer
        self._receiver.peer_opened(peer)

    def _read(self, peer: DtlsPeer, now_s: float) -> None:
        while self._open.get(peer.address) is peer and (data := peer.engine.read()) is not None:
            if not data:
                peer.engine.end()
                self.flush(peer)
                self._drop(peer)
                return
            self._open[peer.address] = self._open.pop(peer.address)
            peer.heard_s = now_s
            self._receiver.received(peer, data)

    # Ends

    def _try(self, peer: DtlsPeer, step: Callable[[], None]) -> None:
        try:
            step()
        except TlsFailure as failure:
            self._fail(peer, failure)
        else:
            self.flush(peer)

    def _fail(self, peer: DtlsPeer, failure: TlsFailure) -> None:
        judgement = peer.engine.judgement
        if not judgement.is_silent:
            self.flush(peer)  # an alert says why
        if peer.is_open:
            self._drop(peer)
            return
        self.forget(peer)
        if judgement.bug is not None:
            self._tools.on_bug(None, judgement.bug)
        elif judgement.alert is None and not judgement.is_silent:  # else the server has said why
            self._note(failure, peer.session.id)

    def _give_up(self, peer: DtlsPeer, why: str) -> None:
        self.forget(peer)
        hint = "; its pre-shared key may be a wrong one" if peer.engine.judgement.session.psk_identity else ""
        self._note(TlsFailure("refused", why + hint), peer.session.id)

    def _drop(self, peer: DtlsPeer) -> None:
        """The end of an open association that the front does not know of yet."""
        self.forget(peer)
        self._receiver.peer_closed(peer)

    def _note_garbage(self, why: str, now_s: float) -> None:
        reason = self._garbage.reason(why, int(now_s * US_PER_S))
        if reason is not None:
            self._note(TlsFailure("malformed", reason))

    def _note(self, failure: TlsFailure, session: int = 0) -> None:
        self._tools.trace.emit(
            self._tools.clock.now_us(), Lane.NETWORK, failure.kind, reason=f"DTLS: {failure.why}",
            name=self._sock.listener, session=session,
        )  # fmt: skip


def _first(peers: dict[SocketAddress, DtlsPeer]) -> DtlsPeer | None:
    return next(iter(peers.values()), None)
