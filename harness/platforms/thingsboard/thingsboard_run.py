"""What ThingsBoard's part of a run holds: its device profile, that profile's secret, and what devices are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin
from fleetrig.harness.platforms.thingsboard.settings import CERTIFICATES, CHAINS
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.identity import ClientCertificate, DeviceIdentity
from fleetrig.simulator.flows.thingsboard.credentials import (
    AccessToken,
    Credentials,
    MqttBasic,
    OwnCertificate,
    ProvisionKey,
)
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings

if TYPE_CHECKING:
    from fleetrig.harness.platforms.thingsboard.certificates import DeviceCertificates

PROFILE_NAME: Final = "fleetrig"
TLS_OF: Final = {"mqtt": "mqtts", "coap": "coaps", "http": "https"}


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
        if unit.gateway:
            raise UsageError("ThingsBoard's devices behind gateways are not there yet: leave children away")
        shown = self.certificates.first(kind, identity.serial) if kind in CERTIFICATES else None
        return shown, self.behaviour(identity.serial, kind, key or self._key_of(kind), shown)

    def behaviour(
        self, serial: str, kind: str, key: ProvisionKey | None, shown: ClientCertificate | None
    ) -> ThingsBoardDevice:
        return ThingsBoardDevice(self._settings(), None if kind in CHAINS else key, self._own(serial, kind, shown))

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
                return MqttBasic(
                    f"{serial}-client", f"{serial}-user", self._secret("password", f"password of {serial}")
                )
            case "certificate" if shown is not None:
                return OwnCertificate.of(shown)
            case _:
                return None

    def _secret(self, kind: str, purpose: str) -> str:
        secret = self.context.new_token(purpose)[:20]
        self.context.secrets.learn(kind, secret)
        return secret

    def _settings(self) -> ThingsBoardSettings:
        """Turns the `devices` block into device settings."""
        devices = self.context.scenario.devices
        telemetry_over = getattr(devices, "telemetry_over", None)
        return ThingsBoardSettings(
            provision_url=self.url(devices.over),
            telemetry_url=self.url(telemetry_over) if telemetry_over else "",
            telemetry_interval_s=devices.interval_s,
            timeout_s=devices.timeout_s,
            start_spread_s=devices.start_spread_s,
            backoff=devices.backoff.to_backoff(),
            stays_on=devices.external,
        )
