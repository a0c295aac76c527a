"""A device's MQTT connection against servers that do what no good server does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttVersion,
    PublishAckKind,
)
from fleetrig.simulator.effects import Ask, Await, Connect, Disconnect, Done, NoReply, Outcome, Reply, Tell
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.http import HttpTransport
from fleetrig.simulator.transports.link import Link
from fleetrig.simulator.transports.mqtt import MqttWire, open_mqtt
from fleetrig.simulator.transports.openers import OPENERS
from fleetrig.simulator.transports.storage import Storage
from tests.simulator.transports.test_stream_socket import Authority, Serves, resetting, run, serving

PATIENCE_S = 20.0
"""For what comes: nothing waits so long unless it hangs."""
SHORT_S = 0.05
"""For what does not come."""
TRUSTS_ANYBODY = ClientTls(verify=False).of(None)
CONNECT = MqttConnect("dev")
CONNECT_BYTES = bytes.fromhex("100f 0004 4d515454 04 02 003c 0003 646576")
PINGREQ_BYTES = b"\xc0\x00"
CONNACK = b"\x20\x02\0\0"
PINGRESP = b"\xd0\x00"
PUBLISH = MqttPublish("down", b"x")
PUBLISH_BYTES = b"\x30\x07\0\4downx"


def says(*blocks: bytes, then: Callable[[asyncio.StreamWriter], None] | None = None, hears: int = 0) -> Serves:
    """Hears so many bytes, says these, and ends in that way; it waits for the device's end when there is none."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(hears)
        for block in blocks:
            writer.write(block)
            await writer.drain()
        if then is None:
            await reader.read()
        else:
            then(writer)

    return serve


def closing(writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def wire_to(serves: Serves, version: MqttVersion = MqttVersion.V311) -> AsyncIterator[MqttWire]:
    """A wire on which a CONNECT of that version has gone out."""
    async with serving(serves) as port:
        wire = await open_mqtt(f"mqtt://127.0.0.1:{port}", TRUSTS_ANYBODY)
        try:
            await wire.send(MqttConnect("dev", version=version))
            yield wire
        finally:
            await wire.close()


@asynccontextmanager
async def link_to(
    serves: Serves, *, server_tls: ssl.SSLContext | None = None, device: ClientTls | None = None
) -> AsyncIterator[tuple[Link, Callable[[float], Connect]]]:
    """A link with the openers that are there, and the effect that connects it."""
    async with serving(serves, server_tls) as port:
        tls = TRUSTS_ANYBODY if device is None else device.of(None)
        link = Link(HttpTransport(tls.context, Storage()), OPENERS, tls, "dev", lambda _: None)
        scheme = "mqtt" if server_tls is None else "mqtts"
        try:
            yield link, lambda within_s: Connect("connect", f"{scheme}://127.0.0.1:{port}", CONNECT, within_s)
        finally:
            await link.close()


async def heard(wire: MqttWire) -> list[Envelope | type[BaseException]]:
    """All that comes, and the error that ends it."""
    found: list[Envelope | type[BaseException]] = []
    while True:
        try:
            found.append(await wire.receive())
        except (OSError, EOFError, ValueError) as error:
            return [*found, type(error)]


@pytest.mark.parametrize("version", list(MqttVersion))
def test_nothing_is_said_behind_the_flow_s_back(version: MqttVersion) -> None:
    """No PUBACK, PUBREC, PUBREL or PUBCOMP, no PINGRESP, no second CONNECT, and no end either."""
    is_5 = version is MqttVersion.V5
    no_properties = b"\0" if is_5 else b""
    all_kinds = [
        b"\x20\x03\0\1\0" if is_5 else b"\x20\x02\0\1",  # paho would connect again, with a lower version
        b"\x20\x03\0\2\0" if is_5 else b"\x20\x02\0\2",  # and with another client id
        b"\x32" + bytes([5 + len(no_properties)]) + b"\0\1a\0\7" + no_properties,
        b"\x34" + bytes([5 + len(no_properties)]) + b"\0\1a\0\x08" + no_properties,
        b"\x62\x02\0\x08",
        b"\x50\x02\0\x09",
        b"\x40\x02\0\x0a",
        *([b"\xf0\x00", b"\xe0\x01\x8e"] if is_5 else []),
    ]
    after: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connect = await reader.readexactly(2)
        await reader.readexactly(connect[1])
        writer.write(b"".join(all_kinds))
        after.append(await reader.readexactly(2))
        writer.write(PINGRESP)
        after.append(await reader.read())

    async def test() -> None:
        async with wire_to(serve, version) as wire:
            came = [await wire.receive() for _ in all_kinds]
            await wire.send(MqttPingreq())
            assert await wire.receive() == MqttPingresp()
        assert came == [
            MqttConnack(1),
            MqttConnack(2),
            MqttPublish("a", qos=1, packet_id=7),
            MqttPublish("a", qos=2, packet_id=8),
            MqttPublishAck(PublishAckKind.PUBREL, 8),
            MqttPublishAck(PublishAckKind.PUBREC, 9),
            MqttPublishAck(PublishAckKind.PUBACK, 10),
            *([MqttAuth(), MqttDisconnect(0x8E)] if is_5 else []),
        ]

    run(test())
    assert after == [PINGREQ_BYTES, b""]


def test_a_disconnect_ends_nothing_by_itself() -> None:
    """What the server does then is for the flow to see."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(CONNECT_BYTES) + 2)
        writer.write(PUBLISH_BYTES)

    async def test() -> None:
        async with wire_to(serve) as wire:
            await wire.send(MqttDisconnect())
            assert await heard(wire) == [PUBLISH, EOFError]

    run(test())


@pytest.mark.parametrize(
    ("blocks", "then", "expected"),
    [
        ((CONNACK + PINGRESP[:1],), closing, [MqttConnack(), EOFError]),
        ((CONNACK + PINGRESP[:1],), resetting, [ConnectionResetError]),
        ((CONNACK[:3], CONNACK[3:] + PUBLISH_BYTES[:5]), closing, [MqttConnack(), EOFError]),
        ((CONNACK + PUBLISH_BYTES + b"\0", PUBLISH_BYTES), closing, [MqttConnack(), PUBLISH, ValueError]),
        ((b"HTTP/1.1 400 Bad Request\r\n" * 5,), closing, [ValueError]),
        ((b"",), closing, [EOFError]),
    ],
    ids=["half and closed", "half and reset", "in pieces", "garbage behind packets", "HTTP", "nothing"],
)
def test_how_it_can_end(
    blocks: tuple[bytes, ...], then: Callable[[asyncio.StreamWriter], None], expected: list[object]
) -> None:
    """What was whole before the end comes first; only a reset may take it away."""

    async def test() -> None:
        async with wire_to(says(*blocks, then=then, hears=len(CONNECT_BYTES))) as wire:
            told = await heard(wire)
            assert told == expected or (then is resetting and told[-1:] == expected)
            assert await heard(wire) == expected[-1:], "it stays so"

    run(test())


@pytest.mark.parametrize(
    ("serves", "why"),
    [
        (says(), "timeout"),
        (says(b"", then=closing, hears=1), "closed"),
        (says(b"", then=resetting, hears=1), "reset"),
        (says(CONNACK[:2], then=closing, hears=len(CONNECT_BYTES)), "closed"),
        (says(CONNACK[:2], hears=len(CONNECT_BYTES)), "timeout"),
        (says(b"\x20\x01\0", hears=len(CONNECT_BYTES)), "malformed"),
        (says(PUBLISH_BYTES, hears=len(CONNECT_BYTES)), "timeout"),
    ],
    ids=["silence", "an end", "a reset", "half and an end", "half and silence", "garbage", "something else"],
)
def test_a_connect_without_an_answer(serves: Serves, why: str) -> None:
    async def test() -> None:
        async with link_to(serves) as (link, connect):
            within_s = SHORT_S if why == "timeout" else PATIENCE_S
            assert reason(await link.perform(connect(within_s), within_s)) == why

    run(test())


def test_a_server_that_keeps_everything_to_itself() -> None:
    """Every wait ends on time, the connection serves the next effect, and the server sees its end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        heard_all.append(await reader.read())

    async def test() -> None:
        async with link_to(serve) as (link, connect):
            assert isinstance(await link.perform(connect(PATIENCE_S), PATIENCE_S), Reply)
            for effect in (
                Ask("publish", MqttPublish("up", qos=1), SHORT_S),
                Ask("publish", MqttPublish("up", qos=2), SHORT_S),
                Ask("ping", MqttPingreq(), SHORT_S),
                Await("push", ("PUBLISH*",), SHORT_S, SHORT_S),
            ):
                assert await link.perform(effect, SHORT_S) == NoReply("timeout", SHORT_S)
            assert isinstance(await link.perform(Tell("bye", MqttDisconnect()), PATIENCE_S), Done)
            assert await link.perform(Disconnect(), PATIENCE_S) == Done()

    heard_all: list[bytes] = []
    run(test())
    publishes = b"\x32\x06\0\2up\0\1" + b"\x34\x06\0\2up\0\2"
    assert heard_all == [CONNECT_BYTES + publishes + PINGREQ_BYTES + b"\xe0\0"]


@pytest.mark.parametrize(("trusts", "why"), [(True, ""), (False, "tls")])
def test_over_tls(trusts: bool, why: str) -> None:
    authority = Authority()

    async def test() -> None:
        device = ClientTls(authority.device() if trusts else True)
        async with link_to(says(CONNACK), server_tls=authority.server(), device=device) as (link, connect):
            assert reason(await link.perform(connect(PATIENCE_S), PATIENCE_S)) == why

    run(test())


def test_nobody_listens(free_port: int) -> None:
    async def test() -> None:
        with pytest.raises(ConnectionRefusedError):
            await open_mqtt(f"mqtt://127.0.0.1:{free_port}", TRUSTS_ANYBODY)

    run(test())


@pytest.mark.parametrize("where", ["mqtt://127.0.0.1:99999", "mqtt://[::1", "mqtt://h:x", "mqtt://:1883"])
def test_an_address_that_is_none(where: str) -> None:
    async def test() -> None:
        with pytest.raises(ValueError, match=r"."):
            await open_mqtt(where, TRUSTS_ANYBODY)

    run(test())


def test_what_no_device_sends_is_a_mistake_of_the_flow() -> None:
    async def test() -> None:
        async with wire_to(says()) as wire:
            with pytest.raises(ModelError, match="a device does not send PINGRESP"):
                await wire.send(MqttPingresp())

    run(test())


def reason(outcome: Outcome) -> str:
    return outcome.why if isinstance(outcome, NoReply) else ""
