"""What the options of `simulate hono` mean together: whose tenant, which credentials, which devices."""

from __future__ import annotations

import base64
import json
import secrets as chance
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.commands.fleet_certificates import certificates_of
from fleetrig.harness.commands.fleet_options import key_values, numbered_units
from fleetrig.harness.platforms.hono.admin import PROVISIONS_OTHERS, HonoAdmin
from fleetrig.harness.platforms.hono.device_places import USABLE, DevicePlace
from fleetrig.harness.platforms.hono.hono_run import HASHED_PASSWORD, PSK, hashed
from fleetrig.harness.platforms.hono.settings import AS_GATEWAY, PROVISIONS, TRUSTED
from fleetrig.harness.platforms.hono.simulated_fleet import edge_of, fresh_secret
from fleetrig.harness.platforms.hono.temporary_tenant import RegisteredDevice, TemporaryTenant
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.simulator.contract.bounds import DEVICES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.flows.hono.settings import MEASURED

CERTIFICATE: Final = "certificate"
PSK_KIND: Final = "psk"


@dataclass(frozen=True, slots=True)
class Given:
    """The options, as they were given."""

    credentials: str
    register: bool
    tenant: str | None
    secret: str | None
    """Of all devices: `env:NAME` or a file."""
    certificates: Path | None
    edge: int


@dataclass(frozen=True, slots=True)
class Units:
    """The devices, and those behind them."""

    listed: Sequence[Unit]
    edge: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Held:
    """What the devices show."""

    certificates: Mapping[str, ClientCertificate]
    secrets: Mapping[str, str]
    entry: dict[str, Any]
    """Of their authority, as a tenant takes it; empty where it is not known, or there is none."""


def known_kind(kind: str) -> str:
    """Raises UsageError."""
    if kind not in USABLE:
        raise UsageError(f"--credentials {kind!r}: {expected(kind, tuple(USABLE))}")
    return kind


def check_options(given: Given, place: DevicePlace) -> None:
    """Raises UsageError for options that contradict each other."""
    for sentence in (*_at_odds_with_place(given, place), *_at_odds(given)):
        raise UsageError(sentence)


def _at_odds_with_place(given: Given, place: DevicePlace) -> Iterator[str]:
    ways = USABLE[given.credentials]
    if given.register and place.server is None:
        yield (
            f"--register needs the registry and an adapter, and {place.url} is a single address: give a SERVER.yaml "
            "with registry: and its adapters, or of a `fleetrig serve` the address of its control interface"
        )
    if place.scheme not in ways:
        yield (
            f"--credentials {given.credentials} can be used over {' and '.join(ways)} only, not over {place.scheme}: "
            "give another --transport"
        )


def _at_odds(given: Given) -> Iterator[str]:
    is_certificate = given.credentials == CERTIFICATE
    if given.register and (given.tenant or given.secret):
        yield "--register makes a tenant and secrets of its own: leave --tenant and --secret away"
    if is_certificate and (given.tenant or given.secret):
        yield "a certificate says whose it is by its issuer: leave --tenant and --secret away"
    if is_certificate and not given.register and given.certificates is None:
        yield "whose certificates? Give --certificates with those of an authority that a tenant trusts, or --register"
    if not is_certificate and given.certificates is not None:
        yield f"--certificates are shown by devices with --credentials certificate, not {given.credentials}"
    if not is_certificate and not given.register and not (given.tenant and given.secret):
        yield "whose devices? Give --tenant and --secret (env:NAME or a file) of devices that are there, or --register"


def units_of(template: str, count: int, edge: int) -> Units:
    """Raises UsageError for too many."""
    listed = numbered_units(template, count)
    behind = edge_of(listed, edge)
    try:
        DEVICES.check(len(listed) + sum(map(len, behind.values())))
    except ValueError as wrong:
        raise UsageError(f"--edge: {wrong}") from None
    return Units(listed, behind)


def measured(pairs: Sequence[str]) -> Mapping[str, Json]:
    """What a device measures: numbers, true and false as such, anything else as text. Raises UsageError."""
    return {key: _value(text) for key, text in key_values(pairs, "--telemetry").items()} or MEASURED


def _value(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def held_by(units: Units, given: Given, secrets: Secrets) -> Held:
    """Raises UsageError for files that cannot be read. `secrets` learns passwords and keys."""
    if given.credentials == CERTIFICATE:
        certificates, entry = _certificates(units, given)
        return Held(certificates, {}, entry)
    if given.register:
        return Held({}, {unit.serial: fresh_secret(given.credentials, secrets) for unit in units.listed}, {})
    assert given.secret is not None
    secret = secret_from(given.secret, "--secret")
    secrets.learn(given.credentials, secret)
    return Held({}, {unit.serial: secret for unit in units.listed}, {})


def _certificates(units: Units, given: Given) -> tuple[dict[str, ClientCertificate], dict[str, Any]]:
    # Only here: the library takes long to import, and devices with passwords need no certificates.
    from fleetrig.harness.platforms.hono.certificates import distinguished, subject_of, trusted_entry
    from fleetrig.simulator.certificates.authority import CertificateAuthority

    now_us = time.time_ns() // 1000
    issuers: list[CertificateAuthority] = []
    if given.certificates is None:
        own = CertificateAuthority(distinguished("fleetrig", "simulate", chance.token_hex(8)), now_us)
        try:
            held = {unit.serial: own.issue_client(subject_of(unit.serial)) for unit in units.listed}
        except ValueError as wrong:
            raise UsageError(f"--serial: no certificate of such a name: {wrong}") from None
        return held, trusted_entry(own.certificate, is_short=False)

    def finish(certificate: ClientCertificate, issuer: CertificateAuthority) -> ClientCertificate:
        issuers[:] = [issuer]
        return certificate

    held = certificates_of(units.listed, given.certificates, now_us, finish)
    if given.register and not issuers:
        raise UsageError("--register names the authority in its tenant, and a folder of certificates has none: give "
                         "the authority that issues them (CA.pem, or a folder of `ca new`)")  # fmt: skip
    return held, trusted_entry(issuers[0].certificate, is_short=False) if issuers else {}


def temporary_tenant(admin: HonoAdmin, units: Units, given: Given, held: Held) -> TemporaryTenant:
    """A tenant that only this run has. Its gateways may provision the devices behind them."""
    admin.tenant = temporary_name()
    document: dict[str, Any] = {}
    if held.entry:
        flags = {PROVISIONS: True} | ({AS_GATEWAY: True} if units.edge else {})
        document[TRUSTED] = [{**held.entry, **flags}]
    device = {"authorities": [PROVISIONS_OTHERS]} if units.edge else {}
    registered = [
        RegisteredDevice(serial, device, [_entry(serial, secret, given.credentials)])
        for serial, secret in held.secrets.items()
    ]
    return TemporaryTenant(admin, document, registered)


def temporary_name() -> str:
    return f"fleetrig-simulate-{chance.token_hex(3)}"


def _entry(serial: str, secret: str, kind: str) -> dict[str, Any]:
    if kind == PSK_KIND:
        return {"type": PSK, "auth-id": serial, "secrets": [{"key": base64.b64encode(secret.encode()).decode()}]}
    return {"type": HASHED_PASSWORD, "auth-id": serial, "secrets": [hashed(secret, serial)]}
