"""A run of a provision job: the device's new user, and the reply with everything it needs (spec 1.6)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.kura.payload.codec import encode
from fleetrig.reference_server.platforms.kura.provisioning.configuration import generated_configuration
from fleetrig.reference_server.platforms.kura.provisioning.messages import StartMessage
from fleetrig.reference_server.platforms.kura.provisioning.provision_errors import Denial, ProvisionError
from fleetrig.reference_server.platforms.kura.provisioning.replies import Material, material_payload
from fleetrig.reference_server.platforms.kura.signing.signer import signed
from fleetrig.reference_server.platforms.kura.state.accounts import account_by_id
from fleetrig.reference_server.platforms.kura.state.attachments import attachments_of
from fleetrig.reference_server.platforms.kura.state.certificates import (
    issue_device_certificate,
    key_of,
    signing_certificate,
)
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    AttachmentKind,
    Issued,
    ProvisionRequest,
)
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord, CertificateRecord, User
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.target_users import issue_target_user
from fleetrig.simulator.contract.clock import US_PER_MS

NO_CERTIFICATE: Final = (
    "the target account has no valid certificate for device management, its own or a forwarded one: create one"
)


def issue(
    registry: Registry, request: ProvisionRequest, message: StartMessage, reply_topic: str, now_us: int
) -> Issued | Denial:
    """`reply_topic`: that of the application, which the signature covers. Nothing was made when it is denied."""
    account = account_by_id(registry, request.scope_id)
    certificate = signing_certificate(registry, request.scope_id, now_us)
    if account is None or certificate is None:
        return Denial(ProvisionError.INTERNAL, NO_CERTIFICATE if account else "the target account was deleted")
    try:
        device_pem = _device_certificate(registry, request, message, now_us)
    except LookupError as error:
        return Denial(ProvisionError.INTERNAL, str(error))
    except ValueError as error:
        return Denial(ProvisionError.MALFORMED, f"the body is no certificate request (PKCS#10 in PEM): {error}")
    user, password = issue_target_user(registry, request, now_us)
    material = _material(registry, request, message, account, certificate, user, password, device_pem)
    payload = material_payload(material, now_us // US_PER_MS)
    key = key_of(certificate.key_pem)
    reply = signed(payload, key, certificate.name, reply_topic, request.client_id, now_us // US_PER_MS)
    return Issued(message.nonce.hex(), encode(reply).hex(), user.id, now_us)


def _device_certificate(registry: Registry, request: ProvisionRequest, message: StartMessage, now_us: int) -> str:
    """Empty when the device has not asked for one. Raises ValueError, LookupError."""
    if not message.csr_pem:
        return ""
    return issue_device_certificate(registry, message.csr_pem.encode(), request.client_id, now_us)


def _material(
    registry: Registry,
    request: ProvisionRequest,
    message: StartMessage,
    account: AccountRecord,
    certificate: CertificateRecord,
    user: User,
    password: str,
    device_pem: str,
) -> Material:
    attached = attachments_of(registry, request.id) if request.attachments else []
    configuration = next((one.content for one in attached if one.kind is AttachmentKind.CONFIGURATION), None)
    broker_url = registry.target_broker_url(is_secure=request.provision_secure_url)
    if configuration is None:
        configuration = generated_configuration(broker_url, account.name, request.client_id, user.name, password)
    return Material(
        request.job.id,
        message.nonce,
        broker_url,
        account.name,
        request.client_id,
        user.name,
        password,
        certificate.chain_pem,
        certificate.name,
        device_pem,
        apps=sum(one.kind is AttachmentKind.BUNDLE for one in attached),
        configuration=configuration,
    )
