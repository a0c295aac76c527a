"""What the server says in PROV-SIM1 (spec 1.6). None of it carries `request.id`, or a gateway might answer it (2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    Metric,
    boolean,
    int32,
    octets,
    string,
)
from fleetrig.reference_server.platforms.kura.provisioning.provision_errors import ERROR_FORMS, STRICT, Denial


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that a device needs to go to its account."""

    job_id: str
    nonce: bytes
    broker_url: str
    account_name: str
    client_id: str
    username: str
    password: str
    chain_pem: str
    dm_alias: str
    device_certificate_pem: str = ""
    """Only if the device has asked for one."""
    apps: int = 0
    """How many packages are still to be installed."""
    configuration: bytes = b""


def material_payload(material: Material, now_ms: int) -> KuraPayload:
    """The reply 200, not yet signed."""
    metrics: dict[str, Metric] = {
        "response.code": int32(200),
        "prov.job.id": string(material.job_id),
        "prov.nonce": octets(material.nonce),
        "prov.broker-url": string(material.broker_url),
        "prov.account-name": string(material.account_name),
        "prov.client-id": string(material.client_id),
        "prov.username": string(material.username),
        "prov.password": string(material.password),
        "prov.cert.chain": string(material.chain_pem),
        "prov.dm.alias": string(material.dm_alias),
        "prov.apps": int32(material.apps),
    }
    if material.device_certificate_pem:
        metrics["prov.device.cert"] = string(material.device_certificate_pem)
    return KuraPayload(now_ms, metrics=metrics, body=material.configuration or None)


def acknowledged(job_id: str, now_ms: int) -> KuraPayload:
    """The reply 200 to a confirm: the permission to commit, or that a failure was noted."""
    return KuraPayload(now_ms, metrics={"response.code": int32(200), "prov.job.id": string(job_id)})


def denied(denial: Denial, now_ms: int, *, is_strict: bool) -> KuraPayload:
    """`is_strict`: a missing request and a wrong activation key look the same (`strict-errors`)."""
    error = STRICT.get(denial.error, denial.error) if is_strict else denial.error
    form = ERROR_FORMS[error]
    metrics = {
        "response.code": int32(form.code),
        "response.exception.message": string(form.message),
        "prov.error": string(error),
        "prov.retry": boolean(form.is_retried),
    }
    if denial.retry_after_s is not None:
        metrics["prov.retry-after"] = int32(denial.retry_after_s)
    return KuraPayload(now_ms, metrics=metrics)
