"""An account goes with all that belongs to it."""

from __future__ import annotations

from fleetrig.reference_server.platforms.kura.state.accounts import check_removable, delete_account
from fleetrig.reference_server.platforms.kura.state.certificates import certificates_of, delete_certificate
from fleetrig.reference_server.platforms.kura.state.connections import connections_of, delete_connection
from fleetrig.reference_server.platforms.kura.state.devices import delete_device, devices_of
from fleetrig.reference_server.platforms.kura.state.provision_requests import delete_request, requests_of
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord
from fleetrig.reference_server.platforms.kura.state.registry import Notice, NoticeKind, Registry
from fleetrig.reference_server.platforms.kura.state.users import delete_user, users_of


def remove_account(registry: Registry, account: AccountRecord) -> None:
    """Requests first, so that nobody is provisioned into what is gone; sessions are closed. Raises Refused."""
    check_removable(registry, account)
    for request in requests_of(registry, account.id):
        delete_request(registry, request)
    for device in devices_of(registry, account.id):
        delete_device(registry, device)
    for connection in connections_of(registry, account.id):
        registry.notify(Notice(NoticeKind.CONNECTION_CLOSED, account.id, connection.client_id))
        delete_connection(registry, connection)
    for user in users_of(registry, account.id):
        delete_user(registry, user)
    for certificate in certificates_of(registry, account.id):
        delete_certificate(registry, certificate)
    delete_account(registry, account)
