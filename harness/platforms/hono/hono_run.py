"""What Hono's part of a run holds: its tenant, whom that trusts, and what devices prove themselves with."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.harness.platforms.hono.device_settings import device_settings
from fleetrig.harness.platforms.hono.settings import AUTH_ID_TEMPLATE, IN_HANDSHAKES, SHOWN
from fleetrig.harness.run.context import RunContext
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import (
    ClientCertificate,
    Credential,
    DeviceIdentity,
    PreSharedKey,
    UserPassword,
)
from fleetrig.simulator.flows.hono.flow import HonoDevice

if TYPE_CHECKING:
    from fleetrig.harness.platforms.hono.certificates import DeviceCertificates

TENANT_NAME: Final = "fleetrig"
HASHED_PASSWORD: Final = "hashed-password"
X509_CERT: Final = "x509-cert"
PSK: Final = "psk"


@dataclass(slots=True)
class HonoRun:
    """One run, as Hono's words, setup and devices share it."""

    context: RunContext
    settings: dict[str, Any] = field(default_factory=dict)
    """Of the run's tenant, as they are in force."""
    trusted: list[int] = field(default_factory=list)
    """Which authorities of the run the tenant trusts: places in `certificates.authorities`."""
    began_us: int = 0
    asked_for_tenant: bool = False
    """Whether the server made it may not be known."""
    is_enabled: bool = True
    """The tenant."""
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Device id -> the auth-ids that it had when it was read last: `record` finds devices of other ids by them."""
    holders: dict[str, dict[str, None]] = field(default_factory=dict)
    """Auth-id -> the devices of `known` that have it, in the order in which they were read."""
    versions: dict[str, int] = field(default_factory=dict)
    """Serial -> how often its password or key was replaced."""
    told: dict[str, int] = field(default_factory=dict)
    """Serial -> the version of the password or key that the device has."""
    _certificates: DeviceCertificates | None = None
    _secrets: dict[tuple[str, int], str] = field(default_factory=dict)
    """Serial and version -> password or key: in real time no token is drawn twice."""

    @property
    def admin(self) -> HonoAdmin:
        return cast(HonoAdmin, self.context.server.admin)

    @property
    def tenant(self) -> str:
        return f"{self.context.prefix}{TENANT_NAME}"

    @property
    def kind(self) -> str:
        """What the devices prove themselves with."""
        return self.context.scenario.devices.credential

    @property
    def certificates(self) -> DeviceCertificates:
        """Who issues certificates in this run."""
        if self._certificates is None:
            # Only here: the library takes long to import, and devices with passwords need no certificates.
            from fleetrig.harness.platforms.hono.certificates import DeviceCertificates

            self._certificates = DeviceCertificates(self.context, self.tenant)
        return self._certificates

    @property
    def newest_authority(self) -> int:
        """Its place in `certificates.authorities`."""
        return 0 if self._certificates is None else len(self._certificates.authorities) - 1

    def url(self, transport: str) -> str:
        """Where devices reach an adapter: those that show something in handshakes over TLS. Raises BrokenBench."""
        server = self.context.server
        listener = f"{transport}s" if self.kind in IN_HANDSHAKES else transport
        place = server.listeners.get(listener)
        if place is None:
            raise BrokenBench(f"{server.name} has no {listener} adapter that is known: name it in its SERVER.yaml")
        return place if "://" in place else f"{listener}://{place}"

    def device_of(self, identity: DeviceIdentity) -> tuple[Credential, HonoDevice]:
        """What the factory gives a unit. Raises UsageError for what no device could do."""
        credential = self.credential_of(identity.serial)
        return credential, self.behaviour(identity.serial, credential)

    def behaviour(self, serial: str, credential: Credential) -> HonoDevice:
        settings = device_settings(self.context.devices_block(serial), self.url, self.children_of(serial), self.tenant)
        return HonoDevice(settings, credential if isinstance(credential, UserPassword) else None)

    def children_of(self, serial: str) -> tuple[str, ...]:
        """The device-ids of those behind a gateway."""
        children = self.context.scenario.devices.children_of(serial.removeprefix(self.context.prefix))
        return tuple(self.context.prefix + child for child in children)

    def credential_of(self, serial: str) -> Credential:
        """What the factory gives a unit. Raises UsageError for what no device could have."""
        of = self.first_serial if self.is_cloned else serial
        if self.kind in SHOWN:
            return self.certificates.first(self.kind, of)
        version = self.told.get(serial, 0)
        if self.kind == "psk":
            return PreSharedKey(f"{of}@{self.tenant}", self.secret(of, version).encode())
        secret = self.secret(of, version)
        if self.kind == "wrong_password":
            secret = self._learnt(self.context.new_token(f"wrong password of {of}")[:20])
        return UserPassword(f"{of}@{self.tenant}", secret)

    @property
    def is_cloned(self) -> bool:
        return bool(getattr(self.context.scenario.devices, "clones", None))

    @property
    def first_serial(self) -> str:
        return self.context.prefix + next(iter(self.context.scenario.devices.units())).serial

    def secret(self, serial: str, version: int) -> str:
        """A password, or a key as text; it is masked from now on."""
        if (serial, version) not in self._secrets:
            self._secrets[serial, version] = self._learnt(self.context.new_token(f"secret {version} of {serial}")[:20])
        return self._secrets[serial, version]

    def _learnt(self, secret: str) -> str:
        self.context.secrets.learn(self.kind.removeprefix("wrong_"), secret)
        self.context.secrets.learn("psk", base64.b64encode(secret.encode()).decode())
        return secret

    def auth_id(self, serial: str, credential: Credential | None) -> str:
        """Under which the registry finds a device's credentials."""
        if isinstance(credential, ClientCertificate):
            from fleetrig.harness.platforms.hono.certificates import auth_id_of

            return auth_id_of(credential, self.settings.get(AUTH_ID_TEMPLATE))
        return self.first_serial if self.is_cloned else serial

    def stored_credentials(self, serial: str) -> list[dict[str, Any]]:
        """A device's credentials as the management API takes them (spec 1.3)."""
        device = self.context.devices.get(serial)
        shown = None if device is None else device.credential
        if isinstance(shown, ClientCertificate):
            return [{"type": X509_CERT, "auth-id": self.auth_id(serial, shown), "secrets": [{}]}]
        secret = self.secret(serial, self.versions.get(serial, 0))
        if self.kind == "psk":
            key = base64.b64encode(secret.encode()).decode()
            return [{"type": PSK, "auth-id": serial, "secrets": [{"key": key}]}]
        return [{"type": HASHED_PASSWORD, "auth-id": serial, "secrets": [hashed(secret, serial)]}]


def hashed(password: str, salt: str) -> Mapping[str, str]:
    """A secret with SHA-256: the stock registries' own bcrypt takes 64 ms of each sign-in (spec 8)."""
    digest = hashlib.sha256(salt.encode() + password.encode()).digest()
    shown = {"pwd-hash": digest, "salt": salt.encode()}
    return {"hash-function": "sha-256", **{name: base64.b64encode(value).decode() for name, value in shown.items()}}
