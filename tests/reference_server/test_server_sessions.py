"""A server with sessions: which session gets what, one transaction for each envelope, and all of it in the trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fleetrig.reference_server.platform import NOTHING, HandshakeAnswer, Reaction
from fleetrig.simulator.contract.envelope import Close, Envelope, Send
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttDisconnect, MqttPingreq, MqttPublish
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace_json import to_line
from tests.conversation.echo_platform import PASSWORD, PUBLISHED, TENANT, EchoPlatform, Published
from tests.conversation.talk import START_US, Talk


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_a_session_from_its_opening_to_its_end(talk: Talk) -> None:
    assert talk.connect(1) == ["1 CONNACK 0"]
    assert talk.say(1, MqttPublish("a")) == []
    assert talk.say(1, MqttDisconnect()) == ["1 closed"]
    assert talk.close(1) == []
    assert talk.told() == [
        ("opened", 1, "", "127.0.0.1"),
        ("received", 1, "CONNECT gw-1", "127.0.0.1"),
        ("answered", 1, "CONNACK 0", ""),
        ("received", 1, "PUBLISH a", "127.0.0.1"),
        ("answered", 1, "", ""),
        ("received", 1, "DISCONNECT", "127.0.0.1"),
        ("closed", 1, "", "closed"),
    ]


def test_who_ended_a_session(talk: Talk) -> None:
    talk.connect(1)
    talk.close(1)
    assert talk.told()[-1] == ("closed", 1, "", "by the peer")


@pytest.mark.parametrize(("after_s", "told"), [(59, [("closed", 1, "", "by the peer")]), (60, [])])
def test_who_was_first_when_the_server_would_end_it_later(
    talk: Talk, after_s: int, told: list[tuple[str, int, str, str]]
) -> None:
    talk.serve(Later())
    talk.open(1)
    talk.say(1, MqttPublish("a"))
    talk.after(30)
    talk.say(1, MqttPublish("a"))  # does not put it off
    talk.after(after_s - 30)
    assert talk.told()[-1] == ("closed", 1, "", "closed in 60 s")
    talk.close(1)
    assert talk.told() == told


def test_a_refusal_says_why_and_of_whom(talk: Talk) -> None:
    talk.open(1)
    assert talk.say(1, MqttConnect("gw-1", password=b"wrong")) == ["1 CONNACK 5", "1 closed"]
    refused = next(event for event in talk.events if event.kind == "refused")
    assert (refused.device, refused.reason, refused.session) == ("gw-1", "the password differs", 1)
    talk.told()
    talk.open(2)
    assert talk.say(2, MqttPingreq()) == ["2 closed"]
    assert talk.told()[2:] == [("refused", 2, "", "PINGREQ came before a CONNECT"), ("closed", 2, "", "closed")]


def test_a_push_comes_at_its_microsecond(talk: Talk) -> None:
    talk.connect(1)
    talk.say(1, MqttPublish("remind", b"1500"))
    assert talk.server.next_due_us() == START_US + 1_500_000
    assert talk.after(1.4) == []
    assert talk.after(0.1) == ["1 PUBLISH reminder"]
    push = talk.events[-1]
    assert (push.kind, push.at_us, push.device, push.session) == ("pushed", START_US + 1_500_000, "gw-1", 1)


def test_what_is_said_to_another_session_is_a_push(talk: Talk) -> None:
    for session in (1, 2):
        talk.connect(session)
    assert talk.say(1, MqttPublish("to/gw-2")) == ["2 PUBLISH from/gw-1"]
    push = talk.events[-1]
    assert (push.kind, push.device, push.session) == ("pushed", "gw-2", 2)


def test_what_comes_for_a_session_that_is_gone_passes_by(talk: Talk) -> None:
    talk.connect(1)
    talk.close(1)
    assert talk.say(1, MqttPublish("a")) == []
    assert talk.close(1) == []
    assert talk.echo.published("gw-1") == 0


def test_the_trace_knows_no_password(talk: Talk) -> None:
    talk.connect(1)
    told = "\n".join(to_line(event, talk.secrets) for event in talk.events)
    assert "password:" in told
    assert PASSWORD not in told


def test_nobody_listens_and_all_is_as_before(talk: Talk) -> None:
    silent = Talk()
    silent.trace = type(silent.trace)()
    silent.serve(silent.echo)
    for one in (talk, silent):
        one.connect(1)
        one.subscribe(1)
    assert (
        silent.say(1, MqttPublish("a", qos=1))
        == talk.say(1, MqttPublish("a", qos=1))
        == ["1 PUBACK", "1 PUBLISH echo/a"]
    )
    assert silent.events == []


class Undoing:
    """Counts, says so, and takes it back."""

    name = "undoing"

    def __init__(self, talk: Talk) -> None:
        self._store = talk.store

    def opened(self, session: Session, now_us: int) -> Reaction:
        return Reaction((Close(session.id),), reason="we are closed")

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        self._store.put(PUBLISHED, TENANT, Published("d", 1))
        return Reaction((Send(session.id, MqttConnack(2)),), reason="half way", rollback=envelope == MqttPingreq())

    def closed(self, session: Session, now_us: int) -> Reaction:
        return NOTHING

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return [Reaction(device="d", changed="grown old")]

    def secrets(self) -> list[tuple[str, str]]:
        return []


class Later(Undoing):
    """Ends a session a minute after each message, as ThingsBoard does (fact sheet 1.4)."""

    def __init__(self) -> None:
        pass

    def opened(self, session: Session, now_us: int) -> Reaction:
        return NOTHING

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        return Reaction((Close(session.id, delay_us=60_000_000),))


def test_what_is_undone_was_never_there_and_is_answered_all_the_same(talk: Talk) -> None:
    talk.serve(Undoing(talk))
    talk.open(1)
    assert talk.say(1, MqttPingreq()) == ["1 CONNACK 2"]
    assert talk.store.count(PUBLISHED, TENANT) == 0
    talk.say(1, MqttDisconnect())
    assert talk.store.count(PUBLISHED, TENANT) == 1


def test_a_platform_can_refuse_a_session_before_anything_is_said(talk: Talk) -> None:
    talk.serve(Undoing(talk))
    assert talk.open(1) == ["1 closed"]
    assert talk.told() == [
        ("opened", 1, "", "127.0.0.1"),
        ("refused", 1, "", "we are closed"),
        ("closed", 1, "", "closed"),
    ]


def test_what_changes_by_itself_stands_in_the_trace(talk: Talk) -> None:
    talk.serve(Undoing(talk))
    assert list(talk.server.advance(START_US)) == []
    (event,) = talk.events
    assert (event.kind, event.device, event.name, event.session) == ("advanced", "d", "grown old", 0)


def test_a_platform_is_only_used_for_what_it_speaks(talk: Talk) -> None:
    with pytest.raises(ModelError, match="the platform echo speaks no HTTP"):
        talk.server.exchange(HttpRequest("GET", "http://h", "/"), Session(), START_US)


class Stepping(EchoPlatform):
    """Says what it did on its way."""

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        return replace(super().receive(session, envelope, now_us), steps=("looked_up", "let_in"))

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        return HandshakeAnswer(device="gw-1", steps=("read",))


def test_the_steps_of_an_answer_stand_between_what_came_and_what_went(talk: Talk) -> None:
    talk.serve(Stepping(talk.store))
    talk.open(1)
    talk.say(1, MqttConnect("gw-1", password=PASSWORD.encode()))
    talk.say(1, MqttPingreq())
    told = [(event.kind, event.name, event.device, event.session) for event in talk.events[1:]]
    steps = [("step", "looked_up", "gw-1", 1), ("step", "let_in", "gw-1", 1)]
    assert told == [
        ("received", "", "gw-1", 1), *steps, ("answered", "connected", "gw-1", 1),
        ("received", "", "gw-1", 1), *steps, ("answered", "", "gw-1", 1),
    ]  # fmt: skip


def test_the_steps_of_a_handshake_are_told_though_nothing_else_is(talk: Talk) -> None:
    talk.serve(Stepping(talk.store))
    assert talk.server.handshake(Session(id=1, certificates=(b"x",)), talk.now_us) is None
    assert [(event.kind, event.name, event.device, event.session) for event in talk.events] == [
        ("step", "read", "gw-1", 1)
    ]
