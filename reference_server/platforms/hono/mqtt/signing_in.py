"""Who a CONNECT is from: by the certificate of its connection, else by a token, else by a password (createAuthHandler).

A certificate that no tenant trusts does not end it: the CONNECT may say more. What was found to be meant counts, and
nothing else is tried.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.provisioning.sign_in import (
    MQTT,
    Denied,
    SignedIn,
    is_token,
    with_certificate,
    with_password,
    with_token,
)
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttVersion
from fleetrig.simulator.contract.session import Session

UNAUTHORIZED: Final = 401
FEWEST_PARTS: Final = 3
"""Of a client id that names a tenant and an auth-id: `tenants/T/devices/A`."""


def sign_in(registry: Registry, connect: MqttConnect, session: Session, now_us: int) -> SignedIn | Denied:
    client_id = connect.client_id or registry.new_uuid()  # as the real server names who does not do it itself
    unknown: Denied | None = None
    if session.certificates:
        found = with_certificate(registry, session.certificates, session.server_name, MQTT, client_id, now_us)
        if isinstance(found, SignedIn) or Step.CERTIFICATE_VALIDATED in found.steps:
            return found
        unknown = found
    by_packet = _by_packet(registry, connect, client_id, now_us)
    return _nothing(unknown) if by_packet is None else by_packet


def _by_packet(registry: Registry, connect: MqttConnect, client_id: str, now_us: int) -> SignedIn | Denied | None:
    """None when there are no credentials in it at all."""
    user_name, password = connect.user_name, _password_of(connect)
    if password is not None and is_token(password):
        return with_token(registry, password, _named_in(connect.client_id), MQTT, now_us)
    if user_name is None and password is None:
        return None
    if user_name is None or password is None:
        why = "the CONNECT has a user name and no password" if password is None else "it has a password alone"
        return Denied(UNAUTHORIZED, "device provided malformed credentials in CONNECT packet", why)
    return with_password(registry, user_name, password, MQTT, client_id, now_us)


def _password_of(connect: MqttConnect) -> str | None:
    """Of MQTT 3 without a user name it is not looked at."""
    is_heard = connect.user_name is not None or connect.version is MqttVersion.V5
    return connect.password.decode("utf-8", "replace") if connect.password is not None and is_heard else None


def _named_in(client_id: str) -> tuple[str, str] | None:
    """Tenant and auth-id, for a token that does not name them itself."""
    parts = client_id.rstrip("/").split("/")
    return (parts[-FEWEST_PARTS], parts[-1]) if len(parts) >= FEWEST_PARTS else None


def _nothing(unknown: Denied | None) -> Denied:
    """`unknown`: what became of its certificate, if it has shown one. The client hears of the CONNECT alone."""
    error = "device did not provide credentials in CONNECT packet"
    if unknown is None:
        why = "it shows no certificate, and the CONNECT has neither user name nor password"
        return Denied(UNAUTHORIZED, error, why)
    return Denied(UNAUTHORIZED, error, unknown.reason, unknown.steps, called=unknown.called)
