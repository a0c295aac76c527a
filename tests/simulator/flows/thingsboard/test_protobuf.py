"""Protobuf of a device: the bytes of the spec (1.5) and of recordings of a real server, and anything else."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.flows.thingsboard.credentials import AccessToken, MqttBasic, OwnCertificate, ProvisionKey
from fleetrig.simulator.flows.thingsboard.messages import ProvisionReply, Status, read_reply
from fleetrig.simulator.flows.thingsboard.protobuf import encode_request
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.simulator.flows.thingsboard.hand import COAP, HTTP, MQTT, Hand


def read(data: bytes) -> ProvisionReply | None:
    return read_reply(data, is_protobuf=True)


def test_a_request_as_it_was_recorded() -> None:
    """S37."""
    written = encode_request(ProvisionKey("nobody", "x"), None, "", is_gateway=False)
    assert written.hex() == "1a0b0a066e6f626f6479120178"


@pytest.mark.parametrize(
    ("own", "is_gateway", "behind"),
    [
        (AccessToken("t"), False, "22050a030a0174"),
        (OwnCertificate("h"), False, "22051203 0a0168"),
        (MqttBasic("c", "u", "p"), False, "220b1a09 0a0163 120175 1a0170"),
        (MqttBasic("", "u"), False, "22051a03 120175"),
        (None, True, "2801"),
    ],
)
def test_what_a_request_holds_besides(own: Any, is_gateway: bool, behind: str) -> None:
    kind = {OwnCertificate: "1001", MqttBasic: "1002"}.get(type(own), "")
    written = encode_request(ProvisionKey("K", "S"), own, "d", is_gateway=is_gateway)
    assert written == bytes.fromhex("0a0164" + kind + "1a06 0a014b 120153" + behind)


def test_long_texts_have_long_lengths() -> None:
    written = encode_request(ProvisionKey("K", "S"), OwnCertificate("h" * 1_000), "", is_gateway=False)
    assert bytes.fromhex("0ae807") + b"h" * 1_000 in written


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        ("0802", ProvisionReply(Status.NOT_FOUND)),
        ("0803", ProvisionReply(Status.FAILURE)),
        ("08011a03616263", ProvisionReply(Status.SUCCESS, AccessToken("abc"))),
        ("1a036162630801", ProvisionReply(Status.SUCCESS, AccessToken("abc"))),
        ("080110011a0161", ProvisionReply(Status.SUCCESS, OwnCertificate())),
        ("080110021a14" + b'{"userName":"u","x":'.hex(), None),
        ("080110021a10" + b'{"userName":"u"}'.hex(), ProvisionReply(Status.SUCCESS, MqttBasic("", "u"))),
        ("4a0178 5000 5d01020304 610102030405060708 0802", ProvisionReply(Status.NOT_FOUND)),
        ("0801", None),
        ("0800", None),
        ("", None),
        ("08", None),
        ("0804", None),
        ("08011004", None),
        ("08011003", None),
        ("08011a0461", None),
        ("08011801", None),
        ("0a0101", None),
        ("0b", None),
        ("08" + "ff" * 20 + "01", None),
        ("08011a02ffff", None),
        ("0801120161 1a0161", None),
        ("48" + "80" * 9 + "01" + "0802", ProvisionReply(Status.NOT_FOUND)),
        ("48" + "80" * 10 + "01" + "0802", None),
        (b'{"status":"NOT_FOUND"}'.hex(), None),
    ],
)
def test_replies(data: str, reply: ProvisionReply | None) -> None:
    assert read(bytes.fromhex(data)) == reply


def test_no_bytes_stop_a_device() -> None:
    draw = Random(1)
    for _ in range(2_000):
        read(draw.randbytes(draw.randrange(30)))


@pytest.mark.parametrize("url", [MQTT, COAP])
def test_a_device_asks_in_protobuf(url: str) -> None:
    device = Hand(url, asks_in_protobuf=True)
    if url == MQTT:
        device.connack()
        (request,) = [one.payload for one in device.told if isinstance(one, MqttPublish)]
        device.publish(bytes.fromhex("08011a03616263"))
    else:
        request = device.request.payload
        device.coap("2.01", bytes.fromhex("08011a03616263"))
    assert request.startswith(b"\x0a\x05dev-1\x1a")
    assert device.memory["credentials"] == ["ACCESS_TOKEN", "abc"]


def test_http_knows_no_protobuf() -> None:
    with pytest.raises(UsageError, match="protobuf"):
        ThingsBoardSettings(HTTP, asks_in_protobuf=True)
