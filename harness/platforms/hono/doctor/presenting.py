"""What the options and files say of a device and its tenant. All of it raises UsageError."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight
from fleetrig.harness.platforms.hono.doctor.credentials_form import device_of_document
from fleetrig.harness.platforms.hono.doctor.facts import ADAPTERS, DeviceRecord, Kind, Presented, TenantRecord
from fleetrig.harness.platforms.hono.doctor.identity import AUTH_ID, DEVICE_ID
from fleetrig.harness.platforms.hono.doctor.material import PRIVATE_KEY, PUBLIC_KEY, certificates_of, what_it_is
from fleetrig.harness.platforms.hono.doctor.request_form import request_causes
from fleetrig.harness.platforms.hono.doctor.tenant_form import SINGLE_BASE64, tenant_of_document
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.simulator.certificates.pem import key_in, key_pem_in
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.transports.client_tls import take_up

OF_THE_FILE: Final = "of the file"
TOO_SHORT: Final = "EE_KEY_TOO_SMALL"
"""OpenSSL's word."""


@dataclass(frozen=True, slots=True)
class Given:
    """The options about the device and its files, as they were given."""

    cert: Path | None = None
    key: Path | None = None
    login: str = ""
    secret: str | None = None
    client_id: str = ""
    acts_for: str = ""
    ca: Sequence[Path] = ()
    tenant: str | None = None
    tenant_file: Path | None = None
    credentials: Path | None = None
    auth_id_template: str | None = None
    device_id_template: str | None = None
    if_match: str = ""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Files:
    """What the files come to."""

    authorities: tuple[x509.Certificate, ...] = ()
    tenant: TenantRecord | None = None
    device: DeviceRecord | None = None
    causes: tuple[Diagnosis, ...] = ()


def scheme_of(over: str) -> str:
    """The word, or the scheme of an address."""
    word = over.partition("://")[0]
    if word not in ADAPTERS:
        raise UsageError(f"--over {word}: {expected(word, tuple(ADAPTERS))}")
    return word


def presented_by(given: Given, scheme: str) -> Presented:
    """A certificate, or a login."""
    if (given.cert is None) == (not given.login):
        raise UsageError("say what the device has: --cert FILE, or --login AUTH-ID@TENANT with --secret env:NAME")
    if given.key is not None and given.cert is None:
        raise UsageError("--key belongs to --cert FILE, which is missing")
    if given.cert is not None:
        if scheme in ("http", "mqtt"):
            raise UsageError(f"--over {scheme}: a certificate is shown over https, mqtts and coaps only")
        chain = _certificates(given.cert, "--cert")
        return Presented(
            Kind.CERTIFICATE, chain, given.key is not None, client_id=given.client_id, acts_for=given.acts_for
        )
    secret = "" if given.secret is None else secret_from(given.secret, "--secret")
    kind = Kind.KEY if scheme == "coaps" else Kind.PASSWORD
    return Presented(
        kind, login=given.login, secret=secret, client_id=given.client_id, acts_for=given.acts_for
    )  # fmt: skip


def files_of(given: Given, presented: Presented) -> Files:
    """Tenant and credentials that stand in files, with what is wrong with them."""
    if (given.auth_id_template or given.device_id_template) and (not given.ca or given.tenant_file is not None):
        raise UsageError("--auth-id-template and --device-id-template belong to --ca FILE; a --tenant-file has its own")
    authorities, causes = _authorities(given.ca)
    tenant: TenantRecord | None = None
    device: DeviceRecord | None = None
    if given.tenant_file is not None:
        content = _read(given.tenant_file, "--tenant-file")
        causes += request_causes(len(content), given.content_type, given.if_match)
        document = _json(content, given.tenant_file)
        if not isinstance(document, dict):
            raise UsageError(f"{given.tenant_file} holds no JSON object: a tenant is one")
        tenant, more = tenant_of_document(given.tenant or "", document)
        causes += more
    elif authorities:
        tenant, more = tenant_of_document(given.tenant or "", _trusting(authorities, given))
        causes += more
    if given.credentials is not None:
        content = _read(given.credentials, "--credentials")
        causes += request_causes(len(content), given.content_type, given.if_match)
        document = _json(content, given.credentials)
        device, more = device_of_document(OF_THE_FILE, document, presented.login, presented.secret)
        causes += more
    return Files(authorities, tenant, device, tuple(causes))


def _trusting(authorities: Sequence[x509.Certificate], given: Given) -> dict[str, Any]:
    """A tenant that trusts them and provisions."""
    templates = {AUTH_ID: given.auth_id_template, DEVICE_ID: given.device_id_template}
    named = {name: value for name, value in templates.items() if value is not None}
    return {
        "trusted-ca": [
            {"cert": base64_of(one), "auto-provisioning-enabled": True, **named} for one in authorities
        ]
    }  # fmt: skip


def base64_of(certificate: x509.Certificate) -> str:
    """As a registry takes it."""
    return b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii")


def _authorities(files: Sequence[Path]) -> tuple[tuple[x509.Certificate, ...], list[Diagnosis]]:
    found: list[x509.Certificate] = []
    causes: list[Diagnosis] = []
    for file in files:
        content = _read(file, "--ca")
        certificates = certificates_of(content)
        found += certificates
        if not certificates:
            what = what_it_is(content)
            name = {PUBLIC_KEY: "public-key", PRIVATE_KEY: "private-key"}.get(what, "no-certificate")
            causes.append(Diagnosis(
                f"authority-is-{name}", Weight.CAUSE,
                f"{file} holds {what}, no certificate: a tenant's trusted-ca takes a certificate as cert, or all of "
                "subject-dn, public-key, algorithm, not-before and not-after.",
                f"Give the authority's certificate; cert is Base64 of its DER: {SINGLE_BASE64}",
            ))  # fmt: skip
    return tuple(found), causes


def _certificates(path: Path, option: str) -> tuple[x509.Certificate, ...]:
    content = _read(path, option)
    found = certificates_of(content)
    if not found:
        raise UsageError(
            f"{path}, which {option} names, holds {what_it_is(content)}; expected a certificate in PEM "
            "(-----BEGIN CERTIFICATE-----) or DER"
        )
    return found


def _read(path: Path, option: str) -> bytes:
    try:
        return pem_file(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}, which {option} names: {why_unread(path, error)}") from None


def _json(content: bytes, path: Path) -> Any:
    try:
        return read_json(content)
    except NotJson as wrong:
        raise UsageError(f"{path} holds {wrong}") from None


def client_certificate(given: Given, presented: Presented) -> ClientCertificate | None:
    """As the device shows it; None without its key."""
    if given.key is None:
        return None
    try:
        pem = _read(given.key, "--key")
        key_in(pem)
    except ValueError as wrong:
        raise UsageError(f"{given.key}: {wrong}") from None
    shown = ClientCertificate(tuple(one.public_bytes(Encoding.DER) for one in presented.chain), key_pem_in(pem))
    try:
        take_up(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), shown)
    except UsageError as wrong:
        if TOO_SHORT in str(wrong):
            raise UsageError(
                f"{given.key}: the TLS library of this machine shows no key that is so short ({TOO_SHORT}); leave "
                "--key away, and the files alone are looked at"
            ) from None
        raise UsageError(
            f"{given.key} and the first certificate of {given.cert}: {wrong}; the device's own has to stand first"
        ) from None
    return shown
