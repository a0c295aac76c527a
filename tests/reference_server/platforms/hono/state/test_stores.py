"""The registry over a file: closed and opened again between requests, it answers as the one in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fleetrig.reference_server.platforms.hono.state.credentials import credentials_by_auth_id, credentials_of_device
from fleetrig.reference_server.platforms.hono.state.devices import count_devices, device_of, members_of
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.platforms.hono.state.tenants import anchors_of, tenant_of, tenants_trusting
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.reference_server.stores.sqlite import SqliteStore
from tests.reference_server.platforms.hono.registry_rig import RegistryRig, public_key_of

TENANTS = ("t", "u", "a")
"""`a` is an alias, too."""
DEVICES = ("d", "e", "f")
GROUPS = ("g", "h")
KEYS = [public_key_of(ec.generate_private_key(ec.SECP256R1())) for _ in range(2)]
REQUESTS = 120


def anchor(random: Random) -> dict[str, Any]:
    return {
        "subject-dn": random.choice(("CN=x", "O=y, CN=x")),
        "public-key": random.choice(KEYS),
        "algorithm": "EC",
        "not-before": "2020-01-01T00:00:00Z",
        "not-after": "2040-01-01T00:00:00Z",
    }


def tenant(random: Random) -> dict[str, Any]:
    document: dict[str, Any] = {"trusted-ca": [anchor(random) for _ in range(random.randrange(3))]}
    if random.random() < 0.3:
        document["alias"] = random.choice(("a", "b"))
    if random.random() < 0.5:
        document["trust-anchor-group"] = random.choice(GROUPS)
    return document


def device(random: Random) -> dict[str, Any]:
    groups = random.sample(GROUPS, random.randrange(3))
    return {"memberOf": groups} if groups else {"via": ["gw"]}


def credentials(random: Random) -> list[dict[str, Any]]:
    ids = random.sample(("i", "j", "k"), random.randrange(2))
    return [{"type": random.choice(("psk", "x")), "auth-id": one, "secrets": [{"key": "AAAA"}]} for one in ids]


def request(random: Random) -> tuple[str, str, Any]:
    named, device_id = random.choice(TENANTS), random.choice(DEVICES)
    made: dict[str, tuple[str, Callable[[Random], Any]]] = {
        "tenants": (f"/v1/tenants/{named}", tenant),
        "devices": (f"/v1/devices/{named}/{device_id}", device),
        "credentials": (f"/v1/credentials/{named}/{device_id}", credentials),
    }
    what = random.choices(list(made), (2, 2, 3))[0]
    deletes = random.random() < 0.1 and what != "credentials"
    method = "DELETE" if deletes else random.choice(("GET", "PUT") if what == "credentials" else ("POST", "GET", "PUT"))
    target, document = made[what]
    return method, target, document(random) if method in ("POST", "PUT") else None


def indexes(registry: Registry) -> list[Any]:
    """All that the adapters look up, in its order."""
    found: list[Any] = [[one.tenant_id for one in tenants_trusting(registry, dn)] for dn in ("CN=x", "O=y,CN=x")]
    found += [tenant_of(registry, name) for name in (*TENANTS, "b")]
    for named in TENANTS:
        found += [anchors_of(registry, named), count_devices(registry, named)]
        found += [[one.device_id for one in members_of(registry, named, group)] for group in GROUPS]
        found += [device_of(registry, named, one) for one in DEVICES]
        found += [credentials_of_device(registry, named, one) for one in DEVICES]
        found += [credentials_by_auth_id(registry, named, kind, one) for kind in ("psk", "x") for one in "ijk"]
    return found


def reopened(rig: RegistryRig, path: Path) -> RegistryRig:
    """Chance goes on where it was."""
    rig.registry.store.close()
    again = RegistryRig(rig.settings, rig.now_us)
    again.use(SqliteStore(path, cached_records=4), rig.registry.entropy)
    return again


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("seed", range(2))
def test_a_file_that_is_opened_again_answers_as_memory(seed: int, profile: Profile, tmp_path: Path) -> None:
    random = Random(seed)
    settings = Settings(profile=profile)
    memory, file = RegistryRig(settings), RegistryRig(settings)
    file.use(SqliteStore(tmp_path / "fleet.db", cached_records=4), file.registry.entropy)
    assert isinstance(memory.registry.store, MemoryStore)
    accepted = 0
    for _ in range(REQUESTS):
        method, target, document = request(random)
        memory.now_us += 1_000_000
        file.now_us = memory.now_us
        answers = [rig.ask(method, target, document) for rig in (memory, file)]
        assert answers[0].response == answers[1].response, (method, target, document)
        accepted += answers[0].response.status < 300
        if random.random() < 0.1:
            file = reopened(file, tmp_path / "fleet.db")
            assert indexes(file.registry) == indexes(memory.registry)
    assert indexes(file.registry) == indexes(memory.registry)
    file.registry.store.close()
    assert accepted > REQUESTS // 8
