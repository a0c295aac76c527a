"""What ThingsBoard's part of a run holds: its device profile, that profile's secret, and what devices are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from fleetrig.harness.platforms.thingsboard.admin import JsonDict, ThingsBoardAdmin, id_of
from fleetrig.harness.platforms.thingsboard.device_settings import device_settings
from fleetrig.harness.platforms.thingsboard.record import find_device
from fleetrig.harness.platforms.thingsboard.settings import CERTIFICATES, CHAINS, TLS_OF
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import ClientCertificate, DeviceIdentity
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.flows.thingsboard.credentials import (
    AccessToken,
    Credentials,
    MqttBasic,
    OwnCertificate,
    ProvisionKey,
)
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice

if TYPE_CHECKING:
    from fleetrig.harness.platforms.thingsboard.certificates import DeviceCertificates

PROFILE_NAME: Final = "fleetrig"
CLIENT_ID_SERIAL_CHARS: Final = 16
"""So much of a serial stands in a client id: MQTT 3.1 has 23 characters for it, and the user name makes it unique."""


@dataclass(slots=True)
class ThingsBoardRun:
    """One run, as ThingsBoard's words, setup and devices share it."""

    context: RunContext
    key: ProvisionKey | None = None
    """Of the run's device profile."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Of the run's device profile, as they are in force."""
    profile: dict[str, Any] = field(default_factory=dict)
    """As the server gave it back last."""

    renamed: dict[str, str] = field(default_factory=dict)
    """Serial -> the name that an operator has given to its record."""
    _certificates: DeviceCertificates | None = None

    @property
    def admin(self) -> ThingsBoardAdmin:
        return cast(ThingsBoardAdmin, self.context.server.admin)

    @property
    def profile_name(self) -> str:
        return f"{self.context.prefix}{PROFILE_NAME}"

    @property
    def certificates(self) -> DeviceCertificates:
        """Who issues certificates in this run."""
        if self._certificates is None:
            # Only here: the library takes long to import, and most runs need no certificates.
            from fleetrig.harness.platforms.thingsboard.certificates import DeviceCertificates

            self._certificates = DeviceCertificates(self.context)
        return self._certificates

    def record_of(self, serial: str) -> AdminCall[JsonDict]:
        """The server's device. Raises BrokenBench for one that it does not know."""
        device = yield from find_device(self.admin, serial, self.renamed)
        if device is None:
            raise BrokenBench(f"{self.context.server.name} knows no device {serial}")
        return device

    def device_id(self, serial: str) -> AdminCall[str]:
        """Raises BrokenBench for a device that the server does not know."""
        return id_of((yield from self.record_of(serial)))

    def new_key(self, purpose: str = "first") -> ProvisionKey:
        """A secret, and the key if there is none yet; both are masked from now on."""
        key = self.key.key if self.key is not None else self.context.new_token("provision key")[:20]
        secret = self.context.new_token(f"{purpose} provision secret")[:20]
        self.context.secrets.learn("provision-key", key)
        self.context.secrets.learn("provision-secret", secret)
        self.key = ProvisionKey(key, secret)
        return self.key

    def url(self, transport: str) -> str:
        """Where devices reach the server: those with certificates over TLS. Raises BrokenBench."""
        server = self.context.server
        has_certificate = self.context.scenario.devices.credential in CERTIFICATES
        listener = TLS_OF[transport] if has_certificate else transport
        place = server.listeners.get(listener) or (server.url if listener == "http" else None)
        if place is None:
            raise BrokenBench(f"{server.name} has no {listener} listener that is known: name it in its SERVER.yaml")
        return place if "://" in place else f"{listener}://{place}"

    def device_of(
        self, identity: DeviceIdentity, unit: Unit, key: ProvisionKey | None = None
    ) -> tuple[ClientCertificate | None, ThingsBoardDevice]:
        """What the factory gives a unit. Raises UsageError for what no device could do."""
        kind = self.context.scenario.devices.credential
        shown = self.certificates.first(kind, identity.serial) if kind in CERTIFICATES else None
        return shown, self.behaviour(identity.serial, kind, key or self._key_of(kind), shown)

    def behaviour(
        self, serial: str, kind: str, key: ProvisionKey | None, shown: ClientCertificate | None
    ) -> ThingsBoardDevice:
        settings = device_settings(self.context.devices_block(serial), self.url, self.children_of(serial))
        return ThingsBoardDevice(settings, None if kind in CHAINS else key, self._own(serial, kind, shown))

    def children_of(self, serial: str) -> tuple[str, ...]:
        """The names of those behind a gateway."""
        children = self.context.scenario.devices.children_of(serial.removeprefix(self.context.prefix))
        return tuple(self.context.prefix + child for child in children)

    def _key_of(self, kind: str) -> ProvisionKey:
        assert self.key is not None
        if kind != "wrong_secret":
            return self.key
        wrong = self.context.new_token("wrong provision secret")[:20]
        self.context.secrets.learn("provision-secret", wrong)
        return ProvisionKey(self.key.key, wrong)

    def _own(self, serial: str, kind: str, shown: ClientCertificate | None) -> Credentials | None:
        """What a device brings along (spec 1.1)."""
        match kind:
            case "own_token":
                token = self._secret("access-token", f"own token of {serial}")
                return AccessToken(token)
            case "mqtt_basic":
                password = self._secret("password", f"password of {serial}")
                return MqttBasic(f"{serial[-CLIENT_ID_SERIAL_CHARS:]}-client", f"{serial}-user", password)
            case "certificate" if shown is not None:
                return OwnCertificate.of(shown)
            case _:
                return None

    def _secret(self, kind: str, purpose: str) -> str:
        secret = self.context.new_token(purpose)[:20]
        self.context.secrets.learn(kind, secret)
        return secret
