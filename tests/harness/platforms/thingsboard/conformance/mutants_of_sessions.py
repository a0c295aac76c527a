"""Mistakes in who provisions over MQTT, and in its subscriptions, requests and replies (S52 to S60, S63, S65, S87)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.mqtt_sessions.session_rules import SessionPresent
from fleetrig.reference_server.platforms.thingsboard.mqtt import (
    interface,
    provision_sessions,
    topics,
)
from fleetrig.reference_server.platforms.thingsboard.mqtt.interface import MqttInterface
from fleetrig.reference_server.platforms.thingsboard.mqtt.provision_sessions import ProvisionSessions
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import PROVISION, PROVISION_RESPONSE
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
)
from tests.harness.conformance.code_changes import Change, being, giving, instead
from tests.harness.platforms.thingsboard.conformance.mutants import (
    mqtt_closes_after,
    mqtt_never_sends,
    mqtt_sends,
    mutant,
    rules,
    sessions_get,
)


def provisions(if_so: Any) -> Change:
    """Who else, or who not, has a session that provisions."""
    return (interface, "wants_to_provision", being(if_so))


def has_word(connect: MqttConnect) -> bool:
    return PROVISION in (connect.user_name, connect.client_id)


def by_client_id(connect: MqttConnect) -> bool:
    return connect.client_id == PROVISION


def by_user_name(connect: MqttConnect) -> bool:
    return connect.user_name == PROVISION


def in_any_case(connect: MqttConnect) -> bool:
    return PROVISION in ((connect.user_name or "").lower(), connect.client_id.lower())


def without_password(connect: MqttConnect) -> bool:
    return has_word(connect) and connect.password is None


def with_client_id(connect: MqttConnect) -> bool:
    return has_word(connect) and bool(connect.client_id)


def unless_token(connect: MqttConnect) -> bool:
    return connect.user_name == PROVISION or (connect.client_id == PROVISION and connect.user_name is None)


def only_subscribers(original: Any, self: Any, session: Any, client: Any, *more: Any) -> Any:
    return original(self, session, client, *more) if client.subscriptions else []


def once(original: Any, self: Any, session: Any, *more: Any) -> Any:
    return [] if session.has_answered else original(self, session, *more)


def every_filter(self: Any, client: Any, wanted: Any, now_us: int) -> Any:
    return min(wanted.qos, 1)


def reply_first(outputs: list[Output]) -> list[Output]:
    """What answers a request before what acknowledges it."""
    return sorted(outputs, key=lambda one: isinstance(one, Send) and isinstance(one.envelope, MqttPublishAck))


def refused_with(qos: int) -> Any:
    """Requests with this QoS are answered, and never with SUCCESS."""

    def published(original: Any, self: Any, client: Any, publish: Any, now_us: int) -> Any:
        bad = replace(publish, payload=publish.payload.replace(b'"provisionDeviceKey": "', b'"provisionDeviceKey": "x'))
        return original(self, client, bad if publish.qos == qos else publish, now_us)

    return published


def replies_of(outputs: list[Output]) -> list[Send]:
    return [one for one in outputs if isinstance(one, Send) and isinstance(one.envelope, MqttPublish)
            and one.envelope.topic == PROVISION_RESPONSE]  # fmt: skip


def to_everybody(original: Any, self: Any, *more: Any) -> Any:
    """As a broker would: all who are there hear the reply."""
    reaction = original(self, *more)
    heard = [replace(reply, session=other) for reply in replies_of(list(reaction.outputs))
             for other in self._provisioning._known if other != reply.session]  # fmt: skip
    return replace(reaction, outputs=[*reaction.outputs, *heard])


def to_the_latest(original: Any, self: Any, *more: Any) -> Any:
    """Whoever came last under the client id hears it."""
    reaction = original(self, *more)
    replies = replies_of(list(reaction.outputs))
    latest = max(self._provisioning._known, default=0)
    return replace(
        reaction, outputs=[replace(one, session=latest) if one in replies else one for one in reaction.outputs]
    )


def is_subback_refusal(suback: MqttSuback) -> bool:
    return any(code >= 0x80 for code in suback.codes)


MUTANTS = (
    # who provisions
    mutant("nobody provisions over MQTT", "S52 S53 S55 S68 S91", provisions(lambda _: False), spares="S54 S69 S71"),
    mutant("the user name does not count", "S52 S55 S58 S68", provisions(by_client_id), spares="S53 S92"),
    mutant("the client id does not count", "S53 S65 S92", provisions(by_user_name), spares="S52 S54"),
    mutant("a client id has to be there", "S52 S58", provisions(with_client_id), spares="S53 S92"),
    mutant("the word counts in any case", "S54", provisions(in_any_case), spares="S52 S53"),
    mutant("a password is not ignored", "S55", provisions(without_password), spares="S52 S53"),
    mutant("a valid token comes before the client id", "S92", provisions(unless_token), spares="S52 S53"),
    mutant(
        "CONNECT is not answered", "S52 S53 S55 S91", *mqtt_never_sends(MqttConnack), spares="S69 S71", silence=True
    ),
    mutant(
        "CONNACK refuses",
        "S52 S55",
        *mqtt_sends(MqttConnack, lambda connack: replace(connack, code=5)),
        spares="S69 S71",
    ),
    mutant("no session was there before", "S91", rules(session_present=SessionPresent.NEVER), spares="S52"),
    mutant(
        "a session was always there before",
        "S52 S53",
        *mqtt_sends(MqttConnack, lambda connack: replace(connack, session_present=True)),
        spares="S91",
    ),
    # subscriptions
    mutant("QoS 2 is granted", "S56", rules(granted_qos=2), spares="S52 S57"),
    mutant("QoS 0 is granted", "S52 S56", rules(granted_qos=0), spares="S57 S58"),
    mutant("replies always have QoS 1", "S57", (provision_sessions, "qos_of", giving(1)), spares="S56 S58"),
    mutant("replies always have QoS 0", "S56 S58 S60", (provision_sessions, "qos_of", giving(0)), spares="S57"),
    mutant(
        "who has not subscribed gets QoS 0", "S58", (topics, "QOS_WITHOUT_SUBSCRIPTION", being(0)), spares="S52 S57"
    ),
    mutant(
        "who has not subscribed gets nothing",
        "S58",
        (ProvisionSessions, "_answer", instead(only_subscribers)),
        spares="S52 S57",
        silence=True,
    ),
    mutant("every filter is granted", "S59", (MqttInterface, "grant", being(every_filter)), spares="S52 S56"),
    mutant(
        "a refused filter ends the session", "S59", *mqtt_closes_after(MqttSuback, is_subback_refusal), spares="S52"
    ),
    mutant(
        "MQTT 5 hears 0x80 of a filter",
        "S59",
        *mqtt_sends(MqttSuback, lambda suback: replace(suback, codes=tuple(min(code, 0x80) for code in suback.codes))),
        spares="S52",
    ),
    mutant("SUBSCRIBE is not answered", "S52 S56 S59", *mqtt_never_sends(MqttSuback), spares="S58", silence=True),
    mutant(
        "SUBACK is for another packet",
        "S52 S56 S59",
        *mqtt_sends(MqttSuback, lambda suback: replace(suback, packet_id=suback.packet_id + 1)),
        spares="S58",
    ),
    # requests and replies
    mutant("no reply comes", "S01 S10 S52 S60 S63", *mqtt_never_sends(MqttPublish), spares="S59 S69 S71", silence=True),
    mutant(
        "another topic of replies",
        "S52 S58 S60",
        (provision_sessions, "PROVISION_RESPONSE", being("provision/response")),
        spares="S69 S71",
    ),
    mutant(
        "replies are retained",
        "S52 S60",
        *mqtt_sends(MqttPublish, lambda publish: replace(publish, retain=True)),
        spares="S69",
    ),
    mutant(
        "replies are marked as duplicates",
        "S52 S60",
        *mqtt_sends(MqttPublish, lambda publish: replace(publish, dup=True)),
        spares="S69",
    ),
    mutant(
        "replies come twice",
        "S63 S65",
        *sessions_get(lambda outputs: [*outputs, *replies_of(outputs)], names="receive"),
        spares="S52 S68",
    ),
    mutant("no PUBACK comes", "S01 S03 S52 S60 S87", *mqtt_never_sends(MqttPublishAck), spares="S57 S59", silence=True),
    mutant(
        "PUBACK is for another packet",
        "S03 S52 S60",
        *mqtt_sends(MqttPublishAck, lambda ack: replace(ack, packet_id=ack.packet_id + 1)),
        spares="S57",
    ),
    mutant(
        "PUBACK has a code",
        "S60",
        *mqtt_sends(MqttPublishAck, lambda ack: replace(ack, code=ack.code or 0x10)),
        spares="S57",
    ),
    mutant("the reply precedes its PUBACK", "S52 S60 S87", *sessions_get(reply_first, names="receive"), spares="S57"),
    mutant("QoS 2 gets a PUBREC", "S87", rules(takes_qos_2_as_1=False), spares="S60"),
    mutant(
        "a session is answered once",
        "S63 S93",
        (ProvisionSessions, "_answer", instead(once)),
        spares="S52 S60",
        silence=True,
    ),
    mutant(
        "a session ends with its reply",
        "S63 S64 S88 S93",
        *mqtt_closes_after(MqttPublish, lambda publish: publish.topic == PROVISION_RESPONSE),
        spares="S52 S60",
    ),
    mutant("all sessions hear a reply", "S65", (MqttInterface, "receive", instead(to_everybody)), spares="S52 S63"),
    mutant(
        "the latest session of a client id hears a reply",
        "S65",
        (MqttInterface, "receive", instead(to_the_latest)),
        spares="S52 S63",
        silence=True,
    ),
    mutant("a client id is taken over", "S65", rules(takes_over=True), spares="S52 S53"),
    mutant("QoS 0 is no way to ask", "S57", (ProvisionSessions, "published", instead(refused_with(0))), spares="S58"),
    mutant(
        "QoS 1 is no way to ask", "S52 S60", (ProvisionSessions, "published", instead(refused_with(1))), spares="S57"
    ),
    mutant("QoS 2 is no way to ask", "S87", (ProvisionSessions, "published", instead(refused_with(2))), spares="S60"),
)
