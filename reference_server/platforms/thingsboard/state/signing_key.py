"""The key that signs what a login gives: made once for an installation, so that tokens outlive a restart (spec 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.state.records import INSTALLATION
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.reference_server.stores.interface import Kind

KEY_BYTES: Final = 64
"""As many as HS512 asks for (RFC 7518)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    name: str
    key_hex: str


SIGNING_KEY: Final = Kind("thingsboard.signing_key", SigningKey, lambda key: key.name)


def signing_key(registry: Registry) -> bytes:
    found = registry.store.get(SIGNING_KEY, INSTALLATION, "jwt")
    if found is None:
        found = SigningKey("jwt", registry.entropy.token_hex(KEY_BYTES))
        registry.store.put(SIGNING_KEY, INSTALLATION, found)
    return bytes.fromhex(found.key_hex)
