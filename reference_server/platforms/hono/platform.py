"""The Hono platform: the management API and three adapters over one registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.northbound import NorthboundCommand, NorthboundMessage, Outlet
from fleetrig.reference_server.platform import ACCEPTED, HandshakeAnswer, HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.platforms.hono.coap.adapter import CoapAdapter, coap_rules
from fleetrig.reference_server.platforms.hono.commands.router import CommandRouter
from fleetrig.reference_server.platforms.hono.commands.sending import send_command
from fleetrig.reference_server.platforms.hono.http.adapter import HttpAdapter
from fleetrig.reference_server.platforms.hono.management.api import ManagementApi
from fleetrig.reference_server.platforms.hono.management.container import CLOSES_AFTER, container_page, failure_page
from fleetrig.reference_server.platforms.hono.mqtt.adapter import MqttAdapter
from fleetrig.reference_server.platforms.hono.mqtt.session_rules import mqtt_limits
from fleetrig.reference_server.platforms.hono.northbound.messages import OWED, messages_after
from fleetrig.reference_server.platforms.hono.provisioning.date_check import judge_dates
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.clock import US_PER_MS, earliest_us
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish, MqttSubscribe
from fleetrig.simulator.contract.session import Session

REGISTRY: Final = "registry"
"""The listener of the management API."""
COAP: Final = "coap"
"""How the names of its listeners begin."""
MANAGEMENT: Final = "/v1/"
REGISTRY_TIMEOUT_US: Final = 200 * US_PER_MS
"""`requestTimeout` of the adapters' clients."""
AT_ONCE: Final = 0
DEFAULTS: Final = Settings()


class HonoPlatform:
    """Only routes, by the listener that a session came in by."""

    name = "hono"

    def __init__(self, store: Store, blobs: Blobs, entropy: Entropy, settings: Settings = DEFAULTS) -> None:
        self.registry = Registry(store, entropy, settings)
        self._management = ManagementApi(self.registry)
        self._router = CommandRouter(self.registry)
        self._http = HttpAdapter(self.registry, self._router)
        self._mqtt = MqttAdapter(self.registry, self._router)
        self._coap = CoapAdapter(self.registry, self._router)
        self.webhook = settings.webhook
        self.coap_rules = coap_rules(settings.payload_bytes)
        self.mqtt_limits = mqtt_limits(settings.payload_bytes)
        self.container_rules = HttpContainerRules(container_page, CLOSES_AFTER, failure=failure_page)

    # What fronts say

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        if session.listener == REGISTRY:
            return self._management.handle(request, session, now_us)
        return self._http.handle(request, session, now_us)

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        if session.listener.startswith(COAP):
            return self._coap.judge(session, now_us)
        if session.listener == REGISTRY:
            return ACCEPTED
        return judge_dates(session.certificates, now_us)

    def left(self, held_id: int, now_us: int) -> None:
        self._http.left(held_id)

    def opened(self, session: Session, now_us: int) -> Reaction:
        return self._adapter(session).opened(session, now_us)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        return self._adapter(session).receive(session, envelope, now_us)

    def closed(self, session: Session, now_us: int) -> Reaction:
        return self._adapter(session).closed(session, now_us)

    def failed(self, session: Session, envelope: Envelope, reason: str, now_us: int) -> Reaction:
        return self._adapter(session).failed(session, envelope, reason)

    def gives_up_after_us(self, envelope: Envelope) -> int | None:
        """An adapter waits so long for the registry; an operator waits for it."""
        match envelope:
            case HttpRequest(path=path) if path.startswith(MANAGEMENT):
                return None
            case HttpRequest() | MqttConnect() | MqttPublish() | MqttSubscribe() | CoapRequest():
                return REGISTRY_TIMEOUT_US
        return None

    # By itself

    def next_due_us(self) -> int | None:
        if self.registry.has_notices or self._router.is_due:
            return AT_ONCE
        return earliest_us(self._http.next_due_us(), self._mqtt.next_due_us(), self._coap.next_due_us())

    def advance_in_memory(self, now_us: int) -> Sequence[Reaction]:
        """Sessions hear of what was done to their devices and tenants; what waits is answered."""
        return [
            *self._mqtt.hear(self.registry.take_notices(), now_us),
            *self._coap.hear_commands(now_us),
            *self._http.hear_commands(),
            *self._http.advance(now_us),
            *self._mqtt.advance(now_us),
            *self._coap.advance(now_us),
        ]

    def advance(self, now_us: int) -> Sequence[Reaction]:
        """Over MQTT who gets a command may have to be looked up; applications hear of those that came to nothing."""
        delivered = self._mqtt.hear_commands(now_us)
        self._router.undelivered.tell(now_us)
        return delivered

    # What applications do

    @property
    def outlet(self) -> Outlet:
        return self.registry.outlet

    @outlet.setter
    def outlet(self, outlet: Outlet) -> None:
        self.registry.outlet = outlet

    def for_webhook(self, after: int, at_most: int) -> Sequence[NorthboundMessage]:
        return messages_after(self.registry, "", after, at_most, OWED)

    def northbound(self, tenant: str, after: int, at_most: int) -> Sequence[NorthboundMessage]:
        return messages_after(self.registry, tenant, after, at_most)

    def send_command(self, command: NorthboundCommand, now_us: int) -> str:
        return send_command(self.registry, self._router, command)

    def secrets(self) -> list[tuple[str, str]]:
        known, self.registry.new_secrets = self.registry.new_secrets, []
        return known

    def _adapter(self, session: Session) -> MqttAdapter | CoapAdapter:
        return self._coap if session.listener.startswith(COAP) else self._mqtt
