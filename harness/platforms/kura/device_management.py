"""What an operator asks of devices over REST: a call is answered when the device has answered (spec 5.5, 3.2, 3.4)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.platforms.kura.admin import JsonDict, KuraAdmin, property_of
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall

ANSWERS_WITHIN_S: Final = 30
TIMEOUT: Final = f"timeout={ANSWERS_WITHIN_S * 1000}"
PIDS: Final[Mapping[str, str]] = {
    "MqttDataTransport": "org.eclipse.kura.core.data.transport.mqtt.MqttDataTransport",
    "DataService": "org.eclipse.kura.data.DataService",
    "CloudService": "org.eclipse.kura.cloud.CloudService",
    "ProvisioningService": "org.eclipse.kura.provisioning.ProvisioningService",
}
"""Short name -> pid of the default cloud connection (spec 3.2). That of the ProvisioningService is not public: it is
part of the open profile."""
SIGNING_STORE: Final = "DMKeystore"
TRUST_STORE: Final = "SSLKeystore"


def pid_of(component: str) -> str:
    return PIDS.get(component, component)


def write_configuration(
    admin: KuraAdmin, device: str, component: str, properties: Mapping[str, Any]
) -> AdminCall[None]:
    """CONF-V1 PUT of one component. `device` is the path of the device: `SCOPE/devices/ID`."""
    pid = pid_of(component)
    document = {"id": pid, "properties": {"property": [typed_property(*one) for one in properties.items()]}}
    yield from admin.call("PUT", f"/v1/{device}/configurations/{pid}?{TIMEOUT}", document, expect=(200, 204))


def typed_property(name: str, value: Any) -> JsonDict:
    """A property with the type that a gateway's own has."""
    plain = property_of(name, value)
    return {**plain, "type": "Password"} if name.rpartition(".")[2] in ("password", "activation-key") else plain


def load_certificate(admin: KuraAdmin, device: str, keystore: str, alias: str, pem: str) -> AdminCall[None]:
    """KEYS POST of a trusted certificate, which is then read back. Raises BrokenBench for another one."""
    entry = {"keystoreId": keystore, "alias": alias, "certificate": pem}
    path = f"/v1/{device}/keystore/items/certificateRaw?{TIMEOUT}"
    yield from admin.call("POST", path, entry, expect=(200, 204))
    back = yield from admin.call("GET", f"/v1/{device}/keystore/item?keystoreId={keystore}&alias={alias}&{TIMEOUT}")
    if str(admin.part(back, str, "certificate")).split() != pem.split():
        raise BrokenBench(f"{device} gives another certificate back than was loaded as {alias} into {keystore}")


def take_snapshot(admin: KuraAdmin, device: str) -> AdminCall[None]:
    """CONF-V1 EXEC/snapshot, as a general request: the REST API has no call of its own for it."""
    channel = {"semanticParts": ["snapshot"], "appName": "CONF", "version": "V1", "method": "EXECUTE"}
    answer = yield from admin.call("POST", f"/v1/{device}/requests?{TIMEOUT}", {"channel": channel, "payload": {}})
    code = admin.part(answer, dict).get("responseCode")
    if code not in ("ACCEPTED", 200):
        raise BrokenBench(f"{device} took no snapshot: it answered {code}")


def roll_back(admin: KuraAdmin, device: str) -> AdminCall[None]:
    """To the last snapshot but one."""
    answer = yield from admin.call("GET", f"/v1/{device}/snapshots?{TIMEOUT}")
    listed = admin.part(answer, dict).get("snapshotId") or []
    ids = sorted(str(one.get("id", one)) if isinstance(one, dict) else str(one) for one in listed)
    if len(ids) < 2:
        raise BrokenBench(f"{device} has {len(ids)} snapshots, and none before the last")
    yield from admin.call("POST", f"/v1/{device}/snapshots/{ids[-2]}/_rollback?{TIMEOUT}", expect=(200, 204))


def body_text(body: str) -> str:
    """A body as JSON documents of Kapua carry it."""
    return base64.b64encode(body.encode()).decode()
