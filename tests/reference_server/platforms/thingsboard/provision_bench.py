"""Provisioning without a transport: a tenant with a profile for each strategy, and what requests get."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.thingsboard.provisioning.answers import json_answer
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Decision, decide
from fleetrig.reference_server.platforms.thingsboard.provisioning.reading import read_request
from fleetrig.reference_server.platforms.thingsboard.state import attributes, devices, events, people, profiles
from fleetrig.reference_server.platforms.thingsboard.state.attributes import PROVISION_STATE
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    Credentials,
    Device,
    DeviceProfile,
    ProvisionType,
    Scope,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account, Settings
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US

OTHER_TENANT = "other@example.org"
STRATEGIES = {
    "A": ProvisionType.ALLOW_CREATE,
    "C": ProvisionType.CHECK_PRE_PROVISIONED,
    "N": ProvisionType.DISABLED,
    "X": ProvisionType.CERTIFICATE_CHAIN,
}
"""The sheet's profiles: key KA and secret SA of profile A, and so on."""


@dataclass
class ProvisionBench:
    generation: Profile = Profile.CURRENT
    most_devices: int = 0
    now_us: int = VIRTUAL_EPOCH_US
    profiles: dict[str, DeviceProfile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        accounts = (Account(), Account(OTHER_TENANT, "other-password", "Other"))
        configuration = {"maxDevices": self.most_devices}
        settings = Settings(self.generation, accounts, tenant_configuration=configuration)
        self.registry = Registry(MemoryStore(), SeededEntropy(1), settings)
        people.open_installation(self.registry, self.now_us)
        for letter, strategy in STRATEGIES.items():
            self.profiles[letter] = self.profile(letter, strategy)
        self.profiles["B"] = self.profile("B", ProvisionType.ALLOW_CREATE, tenant=OTHER_TENANT)

    def profile(
        self, letter: str, strategy: ProvisionType, tenant: str = Account().email, secret: str | None = None
    ) -> DeviceProfile:
        user = people.user_by_email(self.registry, tenant)
        assert user is not None
        configuration = {"type": strategy, "provisionDeviceSecret": secret or f"S{letter}"}
        made = DeviceProfile(
            self.registry.new_id(self.now_us),
            user.tenant_id,
            ms(self.now_us),
            f"profile {letter}",
            provision_type=strategy,
            provision_device_key=f"K{letter}",
            profile_data={"provisionConfiguration": configuration},
        )
        return profiles.create_profile(self.registry, made)

    def save(self, letter: str, **changed: Any) -> None:
        """An operator changes a profile."""
        stored = profiles.profile_by_id(self.registry, self.profiles[letter].id)
        assert stored is not None
        profiles.save_profile(self.registry, replace(stored, **changed))

    def ask(self, letter: str = "A", name: str | None = "dev", **members: Any) -> Decision:
        """One request by the profile's key and secret, in JSON; other members as they are given."""
        document = {"provisionDeviceKey": f"K{letter}", "provisionDeviceSecret": f"S{letter}", **members}
        if name is not None:
            document["deviceName"] = name
        return self.send(json.dumps(document).encode())

    def send(self, payload: bytes) -> Decision:
        self.now_us += US_PER_S
        return decide(self.registry, read_request(payload, self.registry.traits), self.now_us)

    def said(self, decision: Decision) -> Any:
        return json.loads(json_answer(decision, self.registry.traits))

    def imported(self, name: str, letter: str = "C", **fields: Any) -> Device:
        """An operator lists a device."""
        return devices.create_device(
            self.registry, self.profiles[letter], devices.NewDevice(name, **fields), self.now_us
        )

    def find(self, name: str, letter: str = "A") -> Device | None:
        return devices.device_named(self.registry, self.profiles[letter].tenant_id, name)

    def device(self, name: str, letter: str = "A") -> Device:
        found = self.find(name, letter)
        assert found is not None, f"there is no device {name}"
        return found

    def credentials(self, name: str, letter: str = "A") -> Credentials:
        found = devices.credentials_of(self.registry, self.device(name, letter).id)
        assert found is not None
        return found

    def state(self, name: str, letter: str = "A") -> Any:
        """Its `provisionState`, None for none."""
        device = self.device(name, letter)
        found = attributes.attribute(self.registry, device.id, Scope.SERVER, PROVISION_STATE)
        return None if found is None else found.value

    def set_state(self, name: str, value: Any) -> None:
        values = {PROVISION_STATE: value}
        attributes.put_attributes(self.registry, self.device(name).id, Scope.SERVER, values, self.now_us)

    def forget_state(self, name: str) -> None:
        attributes.delete_attributes(self.registry, self.device(name).id, Scope.SERVER, [PROVISION_STATE])

    def events(self, name: str) -> list[str]:
        with suppress(AssertionError):
            return [event.type for event in events.events_of(self.registry, self.device(name).id)]
        return []

    def how_many(self) -> int:
        return len(devices.devices_of(self.registry, self.profiles["A"].tenant_id))
