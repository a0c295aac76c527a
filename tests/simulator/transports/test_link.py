"""A device's connection in real time, over sockets: what comes of each effect, and of everything that can go wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from fleetrig.reference_server.fronts.http.socket_endings import reset
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    PublishAckKind,
)
from fleetrig.simulator.effects import Ask, Await, Connect, Disconnect, Done, NoReply, Outcome, Reply, Tell
from fleetrig.simulator.transports.client_tls import ClientTls, DeviceTls
from fleetrig.simulator.transports.connection import Connection, Opener, Wire
from fleetrig.simulator.transports.http import HttpTransport
from fleetrig.simulator.transports.inbox import INBOX_LIMIT
from fleetrig.simulator.transports.link import Link
from fleetrig.simulator.transports.lost_connection import why_no_connection
from fleetrig.simulator.transports.storage import Storage
from tests.conversation.toy_front import FrameReader, to_frame
from tests.conversation.toy_link import open_toy

PATIENCE_S = 20.0
"""For what comes: nothing waits so long unless it hangs."""
SHORT_S = 0.05
"""For what does not come."""
PING = Ask("ping", MqttPingreq(), PATIENCE_S)
LISTEN = Await("push", ("PUBLISH down",), PATIENCE_S, PATIENCE_S)
PUSH = MqttPublish("down", b"hello")

Serves = Callable[["Peer"], Awaitable[None]]


@dataclass
class Peer:
    """The other end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: FrameReader = field(default_factory=FrameReader)
    heard: list[Envelope] = field(default_factory=list)

    async def hear(self) -> Envelope:
        while not self.heard:
            data = await self.reader.read(1 << 16)
            if not data:
                raise EOFError
            self.heard += self.frames.feed(data)
        return self.heard.pop(0)

    def say(self, *envelopes: Envelope) -> None:
        self.writer.write(b"".join(map(to_frame, envelopes)))

    def reset(self) -> None:
        assert isinstance(self.writer.transport, asyncio.Transport)
        reset(self.writer.transport)


@dataclass
class Bench:
    link: Link
    where: str
    dropped: list[Envelope]

    async def perform(self, effect: Connect | Ask | Tell | Await | Disconnect, within_s: float = PATIENCE_S) -> Outcome:
        return await self.link.perform(effect, within_s)

    async def connect(self, envelope: MqttConnect | None = None, within_s: float = PATIENCE_S) -> Outcome:
        return await self.perform(Connect("connect", self.where, envelope, within_s), within_s)


@asynccontextmanager
async def connected(serves: Serves, **openers: Opener) -> AsyncIterator[Bench]:
    """A link, and a server that does `serves` with each connection."""
    peers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peers.add(task)
        try:
            await serves(Peer(reader, writer))
        except (EOFError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dropped: list[Envelope] = []
    tls = ClientTls(True).of(None)
    http = HttpTransport(tls.context, Storage())
    link = Link(http, {"toy": open_toy, "coap": open_coap, **openers}, tls, "dev-1", dropped.append)
    try:
        yield Bench(link, f"toy://127.0.0.1:{port}", dropped)
    finally:
        await link.close()
        server.close()
        await asyncio.gather(*peers, return_exceptions=True)


async def open_coap(where: str, tls: DeviceTls) -> Wire:
    return await open_toy(where.replace("coap://", "toy://"), tls)


async def answering(peer: Peer) -> None:
    """As a broker would."""
    while True:
        match await peer.hear():
            case MqttConnect():
                peer.say(MqttConnack())
            case MqttPingreq():
                peer.say(MqttPingresp())
            case MqttPublish(qos=1, packet_id=number):
                peer.say(MqttPublishAck(PublishAckKind.PUBACK, number))
            case CoapRequest(token=token):
                peer.say(CoapResponse("2.05", token=token))


def lines(outcomes: list[Outcome]) -> list[str]:
    """`PINGRESP`, `done`, or why there was no reply."""
    return [
        outcome.envelope.line if isinstance(outcome, Reply) else getattr(outcome, "why", "done") for outcome in outcomes
    ]


def performed(serves: Serves, *effects: Ask | Tell | Await | Disconnect, within_s: float = PATIENCE_S) -> list[str]:
    """What comes of effects after a connection stands."""

    async def main() -> list[Outcome]:
        async with connected(serves) as bench:
            assert isinstance(await bench.connect(), Done)
            return [await bench.perform(effect, within_s) for effect in effects]

    return lines(asyncio.run(main()))


def test_answers_find_their_questions() -> None:
    publish = Ask("publish", MqttPublish("up", qos=1), PATIENCE_S)
    told = performed(answering, PING, publish, Tell("up", MqttPublish("up")), publish, PING, Disconnect())
    assert told == ["PINGRESP", "PUBACK", "done", "PUBACK", "PINGRESP", "done"]


def test_packet_ids_are_chosen_by_the_connection() -> None:
    ids: list[int] = []

    async def noting(peer: Peer) -> None:
        while isinstance(publish := await peer.hear(), MqttPublish):
            ids.append(publish.packet_id)
            peer.say(MqttPublishAck(PublishAckKind.PUBACK, publish.packet_id))

    publish = Ask("publish", MqttPublish("up", qos=1), PATIENCE_S)
    assert performed(noting, publish, publish) == ["PUBACK", "PUBACK"]
    assert ids == [1, 2]


def test_what_comes_meanwhile_waits_in_the_inbox() -> None:
    async def talking(peer: Peer) -> None:
        await peer.hear()
        peer.say(MqttPublish("other"), PUSH, MqttPingresp(), PUSH)
        await peer.hear()

    assert performed(talking, PING, LISTEN, LISTEN) == ["PINGRESP", "PUBLISH down", "PUBLISH down"]


def test_a_late_answer_waits_in_the_inbox() -> None:
    async def slow(peer: Peer) -> None:
        await peer.hear()
        await peer.hear()
        peer.say(MqttPingresp())
        await peer.hear()

    async def main() -> list[Outcome]:
        async with connected(slow) as bench:
            await bench.connect()
            late = await bench.perform(PING, SHORT_S)
            await bench.perform(Tell("up", MqttPublish("up")))
            return [late, await bench.perform(Await("late", ("PINGRESP",), 0.0, 0.0))]

    assert lines(asyncio.run(main())) == ["timeout", "PINGRESP"]


def test_a_full_inbox_drops_the_oldest() -> None:
    async def flooding(peer: Peer) -> None:
        await peer.hear()
        peer.say(*[MqttPublish(f"down/{n}") for n in range(INBOX_LIMIT + 2)], MqttPingresp())
        await peer.hear()

    async def main() -> tuple[list[str], list[Envelope]]:
        async with connected(flooding) as bench:
            await bench.connect()
            outcomes = [await bench.perform(PING), await bench.perform(Await("first", ("*",), 0.0, 0.0))]
            return lines(outcomes), bench.dropped

    told, dropped = asyncio.run(main())
    assert told == ["PINGRESP", "PUBLISH down/2"]
    assert dropped == [MqttPublish("down/0"), MqttPublish("down/1")]


def test_nothing_comes() -> None:
    async def main() -> Outcome:
        async with connected(answering) as bench:
            await bench.connect()
            return await bench.perform(LISTEN, SHORT_S)

    assert asyncio.run(main()) == NoReply("timeout", SHORT_S)


async def says_goodbye(peer: Peer) -> None:
    await peer.hear()
    peer.say(PUSH)


async def resets(peer: Peer) -> None:
    await peer.hear()
    peer.reset()


async def babbles(peer: Peer) -> None:
    await peer.hear()
    peer.writer.write(b"\0\0\0\1?")


@pytest.mark.parametrize(
    ("serves", "expected"),
    [
        (says_goodbye, ["closed", "PUBLISH down", "closed", "closed", "closed", "done"]),
        (resets, ["reset"] * 5 + ["done"]),
        (babbles, ["malformed"] * 5 + ["done"]),
    ],
)
def test_the_other_side_ends_it(serves: Serves, expected: list[str]) -> None:
    """What had come before is still there; then everything says why there is nothing any more, until Disconnect."""
    said = performed(serves, PING, LISTEN, LISTEN, Tell("up", MqttPublish("up")), PING, Disconnect())
    assert said == expected


def test_nothing_goes_without_a_connection() -> None:
    async def main() -> list[Outcome]:
        async with connected(answering) as bench:
            return [await bench.perform(effect) for effect in (PING, LISTEN, Tell("up", PUSH), Disconnect())]

    assert lines(asyncio.run(main())) == ["closed", "closed", "closed", "done"]


def test_connect_says_its_first_word() -> None:
    async def main() -> list[Outcome]:
        async with connected(answering) as bench:
            return [await bench.connect(MqttConnect("dev-1")), await bench.perform(PING)]

    assert lines(asyncio.run(main())) == ["CONNACK 0", "PINGRESP"]


def test_a_connection_that_does_not_come_about_is_closed() -> None:
    heard: list[str] = []

    async def mute(peer: Peer) -> None:
        try:
            while True:
                heard.append((await peer.hear()).line)
        finally:
            heard.append("closed")

    async def main() -> list[Outcome]:
        async with connected(mute) as bench:
            return [await bench.connect(MqttConnect("dev-1"), SHORT_S), await bench.perform(PING)]

    assert lines(asyncio.run(main())) == ["timeout", "closed"]
    assert heard == ["CONNECT dev-1", "closed"]


def test_a_port_where_nobody_listens() -> None:
    async def main() -> Outcome:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        async with connected(answering) as bench:
            return await bench.perform(Connect("connect", f"toy://127.0.0.1:{port}", None, PATIENCE_S))

    assert lines([asyncio.run(main())]) == ["refused"]


def test_coap_opens_its_endpoint_by_itself() -> None:
    async def main() -> list[Outcome]:
        async with connected(answering) as bench:
            get = Ask("get", CoapRequest("GET", bench.where.replace("toy", "coap"), "/a"), PATIENCE_S)
            return [await bench.perform(get), await bench.perform(get)]

    assert lines(asyncio.run(main())) == ["2.05", "2.05"]


def test_connecting_twice_and_to_what_nobody_can_open() -> None:
    async def main() -> None:
        async with connected(answering) as bench:
            with pytest.raises(ModelError, match=r"dev-1 connects to mqtts://h:8883, .* only coap, http, https, toy"):
                await bench.perform(Connect("connect", "mqtts://h:8883", None, PATIENCE_S))
            await bench.connect()
            with pytest.raises(ModelError, match="while it is connected to toy://127"):
                await bench.connect()

    asyncio.run(main())


def test_what_is_out_is_out() -> None:
    """`on_sent` is called before the answer can have come."""
    order: list[str] = []

    async def main() -> None:
        async with connected(answering) as bench:
            for effect in (Connect("connect", bench.where, MqttConnect(), PATIENCE_S), PING, Tell("up", PUSH)):
                await bench.link.perform(effect, PATIENCE_S, lambda: order.append("sent"))
                order.append(type(effect).__name__)

    asyncio.run(main())
    assert order == ["sent", "Connect", "sent", "Ask", "sent", "Tell"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (TimeoutError(), "timeout"),
        (EOFError(), "closed"),
        (ssl.SSLError(), "tls"),
        (ConnectionRefusedError(), "refused"),
        (ConnectionResetError(), "reset"),
        (BrokenPipeError(), "reset"),
        (OSError(113, "No route to host"), "unreachable"),
        (ValueError(), "malformed"),
    ],
)
def test_every_failure_has_its_word(error: Exception, why: str) -> None:
    assert why_no_connection(error) == why


def test_power_off_in_the_middle_closes_it() -> None:
    ended: list[str] = []

    async def listening(peer: Peer) -> None:
        try:
            await peer.hear()
        except EOFError:
            ended.append("closed")

    async def main() -> None:
        async with connected(listening) as bench:
            await bench.connect()
            waiting = asyncio.create_task(bench.perform(LISTEN))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(main())
    assert ended == ["closed"]


class QueueWire:
    """A wire whose other end is the test, for moments that no socket can be made to hit."""

    def __init__(self) -> None:
        self.comes: asyncio.Queue[Envelope] = asyncio.Queue()
        self.is_closed = False
        self.given_up: list[Envelope] = []

    async def send(self, envelope: Envelope) -> None:
        pass

    async def receive(self) -> Envelope:
        return await self.comes.get()

    def give_up(self, request: Envelope) -> None:
        self.given_up.append(request)

    async def close(self) -> None:
        self.is_closed = True


def test_who_is_switched_off_while_it_hangs_up_has_hung_up() -> None:
    """Or its socket would stay open until nobody knows of it any more."""

    async def main() -> bool:
        connection = Connection("toy://h", wire := QueueWire(), lambda lost: None)
        await asyncio.sleep(0)
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        return wire.is_closed

    assert asyncio.run(main())


def test_a_wire_hears_when_nobody_waits_for_an_answer_any_more() -> None:
    async def main() -> list[Envelope]:
        wire = QueueWire()
        connection = Connection("toy://h", wire, lambda lost: None)
        wire.comes.put_nowait(MqttPingresp())
        await connection.ask(MqttPingreq(), lambda: None)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await connection.ask(MqttPublish("a", qos=1), lambda: None)
        await connection.close()
        return wire.given_up

    assert asyncio.run(main()) == [MqttPublish("a", qos=1, packet_id=1)]


@pytest.mark.parametrize("first", ["message", "end of patience"])
def test_what_comes_at_the_very_moment_when_patience_ends_is_kept(first: str) -> None:
    """Before the waiting task runs again, both have happened."""

    async def main() -> Envelope:
        wire = QueueWire()
        connection = Connection("toy://h", wire, lambda lost: None)
        waiting = asyncio.create_task(connection.wait_for(("*",)))
        for _ in range(3):  # both tasks stand where they wait
            await asyncio.sleep(0)
        wire.comes.put_nowait(PUSH)
        if first == "message":
            asyncio.get_running_loop().call_soon(waiting.cancel)
        else:
            waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert connection.ended is None
        came = await connection.wait_for(("*",))
        await connection.close()
        return came

    assert asyncio.run(asyncio.wait_for(main(), PATIENCE_S)) == PUSH
