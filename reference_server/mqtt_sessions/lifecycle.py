"""How sessions begin, go over from one connection to the next, and end; what is due by itself.

The order of an accepted CONNECT (MQTT 5 §3.1.4): credentials, then the earlier connection of that client id, its will,
the session that goes on or begins, CONNACK, then what has waited for the client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import LogIn, MqttApplication, SessionEnd
from fleetrig.reference_server.mqtt_sessions.byte_budget import ByteBudget, size_bytes_of
from fleetrig.reference_server.mqtt_sessions.client_state import (
    ClientConnection,
    ClientKey,
    ClientState,
    PendingWill,
)
from fleetrig.reference_server.mqtt_sessions.connecting import (
    accepted,
    number_of,
    reason_string,
    refusal_of,
    refused,
    session_expiry_s,
    silence_us,
    wants_reasons,
    will_of,
)
from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.mqtt_sessions.message_flow import MessageFlow
from fleetrig.reference_server.mqtt_sessions.outgoing import PACKET_IDS, OutgoingMessages
from fleetrig.reference_server.mqtt_sessions.packet_table import ConnectionState
from fleetrig.reference_server.mqtt_sessions.reaction_draft import ReactionDraft
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.reference_server.mqtt_sessions.violation import Violation
from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttDisconnect
from fleetrig.simulator.contract.session import Session

ROOM_FOR_KEPT: Final = 0.75
"""When more of the bytes of all sessions is taken, clients that are away are forgotten."""


class SessionLifecycle:
    """Time and new client ids are handed in."""

    def __init__(
        self,
        rules: SessionRules,
        application: MqttApplication,
        flow: MessageFlow,
        new_client_id: Callable[[], str],
    ) -> None:
        self.connections: dict[int, ClientConnection] = {}
        self._rules = rules
        self._application = application
        self._flow = flow
        self._new_client_id = new_client_id
        self._clients: dict[ClientKey, ClientState] = {}
        self._away: dict[ClientKey, ClientState] = {}
        """Those without a connection; who has been away longest comes first."""
        self._deadlines = Deadlines[int | ClientKey]()
        """Of connections, by their sessions, and of clients that are away."""
        self._budget = ByteBudget(rules.limits.all_sessions_bytes)

    @property
    def held_bytes(self) -> int:
        """What all sessions take, about."""
        return self._budget.used_bytes

    # Connections

    def open(self, session: int, now_us: int) -> None:
        self.connections[session] = ClientConnection(session, heard_us=now_us)
        if self._rules.first_packet_s is not None:
            self._deadlines.put(session, now_us + to_us(self._rules.first_packet_s))

    def closed(self, session: int, draft: ReactionDraft, now_us: int) -> None:
        """The front says that the connection is gone."""
        connection = self.connections.pop(session, None)
        self._deadlines.cancel(session)
        if connection is not None:
            connection.drop_held()
            draft.device = connection.device
            self._detach(connection, SessionEnd.LOST, draft, now_us)

    def end(self, connection: ClientConnection, violation: Violation, draft: ReactionDraft, now_us: int) -> None:
        """The server ends it, and tells an MQTT 5 client why."""
        self._close(connection, violation, draft)
        self._detach(connection, SessionEnd.LOST, draft, now_us)

    def leave(
        self, connection: ClientConnection, disconnect: MqttDisconnect, draft: ReactionDraft, now_us: int
    ) -> None:
        """A DISCONNECT of the client: with code 0 its will is dropped (MQTT 5 §3.14.4)."""
        client = connection.client
        assert client is not None
        wanted_s = number_of(disconnect.properties, "session_expiry_interval", client.expiry_s)
        if wanted_s and not client.expiry_s and self._rules.keeps_sessions:
            why = "a session that ends with its connection cannot be kept at the last moment"
            self.end(connection, Violation(MqttReason.PROTOCOL_ERROR, why), draft, now_us)
            return
        client.expiry_s = min(wanted_s, self._rules.limits.session_expiry_s.most) if client.expiry_s else 0
        if disconnect.code == MqttReason.SUCCESS:
            self._drop_will(client)
        if self._rules.answers_disconnects and connection.is_v5:
            draft.send(connection.session, [MqttDisconnect()])
        self._close(connection, Violation(0, ""), draft)
        self._detach(connection, SessionEnd.LEFT, draft, now_us)

    def _close(self, connection: ClientConnection, violation: Violation, draft: ReactionDraft) -> None:
        """DISCONNECT for MQTT 5, and the end; nothing is sent on it any more."""
        if violation.code and connection.is_v5 and self._rules.tells_ends:
            why = reason_string(violation, connection, self._rules)
            draft.send(connection.session, [MqttDisconnect(violation.code, why)])
        draft.close(connection.session)
        draft.note(violation.reason)
        self._ended(connection)

    def _ended(self, connection: ClientConnection) -> None:
        connection.state = ConnectionState.ENDED
        connection.drop_held()
        self._deadlines.cancel(connection.session)

    def _detach(self, connection: ClientConnection, end: SessionEnd, draft: ReactionDraft, now_us: int) -> None:
        """The client is no longer there: its will, and its session, which is kept or not."""
        client, connection.client = connection.client, None
        if client is None:
            return
        client.session = None
        draft.outputs += self._application.ended(client, end, now_us)
        if client.will is not None:
            client.will_due_us = now_us + to_us(client.will.delay_s)
        client.expires_us = now_us + to_us(client.expiry_s)
        self._away[client.key] = client
        self._do_due_of(client, draft, now_us)
        self._make_room(draft, now_us)

    def _make_room(self, draft: ReactionDraft, now_us: int) -> None:
        """Those who are away do not keep others from coming: who has been away longest is forgotten."""
        limits, most_bytes = self._rules.limits, self._budget.bound.most * ROOM_FOR_KEPT
        while self._away and (len(self._away) > limits.kept_sessions.most or self._budget.used_bytes > most_bytes):
            bound = limits.kept_sessions if self._budget.used_bytes <= most_bytes else self._budget.bound
            self._forget(next(iter(self._away.values())), draft, now_us)
            draft.note(changed=f"a session is forgotten, expected {bound}")

    # CONNECT

    def log_in(
        self, connection: ClientConnection, connect: MqttConnect, session: Session, draft: ReactionDraft, now_us: int
    ) -> None:
        connection.version = connect.version
        connection.wants_reasons, connection.starts_clean = wants_reasons(connect), connect.clean_start
        if (violation := refusal_of(connect, self._rules)) is not None:
            self._refuse(connection, violation, draft)
            return
        login = self._application.log_in(connect, session, now_us)
        draft.device = connection.device = login.device
        draft.note(login.reason, login.changed)
        draft.tell(login.steps, login.rollback)
        if login.code:
            self._refuse(connection, Violation(login.code, login.reason), draft, login.disconnect_code)
        else:
            self._accept(connection, connect, login, draft, now_us)

    def refuse_level(self, connection: ClientConnection, connack: MqttConnack, why: str, draft: ReactionDraft) -> None:
        """A CONNECT of a protocol level that nobody speaks."""
        draft.send(connection.session, [connack])
        self._close(connection, Violation(0, why), draft)

    def _refuse(
        self, connection: ClientConnection, violation: Violation, draft: ReactionDraft, disconnect_code: int = 0
    ) -> None:
        if not violation.is_silent:
            draft.send(connection.session, refused(violation, connection, self._rules, disconnect_code))
        self._close(connection, Violation(0, violation.reason), draft)

    def _accept(
        self, connection: ClientConnection, connect: MqttConnect, login: LogIn, draft: ReactionDraft, now_us: int
    ) -> None:
        needs_id = self._rules.takes_over or self._rules.tells_limits
        client_id = connect.client_id or (self._new_client_id() if needs_id else "")
        key = (login.scope, client_id if self._rules.takes_over else f"{client_id} {connection.session}")
        kept = self._session_of(key, connect, draft, now_us)
        self._make_room(draft, now_us)
        client = self._new_client(key, client_id) if kept is None else kept
        client.device, client.version, client.session = login.device, connect.version, connection.session
        client.expiry_s = session_expiry_s(connect, self._rules)
        client.most_packet_bytes = number_of(connect.properties, "maximum_packet_size", 0) or None
        self._drop_will(client)  # it has waited for the client to come back (MQTT 5 §3.1.3.2.2)
        if not self._take_will(client, will_of(connect, self._rules)):
            self._forget(client, draft, now_us)
            why = f"no room for its will, expected {self._rules.limits.all_sessions_bytes}"
            self._refuse(connection, Violation(MqttReason.QUOTA_EXCEEDED, why), draft)
            return
        connection.client, connection.state = client, ConnectionState.CONNECTED
        self._await_packets(connection, silence_us(connect, self._rules), now_us)
        connack = accepted(connect, self._rules, client_id, client.expiry_s, is_kept=kept is not None)
        draft.send(connection.session, [connack])
        window = number_of(connect.properties, "receive_maximum", PACKET_IDS)
        draft.send(connection.session, client.outgoing.resume(window, now_us))

    def _session_of(
        self, key: ClientKey, connect: MqttConnect, draft: ReactionDraft, now_us: int
    ) -> ClientState | None:
        """The session that goes on; what it was connected by before has ended."""
        client = self._clients.get(key)
        if client is None:
            return None
        if client.session is not None:
            earlier = self.connections[client.session]
            self._close(earlier, Violation(MqttReason.SESSION_TAKEN_OVER, ""), draft)
            draft.note(changed=f"session {earlier.session} taken over")
            self._detach(earlier, SessionEnd.TAKEN_OVER, draft, now_us)
        if connect.clean_start and key in self._clients:
            self._forget(client, draft, now_us)
        if key not in self._clients:
            return None
        self._deadlines.cancel(key)
        del self._away[key]
        return client

    def _new_client(self, key: ClientKey, client_id: str) -> ClientState:
        limits = self._rules.limits
        budget = ByteBudget(limits.session_bytes, self._budget)
        outgoing = OutgoingMessages(limits, budget, redelivers=self._rules.redelivers)
        self._clients[key] = ClientState(key, client_id, budget, outgoing)
        return self._clients[key]

    def _await_packets(self, connection: ClientConnection, silence: int | None, now_us: int) -> None:
        connection.keep_alive_us = silence
        if silence is None:
            self._deadlines.cancel(connection.session)
        else:
            self._deadlines.put(connection.session, now_us + silence)

    def log_in_again(self, connection: ClientConnection, draft: ReactionDraft, now_us: int) -> None:
        """The client so far is gone; the connection waits for the answer to its second CONNECT."""
        connection.state = ConnectionState.WAITING
        self._detach(connection, SessionEnd.LOST, draft, now_us)

    # By themselves

    def next_due_us(self) -> int | None:
        return self._deadlines.next_due_us()

    def advance(self, now_us: int) -> Iterator[ReactionDraft]:
        """One after the other: what one does may be the end of another."""
        while (key := self._deadlines.pop_due(now_us)) is not None:
            yield self._do_due(key, now_us)

    def _do_due(self, key: int | ClientKey, now_us: int) -> ReactionDraft:
        if not isinstance(key, int):
            draft = ReactionDraft(self._away[key].device)
            self._do_due_of(self._away[key], draft, now_us)
            return draft
        connection = self.connections[key]
        draft = ReactionDraft(connection.device)
        if connection.keep_alive_us is None:
            why = f"no CONNECT within {self._rules.first_packet_s:g} s"
            self.end(connection, Violation(0, why), draft, now_us)
        elif (due_us := connection.heard_us + connection.keep_alive_us) > now_us:
            self._deadlines.put(key, due_us)  # it has been heard meanwhile
        else:
            why = f"nothing was heard for {to_s(connection.keep_alive_us):g} s"
            self.end(connection, Violation(MqttReason.KEEP_ALIVE_TIMEOUT, why), draft, now_us)
        return draft

    def _do_due_of(self, client: ClientState, draft: ReactionDraft, now_us: int) -> None:
        """A client that is away: its will when that is due, and the end of its session."""
        if client.will_due_us is not None and client.will_due_us <= now_us:
            self._publish_will(client, draft, now_us)
        assert client.expires_us is not None
        if client.expires_us <= now_us:
            self._forget(client, draft, now_us)
        else:
            dues_us = (client.will_due_us, client.expires_us)
            self._deadlines.put(client.key, min(due_us for due_us in dues_us if due_us is not None))

    # Ends of sessions

    def _forget(self, client: ClientState, draft: ReactionDraft, now_us: int) -> None:
        """The session has ended; a will that still waits is published now (MQTT 5 §3.1.2.5)."""
        if client.session is None:
            self._publish_will(client, draft, now_us)
        else:
            self._drop_will(client)
        self._clients.pop(client.key, None)
        self._away.pop(client.key, None)
        self._deadlines.cancel(client.key)
        self._flow.forget(client)

    def _publish_will(self, client: ClientState, draft: ReactionDraft, now_us: int) -> None:
        will = client.will
        self._drop_will(client)
        if will is not None:
            answer = self._application.published(client, will.publish, now_us)
            draft.outputs += answer.outputs
            draft.note(answer.reason, answer.changed or "will published")

    def _take_will(self, client: ClientState, will: PendingWill | None) -> bool:
        """False when there is no room for it."""
        if will is not None and client.budget.take(size_bytes_of(will.publish)) is not None:
            return False
        client.will = will
        return True

    def _drop_will(self, client: ClientState) -> None:
        if client.will is not None:
            client.budget.give_back(size_bytes_of(client.will.publish))
        client.will = client.will_due_us = None
