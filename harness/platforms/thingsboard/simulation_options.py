"""What the options of `simulate thingsboard` mean together: whose profile, which credentials, which devices."""

from __future__ import annotations

import json
import secrets as chance
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.commands.fleet_certificates import certificates_of
from fleetrig.harness.commands.fleet_options import key_values, numbered_units
from fleetrig.harness.platforms.thingsboard.device_places import DevicePlace
from fleetrig.harness.platforms.thingsboard.platform import admin_of
from fleetrig.harness.platforms.thingsboard.settings import (
    CERTIFICATES,
    CHAIN,
    CHAINS,
    CHECK,
    CREATE,
    CREATES,
    PATTERN,
    STRATEGY,
)
from fleetrig.harness.platforms.thingsboard.setup import provisioning_profile
from fleetrig.harness.platforms.thingsboard.simulated_fleet import children_of, fresh_secret
from fleetrig.harness.platforms.thingsboard.temporary_profile import TemporaryProfile
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.simulator.contract.bounds import DEVICES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.flows.thingsboard.credentials import ProvisionKey
from fleetrig.simulator.flows.thingsboard.settings import MEASURED

USABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "server_token": ("mqtt", "mqtts", "http", "https", "coap", "coaps"),
    "own_token": ("mqtt", "mqtts", "http", "https", "coap", "coaps"),
    "mqtt_basic": ("mqtt", "mqtts"),
    "certificate": ("mqtts", "coaps"),
    "certificate_chain": ("mqtts",),
}
"""Credentials -> over what devices can use them (docs/contracts/thingsboard.md 3.1 to 3.4)."""
STRATEGIES: Final = {"allow": CREATE, "check": CHECK}
NAME_CHARS: Final = 255
"""The longest name that ThingsBoard takes (S96)."""


@dataclass(frozen=True, slots=True)
class Given:
    """The options, as they were given."""

    credentials: str
    register: bool
    strategy: str | None
    provision_key: str | None
    provision_secret: str | None
    certificates: Path | None
    children: int


@dataclass(frozen=True, slots=True)
class Way:
    """How the devices get in."""

    kind: str
    strategy: str
    """Of the profile that is made for them; empty when they use one that is there."""
    key: ProvisionKey | None
    """None for devices that ask for nothing, and show a chain."""


@dataclass(frozen=True, slots=True)
class Units:
    """The devices, and those behind them."""

    listed: Sequence[Unit]
    children: Mapping[str, tuple[str, ...]]

    @property
    def behind(self) -> frozenset[str]:
        return frozenset(name for names in self.children.values() for name in names)


def way_of(given: Given, place: DevicePlace, secrets: Secrets) -> Way:
    """Raises UsageError for options that contradict each other. `secrets` learns key and secret."""
    kind = given.credentials
    if kind not in USABLE:
        raise UsageError(f"--credentials {kind!r}: {expected(kind, tuple(USABLE))}")
    for sentence in (*_at_odds_with_place(given, place), *_at_odds_about_key(given), *_at_odds(given)):
        raise UsageError(sentence)
    strategy = _strategy(given)
    if not given.register and kind in CHAINS:
        return Way(kind, "", None)
    key = _new_key(secrets) if given.register else _given_key(given, secrets)
    return Way(kind, strategy, None if kind in CHAINS else key)


def _at_odds_with_place(given: Given, place: DevicePlace) -> Iterator[str]:
    kind, scheme = given.credentials, place.scheme
    if scheme not in USABLE[kind]:
        ways = " and ".join(USABLE[kind])
        yield f"--credentials {kind} can be used over {ways} only, not over {scheme}: give another --transport"
    if given.register and place.server is None:
        yield (
            f"--register needs a server's REST API, and {place.url} is an address of devices: give a SERVER.yaml, "
            "the http address and --transport, or of a `fleetrig serve` the address of its control interface"
        )
    if given.children and not scheme.startswith("mqtt"):
        yield f"gateways speak MQTT only, not {scheme}: give --transport mqtt or mqtts"


def _at_odds_about_key(given: Given) -> Iterator[str]:
    """Key and secret come from the options, from a profile of our own, or there are none."""
    is_chain = given.credentials in CHAINS
    parts = [given.provision_key, given.provision_secret]
    if given.register and any(parts):
        yield "--register makes a profile with a key of its own: leave --provision-key and --provision-secret away"
    if is_chain and any(parts):
        yield "devices that show a chain ask for nothing: leave --provision-key and --provision-secret away"
    if is_chain and not given.register and given.certificates is None:
        yield (
            "whose chain? Give --certificates with those of an authority that a profile of the server names, or "
            "--register"
        )
    if not is_chain and not given.register and not all(parts):
        yield (
            "a device asks with key and secret of its profile: give --provision-key and --provision-secret, or "
            "--register with the account of a tenant"
        )


def _at_odds(given: Given) -> Iterator[str]:
    kind = given.credentials
    if given.certificates is not None and kind not in CERTIFICATES:
        yield f"--certificates are shown by devices with --credentials certificate or certificate_chain, not {kind}"
    if given.strategy is None:
        return
    if not given.register:
        yield "--strategy is that of the profile that --register makes"
    if kind in CHAINS:
        yield f"devices that show a chain need the strategy {CHAIN}: leave --strategy away"
    if given.strategy == "check" and kind != "server_token":
        yield f"a device that was imported is given what it was imported with, not {kind}: leave --credentials away"
    if given.strategy == "check" and given.children:
        yield "a device that was imported is no gateway, whatever it asks for: leave --children or --strategy away"


def _strategy(given: Given) -> str:
    """Empty when the profile is not ours."""
    if not given.register:
        return ""
    if given.credentials in CHAINS:
        return CHAIN
    word = given.strategy or "allow"
    if word not in STRATEGIES:
        raise UsageError(f"--strategy {word!r}: {expected(word, tuple(STRATEGIES))}")
    return STRATEGIES[word]


def _new_key(secrets: Secrets) -> ProvisionKey:
    return ProvisionKey(fresh_secret("provision-key", secrets), fresh_secret("provision-secret", secrets))


def _given_key(given: Given, secrets: Secrets) -> ProvisionKey:
    assert given.provision_key is not None
    assert given.provision_secret is not None
    key = secret_from(given.provision_key, "--provision-key")
    secret = secret_from(given.provision_secret, "--provision-secret")
    secrets.learn("provision-key", key)
    secrets.learn("provision-secret", secret)
    return ProvisionKey(key, secret)


def units_of(template: str, count: int, children: int) -> Units:
    """Raises UsageError for names that ThingsBoard takes from nobody, and for too many."""
    listed = numbered_units(template, count)
    behind = children_of(listed, children)
    names = [unit.serial for unit in listed] + [name for group in behind.values() for name in group]
    longest = max(names, key=len)
    if len(longest) > NAME_CHARS:
        raise UsageError(f"--serial: a name of {len(longest)} characters; ThingsBoard takes {NAME_CHARS} at most")
    if marked := next((name for name in names if "<" in name), None):
        raise UsageError(f"--serial: ThingsBoard refuses markup in names, and {marked!r} looks like it")
    try:
        DEVICES.check(len(names))
    except ValueError as wrong:
        raise UsageError(f"--children: {wrong}") from None
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


def certificates_of_fleet(units: Units, given: Given, way: Way) -> tuple[dict[str, ClientCertificate], str]:
    """Serial -> what it shows, and in PEM whom a profile has to trust; both empty for devices without certificates.

    Raises UsageError for certificates that cannot be read, and for too long a name.
    """
    if way.kind not in CERTIFICATES:
        return {}, ""
    # Only here: the library takes long to import, and most simulations need no certificates.
    from fleetrig.harness.platforms.thingsboard.certificates import with_authority
    from fleetrig.simulator.certificates.authority import CertificateAuthority

    issuers: list[CertificateAuthority] = []

    def finish(certificate: ClientCertificate, issuer: CertificateAuthority) -> ClientCertificate:
        issuers[:] = [issuer]
        return with_authority(certificate, issuer)

    now_us = time.time_ns() // 1000
    if given.certificates is None:
        own = CertificateAuthority(f"fleetrig simulate {chance.token_hex(4)}", now_us)
        held = _issued(units.listed, lambda serial: finish(own.issue_client(serial), own))
    else:
        held = certificates_of(units.listed, given.certificates, now_us, finish)
    if way.strategy == CHAIN and not issuers:
        raise UsageError("--register names the authority in its profile, and a folder of certificates has none: give "
                         "the authority that issues them (CA.pem, or a folder of `ca new`)")  # fmt: skip
    return held, issuers[0].certificate_pem.decode() if issuers else ""


def _issued(units: Sequence[Unit], issue: Callable[[str], ClientCertificate]) -> dict[str, ClientCertificate]:
    try:
        return {unit.serial: issue(unit.serial) for unit in units}
    except ValueError as wrong:
        raise UsageError(f"--serial: no certificate of such a name: {wrong}") from None


def temporary_profile(
    units: Units, way: Way, place: DevicePlace, authority_pem: str, secrets: Secrets
) -> TemporaryProfile:
    """A profile that only this run has."""
    assert place.server is not None
    admin = admin_of(place.server)
    admin.masks = secrets
    for kind, secret in admin.secrets():
        secrets.learn(kind, secret)
    settings: dict[str, Any] = {STRATEGY: way.strategy}
    if way.strategy == CHAIN:
        settings |= {PATTERN: "(.*)", CREATES: True}
    name = f"fleetrig-simulate-{chance.token_hex(3)}"
    body = provisioning_profile(name, settings, way.key or ProvisionKey("", ""), authority_pem)
    return TemporaryProfile(admin, body, [unit.serial for unit in units.listed], units.behind)
