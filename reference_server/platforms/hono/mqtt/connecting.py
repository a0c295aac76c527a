"""CONNECT: limits, credentials, and whether the device may be connected (handleConnectionRequest)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import LogIn
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.hono.mqtt.connack_codes import code_of
from fleetrig.reference_server.platforms.hono.mqtt.live_connections import LiveConnection, LiveConnections
from fleetrig.reference_server.platforms.hono.mqtt.signing_in import sign_in
from fleetrig.reference_server.platforms.hono.provisioning.assertion import assert_registration
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied, SignedIn
from fleetrig.reference_server.platforms.hono.state.connection_time import count_connection, exceeds_connection_time
from fleetrig.reference_server.platforms.hono.state.data_volume import exceeds_data_volume
from fleetrig.reference_server.platforms.hono.state.records import Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import tenant_by_id
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.contract.session import Session

UNLIMITED: Final = -1
LEAST_MESSAGE_BYTES: Final = 1
"""Who could not send so much more is not let in (checkConnectionLimit)."""
NO_ID: Final = "a client without a client id must ask for a clean session"
FULL: Final = "the adapter has as many connections as it may have"


class Connecting:
    def __init__(self, registry: Registry, connections: LiveConnections) -> None:
        self._registry = registry
        self._connections = connections
        self._took_us = 0

    def take_took_us(self) -> int:
        """How much later the latest CONNECT is answered."""
        took_us, self._took_us = self._took_us, 0
        return took_us

    def log_in(self, connect: MqttConnect, session: Session, now_us: int) -> LogIn:
        """Who is refused for a limit is registered all the same (spec 2.2)."""
        if not connect.client_id and not connect.clean_start:
            return LogIn(MqttReason.CLIENT_IDENTIFIER_NOT_VALID, reason=NO_ID)
        most = self._registry.settings.mqtt_connections
        if most != UNLIMITED and len(self._connections) >= most:
            return LogIn(MqttReason.USE_ANOTHER_SERVER, reason=f"{FULL} ({most})")
        found = sign_in(self._registry, connect, session, now_us)
        if isinstance(found, Denied):
            return _refused(code_of(found), found, found.called)
        self._took_us = found.took_us
        if why := self._exceeded(found.tenant, now_us):
            return LogIn(MqttReason.QUOTA_EXCEEDED, found.called, reason=why, changed=found.changed, steps=found.steps)
        asserted = assert_registration(self._registry, found.tenant, found.device_id, None, now_us)
        steps, changed = (*found.steps, *asserted.steps), found.changed or asserted.changed
        if isinstance(asserted, Denied):
            return LogIn(MqttReason.NOT_AUTHORIZED, found.called, reason=asserted.reason, changed=changed, steps=steps)
        self._connections.begin(_live(session, found, now_us))
        return LogIn(device=found.called, changed=changed, steps=steps)

    def ended(self, live: LiveConnection, now_us: int) -> None:
        """Its time counts, whoever has ended it."""
        tenant = tenant_by_id(self._registry, live.tenant_id)
        if tenant is not None:
            count_connection(self._registry, tenant, live.begun_us, now_us)

    def _exceeded(self, tenant: Tenant, now_us: int) -> str:
        """Why the tenant may have no further connection; empty when it may."""
        most = tenant.resource_limits.get("max-connections", UNLIMITED)
        is_counted = self._registry.traits.enforces_resource_limits and most != UNLIMITED
        if is_counted and self._connections.count(tenant.tenant_id) >= most:
            return f"the tenant has as many connections as it may have (max-connections {most})"
        begun_us = self._connections.begun_us(tenant.tenant_id)
        return exceeds_connection_time(self._registry, tenant, begun_us, now_us) or exceeds_data_volume(
            self._registry, tenant, LEAST_MESSAGE_BYTES, now_us
        )


def _refused(code: MqttReason, denied: Denied, called: str) -> LogIn:
    return LogIn(
        code,
        called,
        reason=denied.reason,
        changed=denied.changed,
        steps=denied.steps,
        rollback=denied.rollback,
    )


def _live(session: Session, found: SignedIn, now_us: int) -> LiveConnection:
    return LiveConnection(session.id, found.tenant.tenant_id, found.device_id, found.called, now_us, found.expires_us)
