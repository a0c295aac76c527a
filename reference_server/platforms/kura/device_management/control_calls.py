"""Requests of the server to devices, and what comes back (spec 2.5, 5.3, S-29, S-30, S-41, S-43).

A request goes out no earlier than some seconds after BIRTH, since gateways subscribe after it, and again if nobody was
subscribed to its topic. Its id has 128 bits of chance; a reply counts if it names that id and has come on the
connection of the device that was asked: any device of an account may write to any reply topic (5.3). Provisioned
devices are asked with a signature (SIG-SIM1); others are not, as they may know no certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from fleetrig.reference_server.platform import HeldRequest, Reaction
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.broker.topics import REQUESTER, ControlTopic, topic_of
from fleetrig.reference_server.platforms.kura.device_management.outstanding_calls import (
    CallEnd,
    CallResult,
    OutstandingCall,
    OutstandingCalls,
    Settle,
    Writer,
)
from fleetrig.reference_server.platforms.kura.payload.codec import Unencodable, decode, encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, string
from fleetrig.reference_server.platforms.kura.rest.device_calls import CallOutcome, DeviceCall, not_connected
from fleetrig.reference_server.platforms.kura.signing.signer import signed
from fleetrig.reference_server.platforms.kura.state.certificates import key_of, signing_certificate
from fleetrig.reference_server.platforms.kura.state.devices import device_by_client
from fleetrig.reference_server.platforms.kura.state.events import audit
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import LateAnswer, Output

REQUEST_ID_BYTES: Final = 16
AGAIN_US: Final = US_PER_S
"""How long to wait when nobody was subscribed to the topic of a request."""
MOST_CALLS: Final = 10_000
"""At the same time: all of them are kept in memory."""


class Messenger(Protocol):
    """How messages of the server get to connected clients."""

    def client(self, scope_id: str, client_id: str) -> LiveClient | None:
        """The client's connection, if it has one."""

    def publish(self, topic: str, payload: bytes, now_us: int) -> list[Output]:
        """To all who have subscribed to the topic; none if nobody has."""


class ControlCalls:
    """The `DeviceCalls` of the REST API, and what provisioning asks of devices."""

    def __init__(self, registry: Registry, messenger: Messenger) -> None:
        self._registry = registry
        self._messenger = messenger
        self._calls = OutstandingCalls()
        self.ignored_replies = 0
        """Replies that nobody has asked for, or that another than the asked one has given (S-29)."""

    # Asking

    def start(self, call: DeviceCall, outcome: CallOutcome, session: int, now_us: int) -> HeldRequest:
        """For the REST API: held until the call has ended. Raises Refused when the device is not connected."""
        live = self._messenger.client(call.scope_id, call.client_id)
        if live is None or len(self._calls) >= MOST_CALLS:
            raise not_connected(call.client_id)
        number = self._calls.new_number()
        waiting = self._outstanding(number, call, _answering(number, call, outcome, session), live, now_us)
        send_us = self._heard_from_us(live, now_us)
        self._registry.store.when_settled(lambda done: self._calls.put(waiting, send_us) if done else None)
        return HeldRequest(number, call.client_id)

    def ask(self, call: DeviceCall, settle: Settle, from_us: int) -> bool:
        """For the server itself, not before `from_us`. False when the device is not connected."""
        live = self._messenger.client(call.scope_id, call.client_id)
        if live is None:
            return False
        waiting = self._outstanding(self._calls.new_number(), call, settle, live, from_us)
        self._calls.put(waiting, self._heard_from_us(live, from_us))
        return True

    def tell(self, call: DeviceCall, write: Writer, settle: Settle, now_us: int) -> bool:
        """The same, with a payload of one's own. False when the device is not connected."""
        live = self._messenger.client(call.scope_id, call.client_id)
        if live is None:
            return False
        waiting = self._outstanding(self._calls.new_number(), call, settle, live, now_us)
        waiting.write = write
        self._calls.put(waiting, self._heard_from_us(live, now_us))
        return True

    def left(self, held_id: int) -> None:
        """Nobody waits for the answer any more. Harmless once it was given."""
        self._calls.take(held_id)

    def session_ended(self, session: int, now_us: int) -> None:
        """A device's connection is gone, and what it was asked on it."""
        self._calls.session_ended(session, now_us)

    def _outstanding(
        self, number: int, call: DeviceCall, settle: Settle, live: LiveClient, now_us: int
    ) -> OutstandingCall:
        return OutstandingCall(number, call, settle, live.session, now_us + call.timeout_ms * US_PER_MS)

    def _heard_from_us(self, live: LiveClient, now_us: int) -> int:
        """When a device that has just come may be asked; one in provisioning has subscribed before it has spoken."""
        if live.request_id:
            return now_us
        since_us = live.connected_us if live.born_us is None else live.born_us
        return max(now_us, since_us + self._registry.settings.birth_wait_s * US_PER_S)

    # Time

    def next_due_us(self) -> int | None:
        return self._calls.next_due_us()

    def advance(self, now_us: int) -> Sequence[Reaction]:
        """Sends what is to be sent; ends what nobody has answered."""
        reactions = []
        while (call := self._calls.pop_ended(now_us)) is not None:
            self._wait_on_unless_kept(call, now_us)
            end = CallEnd.LEFT if call.has_left else CallEnd.TIMED_OUT
            reactions.append(call.settle(CallResult(end, now_us)))
        while (call := self._calls.pop_to_send(now_us)) is not None:
            reactions += self._send(call, now_us)
        return reactions

    def _wait_on_unless_kept(self, call: OutstandingCall, now_us: int) -> None:
        """Whoever has asked is told again what could not be kept."""

        def settled(committed: bool) -> None:
            if not committed:
                self._calls.put_back(call, now_us)

        self._registry.store.when_settled(settled)

    def _send(self, waiting: OutstandingCall, now_us: int) -> list[Reaction]:
        call = waiting.call
        live = self._messenger.client(call.scope_id, call.client_id)
        if live is None:
            return []  # it is due already
        topic = topic_of(live.account.name, live.client_id, topic_below(call))
        if live.client is not None and not live.hears(topic):  # others may: it is not for them
            self._calls.again(waiting, now_us + AGAIN_US)
            return []
        request_id = waiting.request_id or self._registry.entropy.token_hex(REQUEST_ID_BYTES)
        try:
            payload = (waiting.write or partial(self._payload, call))(live, request_id, now_us)
        except Unencodable as error:
            self._calls.take(waiting.number)
            settled = waiting.settle(CallResult(CallEnd.TIMED_OUT, now_us))
            return [replace(settled, reason=f"the request cannot be written: {error}")]
        self._calls.sent(waiting, request_id)
        outputs = self._messenger.publish(topic, payload, now_us)
        if not outputs:
            self._calls.again(waiting, now_us + AGAIN_US)
            return []
        return [Reaction(outputs, device=live.client_id, changed=f"asked {topic_below(call)}")]

    def _payload(self, call: DeviceCall, live: LiveClient, request_id: str, now_us: int) -> bytes:
        """Raises Unencodable."""
        now_ms = now_us // US_PER_MS
        own = {"request.id": string(request_id), "requester.client.id": string(REQUESTER)}
        message = KuraPayload(now_ms, metrics={**call.metrics, **own}, body=call.body)
        device = device_by_client(self._registry, live.scope_id, live.client_id)
        certificate = signing_certificate(self._registry, live.scope_id, now_us)
        if device is not None and device.provisioned_us and certificate is not None:
            key = key_of(certificate.key_pem)
            message = signed(message, key, certificate.name, topic_below(call), live.client_id, now_ms)
        return encode(message)

    # Replies

    def replied(self, sender: LiveClient, topic: ControlTopic, payload: bytes, now_us: int) -> Reaction:
        """A message on a reply topic of this server."""
        request_id = "/".join(topic.levels[1:])
        waiting = self._calls.asked_by(request_id)
        if waiting is None:
            why = "a reply to no request that waits for one: its id is unknown, or was answered before"
            return self._ignored(sender, why, now_us)
        if waiting.session != sender.session or waiting.call.app_id != topic.app_id:
            why = f"a forged reply: {waiting.call.client_id} was asked, for {waiting.call.app_id}"
            return self._ignored(sender, why, now_us)
        self._calls.take(waiting.number)
        reply = decode(payload)
        settled = waiting.settle(CallResult(CallEnd.REPLIED, now_us, reply))
        return (
            replace(settled, reason=_protocol_flaw(reply)) if _protocol_flaw(reply) and not settled.reason else settled
        )

    def _ignored(self, sender: LiveClient, why: str, now_us: int) -> Reaction:
        self.ignored_replies += 1
        audit(self._registry, sender.peer, "reply", why, now_us)
        return Reaction(reason=why, device=sender.client_id)


def topic_below(call: DeviceCall) -> str:
    """The application topic of a request: `CONF-V1/GET/configurations`."""
    return "/".join(filter(None, (call.app_id, call.method, call.resource)))


def _protocol_flaw(reply: KuraPayload) -> str:
    """Why a reply is none (S-41); empty when it is one."""
    if reply.undecodable:
        return f"the reply is no KuraPayload: {reply.undecodable}"
    if reply.response_code is None:
        return "the reply has no response.code, or one that is none of 200, 400, 404 and 500: an error of the protocol"
    return ""


def _answering(held_id: int, call: DeviceCall, outcome: CallOutcome, session: int) -> Settle:
    def settle(result: CallResult) -> Reaction:
        if result.reply is not None:
            answer = outcome.replied(result.reply)
        else:
            answer = outcome.left() if result.end is CallEnd.LEFT else outcome.timed_out()
        late = LateAnswer(session, held_id, Delivery(answer.response))
        return Reaction((late,), answer.reason, answer.device or call.client_id, answer.changed, steps=answer.steps)

    return settle
