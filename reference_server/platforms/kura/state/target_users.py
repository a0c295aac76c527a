"""The user that a device gets in its own account, made for one run of a provision job (spec 1.6)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.connections import connection_by_client
from fleetrig.reference_server.platforms.kura.state.credentials import new_credential, save_credential
from fleetrig.reference_server.platforms.kura.state.device_records import (
    CONNECTION,
    ConnectionStatus,
    DeviceConnection,
)
from fleetrig.reference_server.platforms.kura.state.permissions import BROKER_CONNECT, grant
from fleetrig.reference_server.platforms.kura.state.provision_records import ProvisionRequest
from fleetrig.reference_server.platforms.kura.state.records import CouplingMode, Permission, User
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.users import create_user

PASSWORD_CHARS: Final = 32
TELLS_APART: Final = 8
"""Letters that keep the users of one client id apart: it may have been provisioned before, here or elsewhere."""


def issue_target_user(registry: Registry, request: ProvisionRequest, now_us: int) -> tuple[User, str]:
    """A new user of the target account who may connect to the broker, and its password."""
    stem = re.sub(r"[^A-Za-z0-9_-]", "-", request.client_id)[:200]
    name = f"{stem}-{registry.new_word(TELLS_APART)}"
    by = request.provision_user_id
    made = {"created_us": now_us, "created_by": by, "modified_us": now_us, "modified_by": by}
    user = User(registry.new_id(), request.scope_id, name, user_type="DEVICE", **made)  # type: ignore[arg-type]
    create_user(registry, user)
    password = registry.new_word(PASSWORD_CHARS)
    save_credential(registry, new_credential(registry, user.scope_id, user.id, password, now_us, by))
    grant(registry, user, (Permission(*BROKER_CONNECT, request.scope_id),), now_us, by)
    return user, password


def bind_if_tight(registry: Registry, request: ProvisionRequest, user_id: str, now_us: int) -> None:
    """The device has confirmed: with tight credentials nobody but its new user may use its client id from now on.

    Without them nothing is changed: under STRICT coupling an operator permits the change of a user (5.4).
    """
    if not request.credentials_tight:
        return
    found = connection_by_client(registry, request.scope_id, request.client_id) or DeviceConnection(
        registry.new_id(),
        request.scope_id,
        request.client_id,
        user_id,
        ConnectionStatus.DISCONNECTED,
        created_us=now_us,
    )
    bound = replace(
        found,
        reserved_user_id=user_id,
        user_coupling_mode=CouplingMode.STRICT,
        modified_us=now_us,
        optlock=found.optlock + 1,
    )
    registry.store.put(CONNECTION, request.scope_id, bound)
