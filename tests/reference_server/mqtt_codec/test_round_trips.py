"""Both ways through the codec: what a client sends is what the server reads, whole, in pieces, cut or with bytes that
have changed; and what the server writes is what a client reads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.mqtt_codec.decoder import MqttDecoder
from fleetrig.reference_server.mqtt_codec.encoder import encode
from fleetrig.simulator.contract.mqtt import MqttPacket, MqttPublish, MqttVersion
from fleetrig.simulator.contract.undecodable import HEAD_BYTES, Undecodable
from tests.reference_server.mqtt_codec.client_wire import ServerBytes, to_server
from tests.reference_server.mqtt_codec.packets import VERSIONS, client_streams, from_server

pytestmark = pytest.mark.slow

LIMIT_BYTES = 100_000
STEADY = settings(max_examples=50, deadline=None, derandomize=True, database=None)
Stream = tuple[MqttVersion, list[MqttPacket]]


def stream_bytes(stream: Stream) -> bytes:
    version, packets = stream
    return b"".join(to_server(one, version) for one in packets)


@given(client_streams(), st.data())
@STEADY
def test_what_comes_in_pieces_of_any_size_is_read_as_it_was_sent(stream: Stream, data: st.DataObject) -> None:
    sent = stream_bytes(stream)
    decoder, read = MqttDecoder(LIMIT_BYTES), []
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        read += decoder.feed(sent[start:end])
    assert read == stream[1]
    assert decoder.version is stream[0]
    assert not decoder.is_half


@given(client_streams())
@settings(STEADY, max_examples=30)
def test_byte_by_byte(stream: Stream) -> None:
    decoder = MqttDecoder(LIMIT_BYTES)
    assert [one for byte in stream_bytes(stream) for one in decoder.feed(bytes([byte]))] == stream[1]


@given(client_streams(), st.integers(1, 3))
@STEADY
def test_no_more_at_once_than_was_asked_for(stream: Stream, at_once: int) -> None:
    decoder, read = MqttDecoder(LIMIT_BYTES, at_once), []
    turn = decoder.feed(stream_bytes(stream))
    while turn:
        assert len(turn) <= at_once
        read += turn
        turn = decoder.feed() if decoder.is_behind else []
    assert read == stream[1]


@given(client_streams())
@settings(STEADY, max_examples=30)
def test_every_truncation_gives_the_packets_before_it_and_no_more(stream: Stream) -> None:
    sent = stream_bytes(stream)
    for length in range(len(sent)):
        read = MqttDecoder(LIMIT_BYTES).feed(sent[:length])
        assert read == stream[1][: len(read)]
        assert len(read) < len(stream[1])


@given(client_streams(), st.integers(1, 255))
@settings(STEADY, max_examples=30)
def test_every_changed_byte_ends_in_packets_or_in_one_that_is_undecodable(stream: Stream, change: int) -> None:
    sent = stream_bytes(stream)
    for at in range(len(sent)):
        decoder = MqttDecoder(LIMIT_BYTES)
        read = decoder.feed(sent[:at] + bytes([sent[at] ^ change]) + sent[at + 1 :])
        check_ending(decoder, read)


@given(st.binary(max_size=60))
@settings(STEADY, max_examples=300)
def test_noise_ends_in_packets_or_in_one_that_is_undecodable(noise: bytes) -> None:
    decoder = MqttDecoder(LIMIT_BYTES)
    check_ending(decoder, decoder.feed(noise))


@given(VERSIONS.flatmap(lambda version: st.tuples(st.just(version), st.lists(from_server(version), max_size=5))))
@STEADY
def test_what_the_server_writes_is_what_a_client_reads(stream: Stream) -> None:
    version, packets = stream
    wire = ServerBytes(b"".join(encode(one, version) for one in packets), version)
    assert wire.packets() == packets
    assert wire.data == b""


def check_ending(decoder: MqttDecoder, read: list[MqttPacket | Undecodable]) -> None:
    bad = [one for one in read if isinstance(one, Undecodable)]
    assert bad == [one for one in read[-1:] if isinstance(one, Undecodable)]
    for one in bad:
        assert one.why
        assert 1 <= len(one.head) <= HEAD_BYTES
        assert decoder.feed(b"\xc0\x00") == []
    assert all(one.topic for one in read if isinstance(one, MqttPublish))
