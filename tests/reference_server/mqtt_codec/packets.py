"""Valid packets, as hypothesis draws them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
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
from tests.reference_server.mqtt_codec.client_wire import IDENTIFIERS, V5

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
TOPICS = st.text(st.characters(exclude_characters="\0#+", exclude_categories=["Cs"]), min_size=1, max_size=12)
FILTERS = TEXTS.filter(lambda text: not text.startswith("$share/"))
DATA = st.binary(max_size=40)
IDS = st.integers(1, 65_535)
VERSIONS = st.sampled_from(MqttVersion)
QOS = st.integers(0, 2)

MESSAGE = ("payload_format_indicator", "message_expiry_interval", "content_type", "response_topic", "correlation_data")
SMALL = ("payload_format_indicator", "request_problem_information", "request_response_information", "maximum_qos",
         "retain_available", "wildcard_subscription_available", "subscription_identifier_available",
         "shared_subscription_available")  # fmt: skip
NUMBERS = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFF_FFFF, "v": 268_435_455}


def property_values(name: str) -> st.SearchStrategy:
    letter = IDENTIFIERS[name][1]
    if name == "response_topic":
        return TOPICS
    if name in SMALL:
        return st.integers(0, 1)
    if letter in NUMBERS:
        return st.integers(1, NUMBERS[letter])
    return {"s": TEXTS, "b": DATA, "p": st.tuples(TEXTS, TEXTS)}[letter]


@st.composite
def properties(draw: st.DrawFn, names: Sequence[str]) -> Properties:
    chosen = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    users = draw(st.lists(st.just("user_property"), max_size=2))
    if "authentication_data" in chosen and "authentication_method" not in chosen:
        chosen.append("authentication_method")
    return tuple((name, draw(property_values(name))) for name in [*chosen, *users])


def properties_of(version: MqttVersion, names: Sequence[str] = ()) -> st.SearchStrategy[Properties]:
    return properties(names) if version is V5 else st.just(())


def wills(version: MqttVersion) -> st.SearchStrategy[MqttWill]:
    return st.builds(
        MqttWill, TOPICS, DATA, QOS, st.booleans(), properties_of(version, (*MESSAGE, "will_delay_interval"))
    )


@st.composite
def connects(draw: st.DrawFn, version: MqttVersion) -> MqttConnect:
    names = ("session_expiry_interval", "authentication_method", "authentication_data", "receive_maximum",
             "request_problem_information", "request_response_information", "topic_alias_maximum",
             "maximum_packet_size")  # fmt: skip
    user_name = draw(st.none() | TEXTS)
    password = draw(st.none() | DATA)
    return MqttConnect(
        draw(TEXTS), user_name, password, draw(st.booleans()), draw(st.integers(0, 65_535)), version,
        draw(st.none() | wills(version)), draw(properties_of(version, names)),
    )  # fmt: skip


@st.composite
def publishes(draw: st.DrawFn, version: MqttVersion, names: Sequence[str] = MESSAGE) -> MqttPublish:
    qos = draw(QOS)
    return MqttPublish(
        draw(TOPICS), draw(DATA), qos, draw(st.booleans()), bool(qos) and draw(st.booleans()),
        draw(IDS) if qos else 0, draw(properties_of(version, names)),
    )  # fmt: skip


@st.composite
def acks(draw: st.DrawFn, version: MqttVersion) -> MqttPublishAck:
    kind = draw(st.sampled_from(PublishAckKind))
    is_received = kind in (PublishAckKind.PUBACK, PublishAckKind.PUBREC)
    code = draw(st.sampled_from((0, 0x10, 0x97) if is_received else (0, 0x92))) if version is V5 else 0
    return MqttPublishAck(kind, draw(IDS), code, draw(properties_of(version, ("reason_string",))))


def subscriptions(version: MqttVersion) -> st.SearchStrategy[Subscription]:
    if version is not V5:
        return st.builds(Subscription, FILTERS, QOS)
    return st.builds(Subscription, FILTERS, QOS, st.booleans(), st.booleans(), st.integers(0, 2))


def subscribes(version: MqttVersion) -> st.SearchStrategy[MqttSubscribe]:
    wanted = st.lists(subscriptions(version), min_size=1, max_size=4).map(tuple)
    return st.builds(MqttSubscribe, wanted, IDS, properties_of(version, ("subscription_identifier",)))


def unsubscribes(version: MqttVersion) -> st.SearchStrategy[MqttUnsubscribe]:
    return st.builds(MqttUnsubscribe, st.lists(TEXTS, min_size=1, max_size=4).map(tuple), IDS, properties_of(version))


def after_connect(version: MqttVersion) -> st.SearchStrategy[MqttPacket]:
    """What a client sends that has connected."""
    kinds: list[st.SearchStrategy] = [
        publishes(version), acks(version), subscribes(version), unsubscribes(version), st.just(MqttPingreq()),
    ]  # fmt: skip
    if version is V5:
        kinds.append(st.builds(MqttDisconnect, st.sampled_from((0, 4, 0x99)), properties(("session_expiry_interval",))))
        kinds.append(st.builds(MqttAuth, st.sampled_from((0x18, 0x19)), properties(("authentication_method",))))
    else:
        kinds.append(st.just(MqttDisconnect()))
    return st.one_of(kinds)


@st.composite
def client_streams(draw: st.DrawFn) -> tuple[MqttVersion, list[MqttPacket]]:
    """A CONNECT and a few packets after it."""
    version = draw(VERSIONS)
    return version, [draw(connects(version)), *draw(st.lists(after_connect(version), max_size=5))]


def from_server(version: MqttVersion) -> st.SearchStrategy[MqttPacket]:
    """What a server sends."""
    codes, present = st.integers(0, 0xA2), st.booleans()
    granted = ("assigned_client_identifier", "server_keep_alive", "response_information", "server_reference",
               "maximum_qos", "retain_available", "wildcard_subscription_available", "reason_string",
               "subscription_identifier_available", "shared_subscription_available")  # fmt: skip
    many = st.lists(codes, min_size=1, max_size=4).map(tuple)
    kinds: list[st.SearchStrategy] = [
        st.builds(MqttConnack, codes, present, properties_of(version, granted)),
        publishes(version, (*MESSAGE, "topic_alias", "subscription_identifier")),
        acks(version),
        st.builds(MqttSuback, IDS, many, properties_of(version, ("reason_string",))),
        st.builds(MqttUnsuback, IDS, many if version is V5 else st.just(()), properties_of(version)),
        st.just(MqttPingresp()),
    ]
    if version is V5:
        kinds.append(st.builds(MqttDisconnect, codes, properties(("server_reference", "reason_string"))))
        kinds.append(st.builds(MqttAuth, st.sampled_from((0, 0x18)), properties(("authentication_method",))))
    return st.one_of(kinds)
