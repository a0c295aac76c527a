"""From material to a new configuration, all at once; and the way back if the target fails (spec 1.6, 3.7)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura.components import PIDS, PROVISIONING_PID, TRANSPORT_PID
from fleetrig.simulator.flows.kura.configuration_handler import take_snapshot
from fleetrig.simulator.flows.kura.keystore import (
    KEYSTORES,
    PRIVATE_KEY,
    SIGNING_STORE,
    SSL_STORE,
    certificate_pem,
    stores_of,
    trusted,
)
from fleetrig.simulator.flows.kura.life import COMPONENTS, FACTORY_PID, PREVIOUS, SIGNED, GatewayLife
from fleetrig.simulator.flows.kura.material import Material
from fleetrig.simulator.stages import Stage

DEVICE_KEY: Final = "provisioned-device"


def commit(life: GatewayLife, material: Material, key_pem: str) -> Generator[Effect, Outcome, None]:
    """A power cut before it leaves the old configuration, one after it the new one. `key_pem`: of the certificate."""
    before, overrides = what_was(life), life.overrides
    for pid, values in material.configurations.items():
        if pid in PIDS or pid in overrides or FACTORY_PID in values:
            overrides[pid] = {**overrides.get(pid, {}), **values}
    overrides[TRANSPORT_PID] = {**overrides.get(TRANSPORT_PID, {}), **target_of(material)}
    overrides[PROVISIONING_PID] = {**overrides.get(PROVISIONING_PID, {}), "enabled": False, "provisioned": True}
    stores: Any = stores_with(life, material, key_pem)
    life.attempts, life.target_failures = 0, 0
    yield from life.keep(
        components=overrides,
        keystores=stores,
        signed=True,
        previous=before,
        fault=None,
        job=material.job_id,
        stage=Stage.ENROLLED.value,
    )
    life.adopt_overrides()
    yield from take_snapshot(life)


def what_was(life: GatewayLife) -> dict[str, Any]:
    """What a gateway comes back to: the last configuration with which a target has known it."""
    kept = life.memory.get(PREVIOUS)
    if isinstance(kept, dict):
        return kept
    return {
        COMPONENTS: life.overrides,
        "has_target": bool(life.transport.broker_url),
        "signed": bool(life.memory.get(SIGNED)),
        KEYSTORES: life.memory.get(KEYSTORES),
    }


def target_of(material: Material) -> dict[str, Json]:
    return {
        "broker-url": material.broker_url,
        "topic.context.account-name": material.account_name,
        "client-id": material.client_id,
        "username": material.username,
        "password": material.password,
    }


def stores_with(life: GatewayLife, material: Material, key_pem: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The keystores with what came: who signs control messages, and the device's own certificate."""
    stores = stores_of(life)
    if material.chain and material.alias:
        stores.setdefault(SIGNING_STORE, {})[material.alias.lower()] = trusted(certificate_pem(material.chain[0]))
    if key_pem and material.device_certificate:
        stores.setdefault(SSL_STORE, {})[DEVICE_KEY] = {
            "type": PRIVATE_KEY, "key": key_pem, "chain": [material.device_certificate.strip()],
        }  # fmt: skip
    return stores


def confirm_target(life: GatewayLife) -> Generator[Effect, Outcome, None]:
    """BIRTH was acknowledged by the target: there is no way back any more, and none is needed."""
    life.target_failures = 0
    if PREVIOUS in life.memory:
        yield from life.keep(previous=None)


def roll_back(life: GatewayLife) -> Generator[Effect, Outcome, None]:
    """The target has failed too often: the old configuration comes back, provisioned as before (spec 3.7).

    A gateway that had none begins to provision itself anew.
    """
    before = life.memory.get(PREVIOUS)
    assert isinstance(before, dict)
    old, now = before.get(COMPONENTS), life.overrides
    flags = {"enabled": not before.get("has_target"), "provisioned": bool(before.get("signed"))}
    overrides: dict[str, Json] = dict(old) if isinstance(old, dict) else {}
    overrides[PROVISIONING_PID] = {**now.get(PROVISIONING_PID, {}), **flags}
    life.target_failures = 0
    yield from life.keep(
        components=overrides,
        keystores=before.get(KEYSTORES),
        signed=bool(before.get("signed")) or None,
        previous=None,
        fault="rolled_back",
    )
    life.adopt_overrides()
    yield from life.enter(Stage.BACKING_OFF, "the target fails: back to the old configuration")
