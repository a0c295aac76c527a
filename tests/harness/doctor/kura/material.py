"""What the doctor is shown: configurations, payloads, chains and keystores, as people have them."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fleetrig.reference_server.platforms.kura.payload.codec import encode
from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    Metric,
    ValueType,
    int32,
    octets,
    string,
)
from fleetrig.reference_server.platforms.kura.signing.signer import signed
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.profile import Validity
from fleetrig.simulator.contract.clock import US_PER_S

SECRETS = {
    "SECRET": "Bootstrap-pass-1!", "OTHER": "Another-pass-22!", "KEY": "abcdefghijklmnopqrstuvwxyz012345",
    "OTHER_KEY": "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
}  # fmt: skip
"""Environment variable -> password or activation key. None of them is ever shown."""
PIDS = {
    "ProvisioningService": "org.eclipse.kura.provisioning.ProvisioningService",
    "MqttDataTransport": "org.eclipse.kura.core.data.transport.mqtt.MqttDataTransport",
    "DataService": "org.eclipse.kura.data.DataService",
    "CloudService": "org.eclipse.kura.cloud.CloudService",
}
PROVISIONING = {
    "enabled": "true", "provisioned": "false", "ca-authentication": "true", "broker-url": "mqtts://127.0.0.1:8883",
    "account-name": "ec-provisioning", "username": "", "client-id": "", "retry-interval": "60",
    "retry-max-attempts": "-1", "timeout": "30",
}  # fmt: skip
TRANSPORT = {
    "broker-url": "mqtts://127.0.0.1:8883", "topic.context.account-name": "acct", "username": "gw-1",
    "client-id": "gw-1",
}  # fmt: skip
DATA = {"connect.auto-on-startup": "true", "connect.retry-interval": "60"}
NAMESPACE = "http://eurotech.com/esf/2.0"


def configurations(components: Mapping[str, Mapping[str, str]], prefix: str = "esf") -> str:
    """Short name of a component, with a suffix of its connection after `-`, -> its values."""
    listed = "".join(
        f'<{prefix}:configuration pid="{pid(name)}"><{prefix}:properties>'
        + "".join(
            f'<{prefix}:property name="{key}" array="false" encrypted="false" type="String">'
            f"<{prefix}:value>{escape(value)}</{prefix}:value></{prefix}:property>"
            for key, value in values.items()
        )
        + f"</{prefix}:properties></{prefix}:configuration>"
        for name, values in components.items()
    )
    return f'<{prefix}:configurations xmlns:{prefix}="{NAMESPACE}">{listed}</{prefix}:configurations>'


def pid(name: str) -> str:
    short, dash, suffix = name.partition("-")
    return PIDS[short] + dash + suffix


def provisioning(**changes: str) -> dict[str, Mapping[str, str]]:
    """A gateway that is to be provisioned; underscores for hyphens."""
    return {"ProvisioningService": {**PROVISIONING, **_named(changes)}}


def connected(transport: Mapping[str, str] | None = None, **data: str) -> dict[str, Mapping[str, str]]:
    """One that is configured by hand; `data` with underscores for dots, of its DataService."""
    named = {key.replace("__", "-").replace("_", "."): value for key, value in data.items()}
    return {"MqttDataTransport": {**TRANSPORT, **(transport or {})}, "DataService": {**DATA, **named}}


def _named(changes: Mapping[str, str]) -> dict[str, str]:
    return {key.replace("_", "-"): value for key, value in changes.items()}


# -- messages


def hexed(metrics: Mapping[str, Metric], body: bytes | None = None) -> str:
    return encode(KuraPayload(metrics=metrics, body=body)).hex()


IDS = {"request.id": string("42"), "requester.client.id": string("SRV-1")}
ASKING = {
    "request.id": string("42"), "requester.client.id": string("#client-id"), "prov.profile": string("PROV-SIM1"),
    "prov.attempt": int32(1), "prov.nonce": octets(bytes(16)),
}  # fmt: skip
DOUBLE = Metric(ValueType.DOUBLE, 42.0)


def signed_hex(
    authority: CertificateAuthority, alias: str, request: str, client_id: str, after_s: float = 0.0,
    body: bytes | None = None,
) -> str:  # fmt: skip
    """A request with its ids, signed by the authority's own key."""
    key = load_pem_private_key(authority.key_pem, None)
    now_ms = int((time.time() + after_s) * 1000)
    payload = signed(KuraPayload(metrics=IDS, body=body), key, alias, request, client_id, now_ms)  # type: ignore[arg-type]
    return encode(payload).hex()


# -- certificates


def authority(name: str = "Root", **how: Any) -> CertificateAuthority:
    return CertificateAuthority(name, now_us(), **how)


def entries(*listed: tuple[str, CertificateAuthority], store: str = "DMKeystore") -> str:
    """A keystore as KEYS-V1 lists it."""
    return json.dumps([
        {"keystoreServicePid": store, "alias": alias, "type": "TRUSTED_CERTIFICATE",
         "certificate": one.certificate_pem.decode()}
        for alias, one in listed
    ])  # fmt: skip


def now_us() -> int:
    return time.time_ns() // 1000


def days(begin: float, end: float) -> Validity:
    """From so many days from now until so many."""
    return Validity.from_us(*(now_us() + int(at * 86_400) * US_PER_S for at in (begin, end)))


def base64_of(text: str) -> str:
    return b64encode(bytes.fromhex(text)).decode()
