"""The broker as one: sessions by its rules, rights on topics, and what messages of the namespace mean to the server.

Everything that may be said is handed to all who have subscribed to it, the sender too: a gateway that has subscribed to
its own control topic receives its own publishes (2.1). What the server has to do with a message comes after that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import LogIn, PublishAnswer, SessionEnd
from fleetrig.reference_server.mqtt_sessions.client_state import ClientKey, ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.kura.broker.failures import failure_of
from fleetrig.reference_server.platforms.kura.broker.lifecycle_messages import LifecycleMessages
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient, LiveClients
from fleetrig.reference_server.platforms.kura.broker.session_rules import MOST_CLIENTS, SESSION_RULES
from fleetrig.reference_server.platforms.kura.broker.signing_in import sign_in
from fleetrig.reference_server.platforms.kura.broker.topics import (
    REQUESTER,
    ControlTopic,
    Lifecycle,
    control_topic,
    topic_of,
)
from fleetrig.reference_server.platforms.kura.device_management.control_calls import ControlCalls
from fleetrig.reference_server.platforms.kura.provisioning.completing import JobCompletion
from fleetrig.reference_server.platforms.kura.provisioning.dialogue import ProvisionDialogue
from fleetrig.reference_server.platforms.kura.provisioning.installing import BundleInstaller
from fleetrig.reference_server.platforms.kura.provisioning.stopping import abort_payload, finish_stop
from fleetrig.reference_server.platforms.kura.state.accounts import provision_account
from fleetrig.reference_server.platforms.kura.state.device_records import ConnectionStatus
from fleetrig.reference_server.platforms.kura.state.events import audit
from fleetrig.reference_server.platforms.kura.state.registry import Notice, NoticeKind, Registry
from fleetrig.simulator.contract.clock import US_PER_S, earliest_us
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish, MqttPublishAck, PublishAckKind, Subscription
from fleetrig.simulator.contract.session import Session

FULL: Final = f"{MOST_CLIENTS:,} clients are connected, and no more are let in: try again later"
KICKED: Final = "an administrator has closed the connection"
ID_CHARS: Final = 16
GIVES_UP_AFTER_US: Final = 10 * US_PER_S
"""How long a client waits for a store that does not answer: gateways themselves wait 10 to 20 s (4.1)."""


class KuraBroker:
    """The `MqttApplication` of its own sessions, and the `Messenger` of what the server says itself."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._sessions = MqttSessions(SESSION_RULES, self, self._new_client_id)
        self._clients = LiveClients()
        self._replaced: dict[ClientKey, LiveClient] = {}
        """Clients that a later connection has replaced, until their session says so."""
        self._leaving: dict[ClientKey, LiveClient] = {}
        """Clients whose connection has ended, and whose will has yet to be published."""
        self._owed: list[Callable[[], Reaction]] = []
        """What is to be kept of connections that have ended by themselves: that waits for the store, they do not."""
        self._is_in_memory = False
        self.calls = ControlCalls(registry, self)
        self._installer = BundleInstaller(registry, self.calls)
        self._dialogue = ProvisionDialogue(registry, self, self._installer)
        self._completion = JobCompletion(registry, self._installer)
        self._lifecycle = LifecycleMessages(registry, self._completion.is_expected)

    # What fronts say

    def opened(self, session: Session, now_us: int) -> Reaction:
        return self._sessions.opened(session, now_us)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        if isinstance(envelope, MqttConnect) and not envelope.client_id and envelope.clean_start:
            envelope = replace(envelope, client_id=self._new_client_id())
        return self._sessions.receive(session, envelope, now_us)

    def closed(self, session: Session, now_us: int) -> Reaction:
        reaction = self._sessions.closed(session, now_us)
        self._forget(self._clients.end(session.id), now_us)  # one that was signed in and not accepted
        return reaction

    def failed(self, session: Session, envelope: Envelope, reason: str, now_us: int) -> Reaction:
        """Nothing of what was asked for is kept. A device in provisioning hears so, and keeps its connection."""
        live = self._clients.of_session(session.id)
        if live is not None and isinstance(envelope, MqttPublish) and envelope.qos <= 1:
            topic = control_topic(envelope.topic)
            if topic is not None and self._is_dialogue(live, topic):
                told = self._dialogue.failed(live, topic, envelope.payload, now_us)
                return Reaction([*_acknowledged(session, envelope), *told], reason, live.client_id)
        packets, ends = failure_of(envelope)
        outputs: list[Output] = [Send(session.id, packet) for packet in packets]
        return Reaction([*outputs, Close(session.id)] if ends else outputs, reason)

    def gives_up_after_us(self, envelope: Envelope) -> int | None:
        """For the store; what needs none is answered at once."""
        return GIVES_UP_AFTER_US if isinstance(envelope, MqttConnect | MqttPublish) else None

    def left(self, held_id: int) -> None:
        self.calls.left(held_id)

    # By itself

    def next_due_us(self) -> int | None:
        return earliest_us(self._sessions.next_due_us(), self.calls.next_due_us(), self._installer.next_due_us())

    @property
    def owes(self) -> bool:
        """Something waits for the store."""
        return bool(self._owed)

    def advance_in_memory(self, now_us: int) -> Sequence[Reaction]:
        """Connections that are out of time end, and their wills are published."""
        self._is_in_memory = True
        try:
            return self._sessions.advance(now_us)
        finally:
            self._is_in_memory = False

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return [*self._settled(), *self.calls.advance(now_us), *self._installer.advance(now_us)]

    def _settled(self) -> list[Reaction]:
        """What is owed to the store, which owes it again if the transaction fails."""
        taken, self._owed = self._owed, []
        if taken:
            self._registry.store.when_settled(lambda committed: None if committed else self._owed.extend(taken))
        return [note() for note in taken]

    def hear(self, notices: Sequence[Notice], now_us: int) -> Sequence[Reaction]:
        """What an administrator has done: connections end, jobs are stopped."""
        return [reaction for notice in notices for reaction in self._hear(notice, now_us)]

    def _hear(self, notice: Notice, now_us: int) -> list[Reaction]:
        match notice.kind:
            case NoticeKind.CONNECTION_CLOSED:
                live = self._clients.get(notice.scope_id, notice.client_id)
                return [] if live is None else [self._kick(live, now_us)]
            case NoticeKind.JOB_STOPPING:
                return [self._abort(notice, now_us)]
            case NoticeKind.REQUEST_GONE:
                self._installer.cancel(notice.request_id)
                return []

    def _kick(self, live: LiveClient, now_us: int) -> Reaction:
        return self._sessions.end(live.session, MqttReason.ADMINISTRATIVE_ACTION, KICKED, now_us)

    def _abort(self, notice: Notice, now_us: int) -> Reaction:
        """The device is told, if it is there; then the job is STOPPED, whatever it does about it."""
        self._installer.cancel(notice.request_id)
        live = self._clients.get(provision_account(self._registry).id, notice.client_id)
        outputs: list[Output] = []
        if live is not None and live.request_id == notice.request_id:
            app_id = self._registry.settings.provision_app_id
            topic = topic_of(live.account.name, live.client_id, f"{app_id}/EXEC/abort")
            outputs = self.publish(topic, abort_payload(now_us), now_us)
        return replace(finish_stop(self._registry, notice), outputs=outputs)

    # Messenger

    def client(self, scope_id: str, client_id: str) -> LiveClient | None:
        return self._clients.get(scope_id, client_id)

    def publish(self, topic: str, payload: bytes, now_us: int) -> list[Output]:
        return list(self._sessions.route(MqttPublish(topic, payload, qos=1), now_us).outputs)

    # MqttApplication

    def log_in(self, connect: MqttConnect, session: Session, now_us: int) -> LogIn:
        if len(self._clients) >= MOST_CLIENTS:
            return LogIn(MqttReason.SERVER_UNAVAILABLE, reason=FULL)
        found = sign_in(self._registry, connect, session, now_us)
        live = found.live
        if live is not None:
            earlier = self._clients.get(*live.key)
            if earlier is not None:
                earlier.was_replaced = True
                self._replaced[live.key] = earlier
            self._clients.begin(live)
        return found.login

    def grant(self, client: ClientState, wanted: Subscription, now_us: int) -> int:
        live = self._live_of(client)
        if live is not None and live.access.may_subscribe(wanted.topic_filter):
            return wanted.qos
        return MqttReason.NOT_AUTHORIZED

    def subscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def unsubscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        if client.session is None:
            return self._will(client, publish, now_us)
        live = self._live_of(client)
        if live is None:
            return PublishAnswer(is_acknowledged=False, ends=True, reason="its connection has ended")
        if len(publish.payload) > self._registry.settings.payload_bytes:
            return self._too_large(live, publish, now_us)
        if not live.access.may_write(publish.topic):
            return self._forbidden(live, publish, now_us)
        routed = self._sessions.route(publish, now_us, client)
        topic = control_topic(publish.topic)
        if topic is None:
            return routed
        heard = self._control(live, topic, publish.payload, now_us)
        if heard is None:
            return routed
        return PublishAnswer(
            outputs=[*routed.outputs, *heard.outputs],
            reason=heard.reason,
            changed=heard.changed or routed.changed,
            steps=heard.steps,
        )

    def ended(self, client: ClientState, end: SessionEnd, now_us: int) -> Sequence[Output]:
        key = client.key
        live = self._replaced.pop(key, None) if end is SessionEnd.TAKEN_OVER else self._clients.get(*key)
        if live is None:
            return ()
        self._clients.end(live.session)
        self._forget(live, now_us)
        if client.will is not None:
            self._leaving[key] = live  # its will says what its end was
        will_tells = client.will is not None and _is_own_lwt(client.will.publish, live)
        if end is not SessionEnd.TAKEN_OVER and not live.was_lost and not will_tells:
            self._keep(partial(self._gone, live, now_us))
        return ()

    # What messages mean

    def _control(self, live: LiveClient, topic: ControlTopic, payload: bytes, now_us: int) -> Reaction | None:
        """None for those that are the business of other clients alone."""
        if topic.account != live.account.name:
            return None
        if topic.client_id == REQUESTER:
            return self._answered(live, topic, payload, now_us)
        if self._is_dialogue(live, topic):
            return self._dialogue.heard(live, topic, payload, now_us)
        if (lifecycle := topic.lifecycle) is not None:
            return self._lived(live, topic, lifecycle, payload, now_us)
        return None

    def _answered(self, live: LiveClient, topic: ControlTopic, payload: bytes, now_us: int) -> Reaction | None:
        if topic.is_reply:
            return self.calls.replied(live, topic, payload, now_us)
        return self._installer.notified(live, topic, payload, now_us) if topic.is_notification else None

    def _is_dialogue(self, live: LiveClient, topic: ControlTopic) -> bool:
        """A message of this client to the provisioning service, which listens in the provisioning account only."""
        is_own = topic.client_id == live.client_id and topic.account == live.account.name
        return (
            is_own and live.account.name == self._registry.settings.provision_account and self._dialogue.concerns(topic)
        )

    def _lived(
        self, live: LiveClient, topic: ControlTopic, lifecycle: Lifecycle, payload: bytes, now_us: int
    ) -> Reaction:
        if topic.client_id != live.client_id or live.request_id:
            why = (
                "a lifecycle message of another client" if not live.request_id else "a device in provisioning has none"
            )
            return Reaction(reason=f"{lifecycle}: {why}; it is handed on and changes nothing", device=live.client_id)
        heard = self._lifecycle.heard(live, lifecycle, payload, now_us)
        done = Reaction(reason=heard.reason, device=live.client_id, changed=heard.changed, steps=heard.steps)
        if lifecycle is not Lifecycle.BIRTH or heard.device is None:
            return done
        completed = self._completion.born(live, now_us)
        changed = completed.changed or done.changed
        return replace(done, outputs=completed.outputs, changed=changed, steps=(*done.steps, *completed.steps))

    def _will(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        """Of a client whose connection has ended: its rights are still those of that connection."""
        live = self._leaving.pop(client.key, None)
        if live is None or not live.access.may_write(publish.topic):
            return PublishAnswer(reason=f"the will of {client.client_id[:80]} may not be published to its topic")
        routed = self._sessions.route(publish, now_us)
        if not _is_own_lwt(publish, live):
            return routed
        return replace(routed, changed=self._keep(partial(self._missing, live, now_us)).changed)

    def _keep(self, note: Callable[[], Reaction]) -> Reaction:
        """Notes something in the registry: now, or as soon as the store is asked."""
        if not self._is_in_memory:
            return note()
        self._owed.append(note)
        return NOTHING

    def _gone(self, live: LiveClient, now_us: int) -> Reaction:
        self._lifecycle.gone(live, ConnectionStatus.DISCONNECTED, now_us)
        return NOTHING

    def _missing(self, live: LiveClient, now_us: int) -> Reaction:
        return Reaction(device=live.client_id, changed=self._lifecycle.missing(live, now_us).changed)

    def _forbidden(self, live: LiveClient, publish: MqttPublish, now_us: int) -> PublishAnswer:
        """Dropped without a word, as brokers do it for MQTT 3.1.1; the trace and the audit have it (S-28)."""
        why = f"{live.client_id} may not publish to {publish.topic[:120]}: it is not its own"
        audit(self._registry, live.peer, "publish", why, now_us)
        return PublishAnswer(reason=why)

    def _too_large(self, live: LiveClient, publish: MqttPublish, now_us: int) -> PublishAnswer:
        """The connection ends, as it does for a packet that is too large to be read."""
        most = self._registry.settings.payload_bytes
        why = f"a message to {publish.topic[:120]} of {len(publish.payload):,} bytes, where {most:,} are taken"
        audit(self._registry, live.peer, "publish", why, now_us)
        return PublishAnswer(is_acknowledged=False, ends=True, reason=why)

    def _forget(self, live: LiveClient | None, now_us: int) -> None:
        if live is not None:
            self.calls.session_ended(live.session, now_us)
            self._installer.session_ended(live.session)
            self._dialogue.session_ended(live.session)

    def _live_of(self, client: ClientState) -> LiveClient | None:
        live = self._clients.of_session(client.session)
        if live is not None:
            live.client = client
        return live

    def _new_client_id(self) -> str:
        return self._registry.new_word(ID_CHARS)


def _acknowledged(session: Session, publish: MqttPublish) -> list[Output]:
    """What is answered by a message of its own is not sent again for want of an acknowledgement."""
    return [Send(session.id, MqttPublishAck(PublishAckKind.PUBACK, publish.packet_id))] if publish.qos else []


def _is_own_lwt(will: MqttPublish, live: LiveClient) -> bool:
    """It tells that its client is missing. One on another's topic tells nothing of either."""
    topic = control_topic(will.topic)
    if topic is None or topic.lifecycle is not Lifecycle.LWT:
        return False
    return (topic.account, topic.client_id) == (live.account.name, live.client_id)
