"""CONNECT: whose connection it is, and whether it may be (spec 1.2, 5.3, 5.4).

A wrong or unknown credential is refused with 4, all that is not permitted with 5: so Kapua's own broker has told them
apart (its exceptions for credentials and for security), and the facts of 5.4 accept both. A client id that nobody may
have gets 2, which the real broker means to do and does not yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import LogIn
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.kura.broker.access_rules import (
    PLAIN,
    AccessList,
    AccessRule,
    BrokerRights,
    rules_of,
)
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.broker.topics import REQUESTER, client_id_flaw
from fleetrig.reference_server.platforms.kura.state.accounts import provision_account
from fleetrig.reference_server.platforms.kura.state.connections import connected
from fleetrig.reference_server.platforms.kura.state.errors import LoginFailure, LoginRefused
from fleetrig.reference_server.platforms.kura.state.events import Peer, audit
from fleetrig.reference_server.platforms.kura.state.permissions import is_permitted, permissions_of
from fleetrig.reference_server.platforms.kura.state.provision_records import REQUEST
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION, AccountRecord, User
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.sign_in import sign_in_to_broker, sign_in_to_provision
from fleetrig.reference_server.platforms.kura.state.users import user_by_id, user_by_name
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.contract.session import Session

CODES: Final = {
    LoginFailure.BAD_CREDENTIALS: MqttReason.BAD_USER_NAME_OR_PASSWORD,
    LoginFailure.NOT_AUTHORIZED: MqttReason.NOT_AUTHORIZED,
}
NO_CREDENTIALS: Final = "the CONNECT needs a user name and a password"
REQUEST_FOUND: Final = "request_found"
"""The step of the trace when a device has signed in for a provision request."""
MANAGES_DEVICES: Final = ("device_management", "write")
MANAGES_DATA: Final = ("datastore", "write")
VIEWS_DATA: Final = ("datastore", "read")


@dataclass(frozen=True, slots=True)
class SignIn:
    """What comes of a CONNECT; `live` is None when it is refused."""

    login: LogIn
    live: LiveClient | None = None


def sign_in(registry: Registry, connect: MqttConnect, session: Session, now_us: int) -> SignIn:
    if flaw := client_id_flaw(connect.client_id):
        return _refused(registry, connect, session, MqttReason.CLIENT_IDENTIFIER_NOT_VALID, flaw, now_us)
    if connect.user_name is None or connect.password is None:
        code = MqttReason.BAD_USER_NAME_OR_PASSWORD
        return _refused(registry, connect, session, code, NO_CREDENTIALS, now_us)
    password = connect.password.decode("utf-8", "replace")
    try:
        live = _live(registry, connect, connect.user_name, password, session, now_us)
    except LoginRefused as refused:
        return _refused(registry, connect, session, CODES[refused.failure], refused.reason, now_us)
    steps = (REQUEST_FOUND,) if live.request_id else ()
    return SignIn(LogIn(device=live.client_id, scope=live.scope_id, steps=steps), live)


def _live(
    registry: Registry, connect: MqttConnect, username: str, password: str, session: Session, now_us: int
) -> LiveClient:
    """Raises LoginRefused."""
    if _is_bootstrap(registry, username):
        return _bootstrap(registry, connect.client_id, username, password, session, now_us)
    user, account = sign_in_to_broker(registry, username, password, now_us)
    connection = connected(registry, account, connect.client_id, user, session.peer, "MQTT", now_us)
    access = AccessList(rules_of(rights_of(registry, user, account), account.name, connect.client_id))
    return LiveClient(session.id, account, connect.client_id, user, access, session.peer, now_us, connection)


def _is_bootstrap(registry: Registry, username: str) -> bool:
    """A user of the provisioning account whom provision requests name."""
    user = user_by_name(registry, username)
    return user is not None and registry.store.count(REQUEST, INSTALLATION, "user", user.id) > 0


def _bootstrap(
    registry: Registry, client_id: str, username: str, password: str, session: Session, now_us: int
) -> LiveClient:
    """It says and hears what is below its own control topic, and answers the server (S-28)."""
    request = sign_in_to_provision(registry, client_id, username, password, now_us)
    account = provision_account(registry)
    user = user_by_id(registry, request.provision_user_id)
    assert user is not None, "a request that was signed in for has its user"
    access = AccessList(bootstrap_rules(account.name, client_id))
    return LiveClient(session.id, account, client_id, user, access, session.peer, now_us, request_id=request.id)


def bootstrap_rules(account: str, client_id: str) -> tuple[AccessRule, ...]:
    """Without the right of other devices to write any reply: nobody forges one on another's reply topic here."""
    return (
        AccessRule(f"$EDC/{account}/{client_id}/#"),
        AccessRule(f"$EDC/{account}/{REQUESTER}/+/REPLY/#", may_read=False),
        AccessRule(f"$EDC/{account}/{REQUESTER}/+/NOTIFY/{client_id}/#", may_read=False),
    )


def rights_of(registry: Registry, user: User, account: AccountRecord) -> BrokerRights:
    """What the user's permissions come to in the account that it connects to."""
    permissions = permissions_of(registry, user)
    if len(permissions) == 1 and permissions[0].domain == "broker":
        return PLAIN  # nearly all devices
    if any(one.domain is None and one.action is None and one.target_scope_id is None for one in permissions):
        return BrokerRights(is_admin=True)
    held = [is_permitted(registry, user, *one, account.id) for one in (MANAGES_DEVICES, MANAGES_DATA, VIEWS_DATA)]
    return BrokerRights(False, *held)


def _refused(
    registry: Registry, connect: MqttConnect, session: Session, code: MqttReason, reason: str, now_us: int
) -> SignIn:
    """On record, with what the stranger says of himself and without his password (S-37)."""
    peer = Peer(connect.client_id, connect.user_name or "", session.peer)
    audit(registry, peer, "connect", reason, now_us)
    return SignIn(LogIn(code, device=connect.client_id, reason=reason))
