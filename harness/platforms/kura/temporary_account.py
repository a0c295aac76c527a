"""Gateways that exist only while a fleet runs: an account of their own, made beforehand, deleted with all of them.

Those that provision themselves have a request each; others sign in with one user of that account, as Kapua's own
simulator does. What there is to delete is looked up on the server, not remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.gateway_names import names_of
from fleetrig.harness.platforms.kura.request_calls import create_request, delete_request
from fleetrig.harness.platforms.kura.settings import ALL_DEVICES
from fleetrig.harness.platforms.kura.setup import DEVICES, USERS
from fleetrig.harness.platforms.kura.signers import signers_of
from fleetrig.harness.platforms.kura.simulated_fleet import Bootstrap, fresh_password, gateway
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.flows.kura.settings import KuraSettings

RETRIES: Final = -1


@dataclass(slots=True)
class TemporaryAccount:
    """The account of one fleet on one server, and its gateways: the `TemporaryDevices` of a simulation."""

    admin: KuraAdmin
    name: str
    """Of this run alone."""
    agents: Sequence[Agent]
    """They are told what the server has made for them."""
    settings: KuraSettings
    secrets: Secrets
    is_shared: bool
    """One user for all of them, and no request."""
    is_secure: bool = False
    """They get their broker's address over TLS."""
    created: set[str] = field(default_factory=set)
    """Client ids of gateways of ours that were found on the server, or for which a request was made."""
    noun: str = "gateways"
    _requests: dict[str, str] = field(default_factory=dict, init=False)
    """Client id -> the id of its request."""
    _devices: dict[str, str] = field(default_factory=dict, init=False)
    """Client id -> the id of its device."""
    _scope: str = field(default="", init=False)
    _was_asked_for: bool = field(default=False, init=False)
    """Whether the server made the account may not be known."""

    def create(self) -> AdminCall[None]:
        """Raises BrokenBench when there is no server, it does not accept the account, or has no provision requests."""
        yield from self.admin.greet()
        self._was_asked_for = True
        self._scope = yield from self.admin.create_account(self.name)
        yield from self.admin.configure(self._scope, USERS, {ALL_DEVICES: True})
        yield from self.admin.configure(self._scope, DEVICES, {ALL_DEVICES: True})
        anchors = {f"ca-{one.alias}": one.root_pem for one in (yield from signers_of(self.admin, self._scope))}
        self.settings = replace(self.settings, trust_anchors=anchors)
        if self.is_shared:
            yield from self._share_user()
            return
        for agent in self.agents:
            yield from self._request(agent)

    def _share_user(self) -> AdminCall[None]:
        user, password = f"{self.name}-gateways", fresh_password(self.secrets)
        yield from self.admin.create_user(self._scope, user, password)
        transport = replace(self.settings.transport, account_name=self.name, username=user, password=password)
        self.settings = replace(self.settings, transport=transport)
        for agent in self.agents:
            agent.reprogram(gateway(self.settings, agent.identity.serial), None)

    def _request(self, agent: Agent) -> AdminCall[None]:
        names, password = names_of(agent.identity.serial), fresh_password(self.secrets)
        document = {
            "accountId": self._scope,
            "clientId": names.client_id,
            "generateActivationKey": True,
            "provisionUserUsername": names.user_name,
            "provisionUserPassword": password,
            "retryMaxAttempts": RETRIES,
            "overwriteIfDuplicate": False,
            "provisionSecureURL": self.is_secure,
            "provisionAttachments": [],
        }
        made = yield from create_request(self.admin, document)
        key = str(made.get("activationKey") or "")
        self.secrets.learn("activation-key", key)
        self._requests[names.client_id] = self.admin.part(made, str, "id")
        self.created.add(names.client_id)
        agent.reprogram(gateway(self.settings, names.serial, Bootstrap(password, key)), None)

    def find_created(self) -> AdminCall[None]:
        if not self._scope:
            return
        found = yield from self.admin.listed(f"{self._scope}/devices")
        self._devices = {str(one["clientId"]): str(one["id"]) for one in found}
        self.created = {*self._devices, *self._requests}

    def delete_all(self) -> AdminCall[None]:
        while self._requests:
            client_id, request_id = self._requests.popitem()
            yield from delete_request(self.admin, request_id)
            self._forget(client_id)
        while self._devices:
            client_id, device_id = self._devices.popitem()
            yield from self.admin.delete(f"{self._scope}/devices/{device_id}")
            self._forget(client_id)

    def _forget(self, client_id: str) -> None:
        if client_id not in self._requests and client_id not in self._devices:
            self.created.discard(client_id)

    def restore_settings(self) -> AdminCall[None]:
        """Deletes the account, and first its users: a Kapua deletes them later only."""
        if not self._was_asked_for:
            return
        scope = yield from self.admin.account_id(self.name)
        if scope is not None:
            for user in (yield from self.admin.listed(f"{scope}/users")):
                yield from self.admin.delete(f"{scope}/users/{self.admin.part(user, str, 'id')}")
            yield from self.admin.delete(f"{self.admin.scope_id}/accounts/{scope}")
        self._was_asked_for = False

    def left_behind(self) -> str:
        if not self._was_asked_for:
            return ""
        known = (
            f"{len(self.created):,} gateways such as {min(self.created)}" if self.created else "perhaps its gateways"
        )
        return f"the account {self.name} and {known}"

    def how_to_remove(self) -> str:
        return f"delete the account {self.name} below {self.admin.tenant}, and provision requests of its gateways"
