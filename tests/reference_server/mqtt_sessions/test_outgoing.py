"""Messages for one client: packet ids, window, acknowledgements in and out of place, what is sent again."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.mqtt_sessions.byte_budget import MESSAGE_BYTES, ByteBudget
from fleetrig.reference_server.mqtt_sessions.message_expiry import TimedMessage
from fleetrig.reference_server.mqtt_sessions.outgoing import OutgoingMessages
from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.mqtt import MqttPacket, MqttPublish, MqttPublishAck, PublishAckKind

PUBACK, PUBREC, PUBREL, PUBCOMP = PublishAckKind
ALL_IDS = 65_535


def limits(in_flight: int = 2, messages: int = 5, n_bytes: int = 10_000) -> SessionLimits:
    return SessionLimits(
        in_flight=Bound(in_flight, "on the way", ""),
        waiting_messages=Bound(messages, "messages", ""),
        session_bytes=Bound(n_bytes, "bytes", ""),
    )


def outgoing(*, redelivers: bool = True, limits: SessionLimits = limits()) -> OutgoingMessages:  # noqa: B008
    return OutgoingMessages(limits, ByteBudget(limits.session_bytes), redelivers=redelivers)


def put(messages: OutgoingMessages, topic: str, qos: int = 1, *, is_connected: bool = True) -> list[MqttPacket]:
    packets, bound = messages.put(TimedMessage(MqttPublish(topic, qos=qos)), 0, is_connected=is_connected)
    assert bound is None
    return packets


def brief(packets: tuple[MqttPacket, ...] | list[MqttPacket]) -> list[tuple[str, int, bool]]:
    """(topic or kind, packet id, DUP)."""
    return [
        (one.topic, one.packet_id, one.dup) if isinstance(one, MqttPublish) else (one.kind.name, one.packet_id, False)
        for one in packets
        if isinstance(one, MqttPublish | MqttPublishAck)
    ]


def test_the_third_waits_for_an_acknowledgement() -> None:
    messages = outgoing()
    assert [brief(put(messages, topic)) for topic in "abc"] == [[("a", 1, False)], [("b", 2, False)], []]
    assert brief(messages.acknowledge(MqttPublishAck(PUBACK, 2), 0).packets) == [("c", 3, False)]
    assert messages.kept == 2


def test_qos_0_passes_and_is_not_kept() -> None:
    messages = outgoing()
    for topic in "abc":
        put(messages, topic)
    assert brief(put(messages, "d", qos=0)) == [("d", 0, False)]
    assert put(messages, "e", qos=0, is_connected=False) == []
    assert messages.kept == 3


def test_a_new_connection_gets_it_again_and_in_order() -> None:
    messages = outgoing()
    for topic in "abc":
        put(messages, topic)
    assert brief(messages.resume(ALL_IDS, 0)) == [("a", 1, True), ("b", 2, True)]
    assert brief(messages.acknowledge(MqttPublishAck(PUBACK, 1), 0).packets) == [("c", 3, False)]


def test_the_clients_receive_maximum_holds_for_what_is_sent_again_too() -> None:
    messages = outgoing(limits=limits(in_flight=3))
    for topic in "abcd":
        put(messages, topic)
    assert brief(messages.resume(1, 0)) == [("a", 1, True)]
    assert brief(messages.acknowledge(MqttPublishAck(PUBACK, 1), 0).packets) == [("b", 2, True)]
    assert brief(messages.acknowledge(MqttPublishAck(PUBACK, 3), 0).packets) == []  # acknowledged before it came again
    assert brief(messages.acknowledge(MqttPublishAck(PUBACK, 2), 0).packets) == [("d", 4, False)]


def test_qos_2_and_what_is_sent_again_of_it() -> None:
    messages = outgoing()
    assert brief(put(messages, "a", qos=2)) == [("a", 1, False)]
    assert brief(messages.acknowledge(MqttPublishAck(PUBREC, 1), 0).packets) == [("PUBREL", 1, False)]
    assert brief(messages.acknowledge(MqttPublishAck(PUBREC, 1), 0).packets) == [("PUBREL", 1, False)]
    assert brief(messages.resume(ALL_IDS, 0)) == [("PUBREL", 1, False)]
    assert messages.acknowledge(MqttPublishAck(PUBCOMP, 1), 0).packets == ()
    assert messages.kept == 0


def test_a_pubrec_that_refuses_is_the_end_of_it() -> None:
    messages = outgoing(limits=limits(in_flight=1))
    put(messages, "a", qos=2)
    put(messages, "b", qos=2)
    assert brief(messages.acknowledge(MqttPublishAck(PUBREC, 1, 0x97), 0).packets) == [("b", 2, False)]


@pytest.mark.parametrize(
    ("qos", "kind"), [(1, PUBREC), (1, PUBCOMP), (2, PUBACK), (2, PUBCOMP)], ids=lambda one: str(one)
)
def test_an_acknowledgement_that_is_no_answer(qos: int, kind: PublishAckKind) -> None:
    messages = outgoing()
    put(messages, "a", qos=qos)
    outcome = messages.acknowledge(MqttPublishAck(kind, 1), 0)
    assert (outcome.packets, outcome.flaw) == ((), f"{kind.name} is no answer to the message 1")
    assert messages.kept == 1


def test_acknowledgements_of_nothing() -> None:
    messages = outgoing()
    for kind in (PUBACK, PUBCOMP):
        assert messages.acknowledge(MqttPublishAck(kind, 9), 0).packets == ()
    assert messages.acknowledge(MqttPublishAck(PUBREC, 9), 0).packets == (MqttPublishAck(PUBREL, 9, 0x92),)


def test_who_does_not_take_them_gets_no_more_than_the_limits() -> None:
    messages = outgoing()
    for number in range(5):
        put(messages, f"{number}", is_connected=False)
    packets, bound = messages.put(TimedMessage(MqttPublish("more", qos=1)), 0, is_connected=True)
    assert (packets, bound and bound.unit) == ([], "messages")


def test_the_bytes_of_messages_are_given_back_when_they_are_acknowledged() -> None:
    mine = limits(n_bytes=2 * (MESSAGE_BYTES + 1))
    budget = ByteBudget(mine.session_bytes)
    messages = OutgoingMessages(mine, budget, redelivers=True)
    put(messages, "a")
    put(messages, "b")
    assert messages.put(TimedMessage(MqttPublish("c", qos=1)), 0, is_connected=True)[1] is mine.session_bytes
    messages.acknowledge(MqttPublishAck(PUBACK, 1), 0)
    assert budget.used_bytes == MESSAGE_BYTES + 1
    put(messages, "d")


def test_a_packet_id_in_use_is_passed_over_when_they_begin_anew() -> None:
    messages = outgoing(limits=limits(in_flight=3))
    put(messages, "a")
    messages._last_id = ALL_IDS - 1
    assert [brief(put(messages, topic)) for topic in "bc"] == [[("b", ALL_IDS, False)], [("c", 2, False)]]


def test_without_redelivery_nothing_is_kept_and_no_acknowledgement_is_awaited() -> None:
    messages = outgoing(redelivers=False)
    assert [brief(put(messages, topic)) for topic in "abc"] == [[(topic, n, False)] for n, topic in enumerate("abc", 1)]
    assert put(messages, "d", is_connected=False) == []
    assert messages.acknowledge(MqttPublishAck(PUBCOMP, 1), 0).flaw == ""
    assert (messages.kept, messages.resume(ALL_IDS, 0)) == (0, [])
