"""The ThingsBoard platform: three transports, the operator's API and the look at certificates over one registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.reference_server.platform import ACCEPTED, NOTHING, HandshakeAnswer, HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.platforms.thingsboard.coap.transport import COAP_RULES, CoapTransport
from fleetrig.reference_server.platforms.thingsboard.http.api import HttpApi
from fleetrig.reference_server.platforms.thingsboard.http.call import DEVICES
from fleetrig.reference_server.platforms.thingsboard.mqtt.certificate_chain import judge_chain
from fleetrig.reference_server.platforms.thingsboard.mqtt.interface import MqttInterface
from fleetrig.reference_server.platforms.thingsboard.mqtt.session_rules import mqtt_limits
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import PROVISION_REQUEST
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import GIVES_UP_AFTER_US
from fleetrig.reference_server.platforms.thingsboard.state.people import open_installation
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.clock import earliest_us
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish
from fleetrig.simulator.contract.session import Session

MQTT: Final = "mqtt"
COAP: Final = "coap"
"""How the names of CoAP's listeners begin; all other sessions are of MQTT."""
AT_ONCE: Final = 0
DEFAULTS: Final = Settings()


class ThingsBoardPlatform:
    """Only routes; the demo tenant is there before the first request is looked at."""

    name = "thingsboard"

    def __init__(self, store: Store, blobs: Blobs, entropy: Entropy, settings: Settings = DEFAULTS) -> None:
        self.registry = Registry(store, entropy, settings, blobs)
        self._http = HttpApi(self.registry)
        self._mqtt = MqttInterface(self.registry)
        self._coap = CoapTransport(self.registry)
        self._is_open = False
        self.container_rules = self._http.container_rules
        self.coap_rules = COAP_RULES
        self.mqtt_limits = mqtt_limits(settings.payload_bytes)

    # What fronts say

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        self._open(now_us)
        return self._http.handle(request, session, now_us)

    def left(self, held_id: int, now_us: int) -> None:
        self._http.waiting.left(held_id)

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        """Certificates mean something to MQTT only, so early (2.4)."""
        self._open(now_us)
        if not session.listener.startswith(MQTT):
            return ACCEPTED
        return judge_chain(self.registry, session.certificates, now_us)

    def opened(self, session: Session, now_us: int) -> Reaction:
        """What a handshake has done to a device is heard before that device logs in: its earlier sessions end."""
        self._open(now_us)
        heard = self._hear(now_us) if self.registry.has_notices else []
        own = NOTHING if _is_coap(session) else self._mqtt.opened(session, now_us)
        if not heard:
            return own
        outputs = [output for reaction in (*heard, own) for output in reaction.outputs]
        changed = "; ".join(reaction.reason for reaction in heard if reaction.reason)
        return Reaction(outputs, own.reason, changed=changed)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        transport = self._coap if _is_coap(session) else self._mqtt
        return transport.receive(session, envelope, now_us)

    def failed(self, session: Session, envelope: Envelope, reason: str, now_us: int) -> Reaction:
        transport = self._coap if _is_coap(session) else self._mqtt
        return transport.failed(session, envelope, reason)

    def gives_up_after_us(self, envelope: Envelope) -> int | None:
        """A transport waits so long for the core to know a device or to decide about one; an operator waits."""
        match envelope:
            case HttpRequest(path=path) if not path.startswith(DEVICES):
                return None
            case MqttPublish(topic=topic) if topic != PROVISION_REQUEST:
                return None  # taken by a queue before the store is asked
            case HttpRequest() | CoapRequest() | MqttConnect() | MqttPublish():
                return GIVES_UP_AFTER_US
        return None

    def closed(self, session: Session, now_us: int) -> Reaction:
        if not _is_coap(session):
            return self._mqtt.closed(session, now_us)
        self._coap.closed(session)
        return Reaction()

    # By itself

    def next_due_us(self) -> int | None:
        if self.registry.has_notices:
            return AT_ONCE
        return earliest_us(self._mqtt.next_due_us(), self._coap.next_due_us(), self._http.waiting.next_due_us())

    def advance_in_memory(self, now_us: int) -> Sequence[Reaction]:
        """Sessions hear of what was done to their devices; what waits too long comes to its end."""
        lapsed = [*self._mqtt.advance(now_us), *self._coap.advance(now_us), *self._http.waiting.advance(now_us)]
        return [*self._hear(now_us), *lapsed]

    def advance(self, now_us: int) -> Sequence[Reaction]:
        """Nothing that is due here needs the store."""
        return ()

    def _hear(self, now_us: int) -> list[Reaction]:
        notices = self.registry.take_notices()
        observed = [Reaction(outputs) for notice in notices if (outputs := self._coap.hear(notice))]
        polled = [reaction for notice in notices for reaction in self._http.waiting.hear(notice)]
        return [*self._mqtt.hear(notices, now_us), *observed, *polled]

    def secrets(self) -> list[tuple[str, str]]:
        known, self.registry.new_secrets = self.registry.new_secrets, []
        return known

    def _open(self, now_us: int) -> None:
        if not self._is_open:
            open_installation(self.registry, now_us)
            self.registry.store.when_settled(self._opened)

    def _opened(self, committed: bool) -> None:
        self._is_open = self._is_open or committed


def _is_coap(session: Session) -> bool:
    return session.listener.startswith(COAP)
