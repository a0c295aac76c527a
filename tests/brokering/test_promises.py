"""What a broker promises, whatever clients do: random lives of three clients, and a model of each.

No message that was acknowledged is lost, one of QoS 2 comes once, none comes that nobody has subscribed to, messages
keep their order, and nothing is said on a connection that has ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.mqtt_sessions.byte_budget import size_bytes_of
from fleetrig.reference_server.mqtt_sessions.topic_filters import fits, levels_of
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttDisconnect,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttWill,
    PublishAckKind,
    Subscription,
)
from tests.brokering.broker_talk import V5, BrokerTalk, connect

NAMES = ("a", "b", "c")
FILTERS = ("x/+", "x/#", "x/y", "+/y", "#", "x/y/#")
TOPICS = ("x/y", "x", "x/z", "q/y", "z", "$x/y")
WILL = MqttWill("$will", b"gone")
"""Nobody asks for it."""
FOREVER = (("session_expiry_interval", 0xFFFFFFFF),)


@dataclass
class Model:
    """A client: what it must get, what it has got, and what it has yet to answer."""

    name: str
    session: int | None = None
    filters: dict[str, int] = field(default_factory=dict)
    must_get: dict[bytes, list[int]] = field(default_factory=dict)
    """Payload -> the QoS of each time that it was published (see `Lives.repeated`)."""
    got: list[MqttPublish] = field(default_factory=list)
    unreleased: set[int] = field(default_factory=set)
    """Packet ids of QoS 2 that it has had and not seen released."""
    came: deque[Envelope] = field(default_factory=deque)
    publishing: dict[int, MqttPublish | MqttPublishAck] = field(default_factory=dict)
    """Packet id -> what it sends again if it has to: a message of its own, or the release of one."""
    next_id: int = 1

    def granted(self, topic: str) -> int | None:
        """The QoS that its filters give to a topic."""
        found = [qos for one, qos in self.filters.items() if fits(levels_of(one), levels_of(topic))]
        return max(found, default=None)


class Lives:
    """Performs steps on the broker and on the models alike."""

    def __init__(self) -> None:
        self.talk = BrokerTalk()
        self.models = {name: Model(name) for name in NAMES}
        self.sessions = 0
        self.open: dict[int, Model] = {}
        self.published = 0
        self.repeated: set[bytes] = set()
        """Payloads of QoS 1 messages that their publisher has sent again."""

    def connect(self, model: Model) -> None:
        self.sessions += 1
        self.open[self.sessions] = model
        self.talk.open(self.sessions)
        outputs = self.talk.heard(
            self.sessions, connect(model.name, clean_start=False, version=V5, properties=FOREVER, will=WILL)
        )
        model.came.clear()
        model.session = self.sessions
        self._take(outputs)
        for unfinished in list(model.publishing.values()):  # §4.4
            if isinstance(unfinished, MqttPublish):
                if unfinished.qos == 1:
                    self._expect(unfinished)
                    self.repeated.add(unfinished.payload)
                unfinished = replace(unfinished, dup=True)
            self._say(model, unfinished)

    def drop(self, model: Model) -> None:
        if model.session is not None:
            session, model.session = model.session, None
            del self.open[session]
            model.came.clear()
            self._take(self.talk.gone(session))

    def leave(self, model: Model) -> None:
        self._say(model, MqttDisconnect())
        assert model.session is None

    def subscribe(self, model: Model, topic_filter: str, qos: int) -> None:
        model.filters[topic_filter] = qos
        self._say(model, MqttSubscribe((Subscription(topic_filter, qos),), 1))

    def unsubscribe(self, model: Model, topic_filter: str) -> None:
        model.filters.pop(topic_filter, None)
        self._say(model, MqttUnsubscribe((topic_filter,), 1))

    def publish(self, model: Model, topic: str, qos: int) -> None:
        if model.session is None:
            return
        self.published += 1
        payload = b"%d" % self.published
        number = model.next_id if qos else 0
        publish = MqttPublish(topic, payload, qos, packet_id=number)
        self._expect(publish)
        if qos:
            model.next_id += 1
            model.publishing[number] = publish
        self._say(model, publish)

    def _expect(self, publish: MqttPublish) -> None:
        for model in self.models.values():
            granted = model.granted(publish.topic)
            if granted is not None:
                model.must_get.setdefault(publish.payload, []).append(min(granted, publish.qos))

    def answer(self, model: Model) -> None:
        """The oldest packet that it has not looked at."""
        if model.session is None or not model.came:
            return
        match model.came.popleft():
            case MqttPublish(qos=1) as publish:
                model.got.append(publish)
                self._say(model, MqttPublishAck(PublishAckKind.PUBACK, publish.packet_id))
            case MqttPublish(qos=2) as publish:
                if publish.packet_id not in model.unreleased:
                    model.got.append(publish)
                    model.unreleased.add(publish.packet_id)
                self._say(model, MqttPublishAck(PublishAckKind.PUBREC, publish.packet_id))
            case MqttPublish() as publish:
                model.got.append(publish)
            case MqttPublishAck(PublishAckKind.PUBREL, packet_id):
                model.unreleased.discard(packet_id)
                self._say(model, MqttPublishAck(PublishAckKind.PUBCOMP, packet_id))
            case MqttPublishAck(PublishAckKind.PUBREC, packet_id):
                model.publishing[packet_id] = MqttPublishAck(PublishAckKind.PUBREL, packet_id)
                self._say(model, model.publishing[packet_id])
            case MqttPublishAck(_, packet_id):
                model.publishing.pop(packet_id, None)
            case _:
                pass

    def settle(self) -> None:
        """Everybody comes back and answers everything."""
        for model in self.models.values():
            if model.session is None:
                self.connect(model)
        while any(model.came for model in self.models.values()):
            for model in self.models.values():
                self.answer(model)

    def forget(self) -> None:
        """First only the wills are left to keep, then everybody leaves for good: nothing may be left."""
        for model in self.models.values():
            for topic_filter in list(model.filters):
                self.unsubscribe(model, topic_filter)
        sessions = self.talk.broker.sessions
        assert sessions.held_bytes == len(NAMES) * size_bytes_of(MqttPublish(WILL.topic, WILL.payload))
        self.subscribe(self.models["a"], "x/+/#", 1)
        for number, name in enumerate(NAMES, self.sessions + 1):
            self.talk.join(number, name)
            self.talk.close(number)
        assert (sessions.held_bytes, sessions._flow._subscriptions.is_empty) == (0, True)

    def _say(self, model: Model, envelope: Envelope) -> None:
        if model.session is not None:
            self._take(self.talk.heard(model.session, envelope))

    def _take(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            model = self.open[output.session]  # a KeyError here: something for a connection that has ended
            match output:
                case Send(envelope=MqttDisconnect(code)):
                    assert code == 0x8E, "only a take-over ends a connection"
                case Send(envelope=envelope):
                    assert not isinstance(envelope, MqttConnack) or envelope.code == 0
                    model.came.append(envelope)
                case Close(session):
                    del self.open[session]
                    model.session = None if model.session == session else model.session
                    self.talk.close(session)


STEPS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(NAMES), st.sampled_from(TOPICS), st.integers(0, 2)),
    st.tuples(st.just("subscribe"), st.sampled_from(NAMES), st.sampled_from(FILTERS), st.integers(0, 2)),
    st.tuples(st.just("unsubscribe"), st.sampled_from(NAMES), st.sampled_from(FILTERS)),
    st.tuples(st.sampled_from(["connect", "drop", "leave", "answer", "answer"]), st.sampled_from(NAMES)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_promises(steps: list[tuple[object, ...]]) -> None:
    lives = Lives()
    for name in NAMES:
        lives.connect(lives.models[name])
    for what, who, *rest in steps:
        model = lives.models[str(who)]
        if model.session is not None or what == "connect":
            getattr(lives, str(what))(model, *rest)
    lives.settle()
    for model in lives.models.values():
        _check(model, lives.repeated)
    lives.forget()


def _check(model: Model, repeated: set[bytes]) -> None:
    got = [one.payload for one in model.got]
    assert set(got) <= set(model.must_get), "it has subscribed to everything that it got"
    kept = {payload for payload, qos in model.must_get.items() if any(qos)}
    assert kept <= set(got), "nothing that was acknowledged is lost"
    assert model.publishing == {}
    for one in model.got:
        assert one.qos in model.must_get[one.payload]
    for payload, qos in model.must_get.items():
        if 1 not in qos:
            assert got.count(payload) <= len(qos), "once, but for QoS 1"
    firsts = [payload for payload in dict.fromkeys(got) if payload in kept - repeated]
    assert firsts == sorted(firsts, key=int), "messages keep their order"
