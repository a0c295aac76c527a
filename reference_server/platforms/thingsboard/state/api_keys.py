"""Keys with which programs of a user call the operator's API in place of a login (section 4; from 4.3)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.state.records import INSTALLATION
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.reference_server.stores.interface import Kind

PREFIX: Final = "tb_"
VALUE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`expires_at_ms` 0: never."""

    id: str
    tenant_id: str
    user_id: str
    created_at_ms: int
    value: str
    description: str
    expires_at_ms: int = 0
    is_enabled: bool = False

    def has_expired(self, now_ms: int) -> bool:
        return 0 < self.expires_at_ms < now_ms


API_KEY: Final = Kind(
    "thingsboard.api_key",
    ApiKey,
    lambda key: key.id,
    {"value": lambda key: (key.value,), "user": lambda key: (key.user_id,)},
)


def new_value(registry: Registry) -> str:
    chance = bytes.fromhex(registry.entropy.token_hex(VALUE_BYTES))
    return PREFIX + base64.urlsafe_b64encode(chance).decode().rstrip("=")


def api_key_by_id(registry: Registry, key_id: str) -> ApiKey | None:
    return registry.store.get(API_KEY, INSTALLATION, key_id)


def api_key_with(registry: Registry, value: str) -> ApiKey | None:
    found = registry.store.find(API_KEY, INSTALLATION, "value", value)
    return found[0] if found else None


def api_keys_of(registry: Registry, user_id: str) -> list[ApiKey]:
    """In the order in which they were made."""
    found = registry.store.find(API_KEY, INSTALLATION, "user", user_id)
    return sorted(found, key=lambda key: (key.created_at_ms, key.id))


def save_api_key(registry: Registry, key: ApiKey) -> None:
    registry.learn("api-key", key.value)
    registry.store.put(API_KEY, INSTALLATION, key)


def delete_api_key(registry: Registry, key: ApiKey) -> None:
    registry.store.delete(API_KEY, INSTALLATION, key.id)
