"""A device's MQTT connection with a broker that nobody here wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    MqttWill,
    Properties,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.connection import Connection
from fleetrig.simulator.transports.lost_connection import why_no_connection
from fleetrig.simulator.transports.mqtt import MqttWire, open_mqtt
from tests.simulator.transports.mosquitto import PASSWORD, USER, Mosquitto, running_mosquitto
from tests.simulator.transports.test_stream_socket import Authority, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

V31, V311, V5 = MqttVersion
PUBACK, PUBREC, PUBREL, PUBCOMP = PublishAckKind
NOBODY = ClientTls(verify=False).of(None)
BYE = MqttDisconnect()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path_factory.mktemp("mosquitto"), authority.ca) as mosquitto:
        yield mosquitto


@asynccontextmanager
async def device(port: int, connect: MqttConnect) -> AsyncIterator[tuple[MqttWire, MqttConnack]]:
    """A device that has sent its CONNECT, and the answer."""
    wire = await open_mqtt(f"mqtt://127.0.0.1:{port}", NOBODY)
    try:
        await wire.send(connect)
        connack = await wire.receive()
        assert isinstance(connack, MqttConnack)
        yield wire, connack
    finally:
        await wire.close()


async def exchanged(wire: MqttWire, *packets: MqttPacket, answers: int) -> list[MqttPacket]:
    """Sends these; what comes first."""
    for packet in packets:
        await wire.send(packet)
    return [await wire.receive() for _ in range(answers)]  # type: ignore[misc]


def with_properties(version: MqttVersion, *properties: tuple[str, int | str]) -> Properties:
    return properties if version is V5 else ()


@pytest.mark.parametrize("version", list(MqttVersion))
def test_a_whole_day(broker: Mosquitto, version: MqttVersion) -> None:
    """All that a device may say, every QoS in both directions, packet ids as the flow has chosen them."""
    connect = MqttConnect(
        f"day-{version}", "some user", None, keep_alive_s=0, version=version,
        properties=with_properties(version, ("session_expiry_interval", 30), ("receive_maximum", 5)),
    )  # fmt: skip
    topic = f"day/{version}"

    async def test() -> None:
        async with device(broker.port, connect) as (wire, connack):
            assert (connack.code, connack.session_present) == (0, False)
            wanted = (Subscription(topic, 2), Subscription("day/+/x", 1))
            assert await exchanged(wire, MqttSubscribe(wanted, 40_000), answers=1) == [MqttSuback(40_000, (2, 1))]
            assert await exchanged(wire, MqttPublish(topic, b"0"), answers=1) == [MqttPublish(topic, b"0")]
            came = await exchanged(wire, MqttPublish(topic, b"1", 1, packet_id=65_535), answers=2)
            assert sorted(one.line for one in came) == ["PUBACK", f"PUBLISH {topic}"]
            await acknowledge(wire, came)
            assert await exchanged(wire, MqttPublish(topic, b"2", 2, packet_id=9), answers=1) == [
                MqttPublishAck(PUBREC, 9)
            ]
            came = await exchanged(wire, MqttPublishAck(PUBREL, 9), answers=2)
            assert sorted(one.line for one in came) == ["PUBCOMP", f"PUBLISH {topic}"]
            number = await acknowledge(wire, came)
            assert await exchanged(wire, answers=1) == [MqttPublishAck(PUBREL, number)]
            await wire.send(MqttPublishAck(PUBCOMP, number))
            unsubscribe = MqttUnsubscribe((topic, "never/subscribed"), 40_001)
            codes = (0, 17) if version is V5 else ()
            assert await exchanged(wire, unsubscribe, answers=1) == [MqttUnsuback(40_001, codes)]
            assert await exchanged(wire, MqttPingreq(), answers=1) == [MqttPingresp()]
            await wire.send(BYE)
            with pytest.raises(EOFError):
                await wire.receive()

    run(test())


async def acknowledge(wire: MqttWire, came: list[MqttPacket]) -> int:
    """Answers the PUBLISH among these; its packet id."""
    (publish,) = [one for one in came if isinstance(one, MqttPublish)]
    await wire.send(MqttPublishAck(PUBACK if publish.qos == 1 else PUBREC, publish.packet_id))
    return publish.packet_id


@pytest.mark.parametrize("version", list(MqttVersion))
def test_a_will_comes_true(broker: Mosquitto, version: MqttVersion) -> None:
    properties = with_properties(version, ("content_type", "text/plain"))
    will = MqttWill(f"will/{version}", b"gone", 1, properties=properties)

    async def test() -> None:
        async with device(broker.port, MqttConnect(f"heir-{version}", version=version)) as (heir, _):
            await exchanged(heir, MqttSubscribe((Subscription(will.topic, 0),), 1), answers=1)
            async with device(broker.port, MqttConnect(f"gone-{version}", version=version, will=will)):
                pass
            assert await heir.receive() == MqttPublish(will.topic, b"gone", properties=properties)

    run(test())


def test_what_is_not_acknowledged_comes_again(broker: Mosquitto) -> None:
    """Nobody here has acknowledged it for the flow, and the broker has kept the session."""
    connect = MqttConnect("again", clean_start=False)

    async def test() -> None:
        async with device(broker.port, connect) as (wire, first):
            await exchanged(wire, MqttSubscribe((Subscription("again", 1),), 1), answers=1)
            came = await exchanged(wire, MqttPublish("again", b"x", 1, packet_id=2), answers=2)
            (publish,) = [one for one in came if isinstance(one, MqttPublish)]
        async with device(broker.port, connect) as (wire, second):
            assert (first.session_present, second.session_present) == (False, True)
            assert await wire.receive() == MqttPublish("again", b"x", 1, dup=True, packet_id=publish.packet_id)
            await wire.send(MqttPublishAck(PUBACK, publish.packet_id))
            await exchanged(wire, MqttPingreq(), answers=1)
        async with device(broker.port, connect) as (wire, _):
            assert await exchanged(wire, MqttPingreq(), answers=1) == [MqttPingresp()]

    run(test())


def test_a_broker_says_why_it_ends_a_connection(broker: Mosquitto) -> None:
    async def test() -> None:
        async with device(broker.port, MqttConnect("wrong", version=V5)) as (wire, _):
            await wire.send(MqttPublish("a/+/b"))
            assert await wire.receive() == MqttDisconnect(0x82)

    run(test())


@pytest.mark.parametrize(("version", "code"), [(V31, 5), (V311, 5), (V5, 0x87)])
def test_a_wrong_password(broker: Mosquitto, version: MqttVersion, code: int) -> None:
    async def test() -> None:
        for password, expected in ((PASSWORD, 0), ("wrong", code)):
            connect = MqttConnect("user", USER, password.encode(), version=version)
            async with device(broker.password_port, connect) as (_, connack):
                assert connack.code == expected

    run(test())


def test_an_empty_client_id(broker: Mosquitto) -> None:
    async def test() -> None:
        async with device(broker.port, MqttConnect("", version=V5)) as (_, connack):
            assert "assigned_client_identifier" in dict(connack.properties)
        async with device(broker.port, MqttConnect("")) as (_, connack):
            assert connack.code == 0
        async with device(broker.port, MqttConnect("", clean_start=False)) as (_, connack):
            assert connack.code == 2, "3.1.1 refuses it, and nobody here tries another one"

    run(test())


def test_a_device_answers_mosquitto_rr(broker: Mosquitto) -> None:
    """Properties both ways: the response topic and the correlation data of the request."""

    async def test() -> None:
        async with device(broker.port, MqttConnect("answers", version=V5)) as (wire, _):
            await exchanged(wire, MqttSubscribe((Subscription("question"),), 1), answers=1)
            asks = ("-V", "mqttv5", "-t", "question", "-e", "answer/7", "-m", "how?", "-W", "20")
            more = ("-D", "publish", "correlation-data", "42", "-D", "publish", "user-property", "a", "1")
            asked = asyncio.get_running_loop().run_in_executor(None, broker.client, "rr", *asks, *more)
            question = await wire.receive()
            assert isinstance(question, MqttPublish)
            properties = dict(question.properties)
            assert properties == {
                "response_topic": "answer/7", "correlation_data": b"42", "user_property": ("a", "1")
            }  # fmt: skip
            correlation = ("correlation_data", properties["correlation_data"])
            await wire.send(MqttPublish("answer/7", b"so", properties=(correlation,)))
            assert (await asked).stdout == "so\n"

    run(test())


def test_what_mosquitto_pub_left_is_retained(broker: Mosquitto) -> None:
    assert broker.client("pub", "-t", "kept", "-m", "x", "-r", "-q", "1").returncode == 0

    async def test() -> None:
        async with device(broker.port, MqttConnect("later")) as (wire, _):
            _, kept = await exchanged(wire, MqttSubscribe((Subscription("kept"),), 1), answers=2)
            assert kept == MqttPublish("kept", b"x", retain=True)

    run(test())


def test_a_publish_before_a_connect(broker: Mosquitto) -> None:
    async def test() -> None:
        wire = await open_mqtt(f"mqtt://127.0.0.1:{broker.port}", NOBODY)
        await wire.send(MqttPublish("early"))
        with pytest.raises((EOFError, ConnectionError)):
            await wire.receive()
        await wire.close()

    run(test())


@pytest.mark.parametrize(("shows", "trusts", "host", "why"), [
    (True, True, "127.0.0.1", ""),
    (True, True, "localhost", ""),
    (False, True, "127.0.0.1", "tls"),
    (True, False, "127.0.0.1", "tls"),
])  # fmt: skip
def test_mutual_tls(broker: Mosquitto, authority: Authority, shows: bool, trusts: bool, host: str, why: str) -> None:
    context = authority.device(authority.ca if shows else None)
    tls = ClientTls(context if trusts else True).of(None)

    async def test() -> str:
        try:
            wire = await open_mqtt(f"mqtts://{host}:{broker.tls_port}", tls)
        except OSError as error:
            return why_no_connection(error)
        connection = Connection(host, wire, lambda _: None)
        try:
            return (await connection.ask(MqttConnect("secure"), lambda: None)).line
        except OSError as error:
            return why_no_connection(error)
        finally:
            await connection.close()

    outcome: list[str] = []

    async def tried() -> None:
        outcome.append(await test())

    run(tried())
    assert outcome == [why or "CONNACK 0"]
