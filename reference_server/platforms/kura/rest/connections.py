"""Connections of devices: `/v1/{scope}/deviceconnections` (spec 5.4, 5.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import flag, needed_whole, text, word
from fleetrig.reference_server.platforms.kura.rest.replies import (
    Reply,
    counted,
    done,
    entity,
    listed,
    paging_of_body,
    paging_of_query,
)
from fleetrig.reference_server.platforms.kura.state.connections import (
    connection_by_client,
    connections_of,
    needed_connection,
    set_options,
)
from fleetrig.reference_server.platforms.kura.state.coupling import is_reserved_elsewhere
from fleetrig.reference_server.platforms.kura.state.device_records import DeviceConnection
from fleetrig.reference_server.platforms.kura.state.errors import Refused
from fleetrig.reference_server.platforms.kura.state.records import CouplingMode
from fleetrig.reference_server.platforms.kura.state.registry import Notice, NoticeKind
from fleetrig.reference_server.platforms.kura.state.users import needed_user

AUTHENTICATION_TYPES = ("USER_PASS",)


def connection_document(connection: DeviceConnection) -> dict[str, Any]:
    members = {
        "status": connection.status.value,
        "clientId": connection.client_id,
        "userId": connection.user_id,
        **_options(connection),
        "lastAuthenticationType": "USER_PASS",
        "protocol": connection.protocol,
        "clientIp": connection.client_ip or None,
        "serverIp": connection.server_ip or None,
    }
    return entity("deviceConnection", connection, members)


def options_document(connection: DeviceConnection) -> dict[str, Any]:
    return entity("deviceConnectionOption", connection, _options(connection))


def list_all(call: Call) -> Reply:
    client_id = call.parameter("clientId")
    if client_id:
        one = connection_by_client(call.registry, call.scope.id, client_id)
        found = [] if one is None else [one]
    else:
        found = connections_of(call.registry, call.scope.id)
    status, client_ip, protocol = (call.parameter(name) for name in ("status", "clientIp", "protocol"))
    fitting = [
        one
        for one in found
        if status in ("", one.status.value) and client_ip in ("", one.client_ip) and protocol in ("", one.protocol)
    ]
    return listed("deviceConnection", fitting, connection_document, paging_of_query(call))


def query(call: Call) -> Reply:
    found = connections_of(call.registry, call.scope.id)
    return listed("deviceConnection", found, connection_document, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(connections_of(call.registry, call.scope.id), connection_document, paging_of_body(call))


def read(call: Call) -> Reply:
    return Reply(connection_document(_wanted(call)))


def read_options(call: Call) -> Reply:
    return Reply(options_document(_wanted(call)))


def update_options(call: Call) -> Reply:
    """PUT …/options: what a document does not say stays; a null user is nobody."""
    connection, asked = _wanted(call), call.document
    reserved = connection.reserved_user_id
    if "reservedUserId" in asked:
        reserved = text(asked, "reservedUserId") or ""
    if reserved and reserved != connection.reserved_user_id:
        _check_reservable(call, connection, reserved)
    mode = word(asked, "userCouplingMode", tuple(CouplingMode)) or connection.user_coupling_mode
    changed = replace(
        connection,
        allow_user_change=flag(asked, "allowUserChange", default=connection.allow_user_change),
        user_coupling_mode=CouplingMode(mode),
        reserved_user_id=reserved,
        authentication_type=word(asked, "authenticationType", AUTHENTICATION_TYPES) or connection.authentication_type,
    )
    optlock = needed_whole(asked, "optlock")
    saved = set_options(call.registry, changed, optlock, call.now_us, call.operator.id)
    return Reply(options_document(saved), changed="options of a connection changed", device=saved.client_id)


def disconnect(call: Call) -> Reply:
    """POST …/_disconnect: the broker ends its session, if it has one."""
    connection = _wanted(call)
    notice = Notice(NoticeKind.CONNECTION_CLOSED, connection.scope_id, connection.client_id)
    call.registry.notify(notice)
    return done("connection closed", connection.client_id)


def _wanted(call: Call) -> DeviceConnection:
    return needed_connection(call.registry, call.scope.id, call.values["connection"])


def _check_reservable(call: Call, connection: DeviceConnection, user_id: str) -> None:
    user = needed_user(call.registry, call.scope.id, user_id)
    if is_reserved_elsewhere(call.registry, call.scope.id, connection.id, user):
        error = (
            "This user is already reserved for another connection. Please select different user for this connection."
        )
        raise Refused(500, "USER_ALREADY_RESERVED_BY_ANOTHER_CONNECTION", error)


def _options(connection: DeviceConnection) -> dict[str, Any]:
    return {
        "allowUserChange": connection.allow_user_change,
        "userCouplingMode": connection.user_coupling_mode.value,
        "reservedUserId": connection.reserved_user_id or None,
        "authenticationType": connection.authentication_type,
    }
