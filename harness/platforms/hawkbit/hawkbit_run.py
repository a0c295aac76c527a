"""What hawkBit's part of a run holds: tokens, ids of what was made, and what was configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.confirmation_words import ConfirmationWords
from fleetrig.harness.platforms.hawkbit.settings import CERTIFICATES
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.scenario import Devices
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.servers.under_test import url_over_tls
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import Credential, GatewayToken, TargetToken
from fleetrig.simulator.flows.hawkbit.confirmation_policy import CONFIRMS_AT_ONCE, ConfirmationPolicy, Consent
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings

if TYPE_CHECKING:
    from fleetrig.harness.platforms.hawkbit.certificates import DeviceCertificates


@dataclass(slots=True)
class HawkbitRun:
    """One run, as hawkBit's words, setup and devices share it."""

    context: RunContext
    tokens: dict[str, str] = field(default_factory=dict)
    """The target token that the server is to know for a serial."""
    types: dict[str, str] = field(default_factory=dict)
    """The target type that the production list names for a serial."""
    made_types: set[str] = field(default_factory=set)
    """Names of the target types that were to be made, also when no answer came."""
    gateway_key: str = ""
    set_ids: dict[str, int] = field(default_factory=dict)
    """Distribution sets that were made, by version."""
    rollout_ids: dict[str, int] = field(default_factory=dict)
    """Rollouts that were made, by version."""
    configured: dict[str, Any] = field(default_factory=dict)
    """Keys of the tenant's configuration that were changed on a shared server, and their previous values; None
    where the default was in force."""

    _shared: dict[int, HawkbitSettings] = field(default_factory=dict)
    """Of each block: a cohort has one of its own."""
    _certificates: DeviceCertificates | None = None

    @property
    def admin(self) -> HawkbitAdmin:
        return cast(HawkbitAdmin, self.context.server.admin)

    def admin_as(self, account: str) -> HawkbitAdmin:
        """The operator's account, or that of the `line`. Raises BrokenBench where the server has none."""
        if account != "line":
            return self.admin
        server = self.context.server
        if server.line is None:
            raise BrokenBench(
                f"nobody said which account the line has on {server.name}: add line (user, password) to its "
                "SERVER.yaml, or say needs: [hawkbit.line_account] to skip the scenario there"
            )
        return cast(HawkbitAdmin, server.line)

    def learn_unit(self, serial: str, unit: Unit) -> None:
        """Takes over what a production list says of a unit: its token, or a fresh one, and its target type."""
        self.learn_token(serial, unit.token or self.context.new_token(f"token of {unit.serial}"))
        if unit.type is not None:
            self.types[serial] = unit.type

    @property
    def certificates(self) -> DeviceCertificates:
        """Who issues certificates in this run."""
        if self._certificates is None:
            # Only here: the library takes long to import, and most runs need no certificates.
            from fleetrig.harness.platforms.hawkbit.certificates import DeviceCertificates

            self._certificates = DeviceCertificates(self.context)
        return self._certificates

    @property
    def device_url(self) -> str:
        """Where devices reach the server: those with certificates over HTTPS. Raises BrokenBench."""
        server = self.context.server
        if self.context.scenario.devices.credential not in CERTIFICATES:
            return server.url
        url = url_over_tls(server.listeners, server.url)
        if url is None:
            raise BrokenBench(f"{server.name} has no https listener, and certificates need one")
        return url

    def learn_token(self, serial: str, token: str) -> None:
        """Sets the token of a serial for the server; it is masked from now on."""
        self.tokens[serial] = token
        self.context.secrets.learn("target-token", token)

    def credential_of(self, serial: str) -> Credential | None:
        """The settings and credential that the factory gives a device."""
        match self.context.scenario.devices.credential:
            case "target_token":
                return TargetToken(self.tokens[serial])
            case "wrong_target_token":
                wrong = self.context.new_token(f"wrong token of {serial}")
                self.context.secrets.learn("target-token", wrong)
                return TargetToken(wrong)
            case "gateway_token":
                return GatewayToken(self.gateway_key)
            case kind if kind in CERTIFICATES:
                return self.certificates.first(kind, serial)
            case _:
                return None

    def settings_of(self, unit: Unit) -> HawkbitSettings:
        """Returns the settings of a unit; units without own attributes share one object."""
        template = self.context.devices_block(self.context.prefix + unit.serial)
        if unit.attributes:
            return self._device_settings(template, unit.attributes)
        if id(template) not in self._shared:
            self._shared[id(template)] = self._device_settings(template, {})
        return self._shared[id(template)]

    def _device_settings(self, template: Devices, more_attributes: Mapping[str, str]) -> HawkbitSettings:
        """Turns a `devices` block into device settings."""
        return HawkbitSettings(
            server_url=self.device_url,
            attributes={**template.attributes, **more_attributes},
            attributes_mode=template.attributes_mode,
            backoff=template.backoff.to_backoff(),
            timeout_s=template.timeout_s,
            default_interval_s=template.interval_s,
            poll_jitter=template.poll_jitter,
            install_s=template.install_time_s,
            confirmation=confirmation_of(template),
        )


def confirmation_of(devices: Devices) -> ConfirmationPolicy:
    """What the devices of a block say when they are asked before an update."""
    words: ConfirmationWords | None = getattr(devices, "confirmation", None)  # a field of this platform's files only
    return CONFIRMS_AT_ONCE if words is None else policy_of(words)


def policy_of(words: ConfirmationWords) -> ConfirmationPolicy:
    """As devices follow it."""
    answer = None if words.answer == "none" else Consent(words.answer)
    auto_confirm = None if words.auto_confirm is None else words.auto_confirm == "activate"
    return ConfirmationPolicy(answer, words.after_s, words.code, words.details, auto_confirm)
