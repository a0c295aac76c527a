"""Before the fleet is built: the accounts of the run, the users of devices, and their provision requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.platforms.kura.attachments import attachments_of
from fleetrig.harness.platforms.kura.kura_run import KuraRun, MadeRequest
from fleetrig.harness.platforms.kura.request_calls import create_request
from fleetrig.harness.platforms.kura.request_terms import RequestTerms
from fleetrig.harness.platforms.kura.settings import (
    ACCOUNTS,
    ALL_DEVICES,
    COUPLING,
    NONE,
    OF_CREDENTIALS,
    OF_SERVICES,
    PROVISION_REQUEST,
    chosen,
)
from fleetrig.harness.platforms.kura.signers import SIGNS, signers_of
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.drivers.director import AdminCall, Director

DEVICES: Final = "org.eclipse.kapua.service.device.registry.DeviceRegistryService"
CONNECTIONS: Final = "org.eclipse.kapua.service.device.registry.connection.DeviceConnectionService"
USERS: Final = "org.eclipse.kapua.service.user.UserService"
CREDENTIALS: Final = "org.eclipse.kapua.service.authentication.credential.CredentialService"
MS_PER_S: Final = 1_000


def setup(run: KuraRun) -> Director[None]:
    """On a shared server the names of accounts have the run's prefix, and nothing else is touched."""
    run.admin.masks = run.context.secrets
    run.settings = settings_of(run.context.scenario)
    for account in run.settings[ACCOUNTS]:
        run.asked_for.append(account)
        scope = run.scopes[account] = yield from run.admin.create_account(run.account_name(account))
        yield from run.admin.configure(scope, USERS, {ALL_DEVICES: True})
        yield from save_services(run, scope, run.settings)
        if len(run.settings[ACCOUNTS]) > 1:
            yield from new_signing_certificate(run, account)
        run.signers[account] = yield from signers_of(run.admin, scope)
    if run.kind == "password":
        yield from create_users(run)
    terms = run.settings[PROVISION_REQUEST]
    if terms is not None:
        for serial in run.serials():
            yield from ask_for_request(run, serial, terms)


def new_signing_certificate(run: KuraRun, account: str) -> AdminCall[None]:
    """One that only this account has. That a server makes it itself is part of the open profile."""
    name = f"dm-{account}-{run.context.new_token(f'signing certificate {len(run.signers)} of {account}')[:8]}"
    about = {"name": name, "certificateUsages": [{"name": SIGNS}], "forwardable": False}
    yield from run.admin.create(f"{run.scope(account)}/certificateInfos", about)


def settings_of(scenario: Scenario) -> dict[str, Any]:
    """All settings as the scenario wants them."""
    return chosen(scenario.server.settings.values, scenario.devices.credential)


def settings_in_force(scenario: Scenario) -> dict[str, Any]:
    """The same for people to read, as a file would say it."""
    settings = settings_of(scenario)
    terms = settings[PROVISION_REQUEST]
    return {
        **settings,
        PROVISION_REQUEST: NONE if terms is None else terms.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def configure(run: KuraRun, settings: Mapping[str, Any]) -> Director[None]:
    """Changes the services of all accounts of the run; what is not named stays."""
    run.settings |= settings
    for scope in run.scopes.values():
        yield from save_services(run, scope, settings)


def save_services(run: KuraRun, scope: str, settings: Mapping[str, Any]) -> AdminCall[None]:
    given = {name: settings[name] for name in OF_SERVICES if name in settings}
    parts = {
        DEVICES: {name: value for name, value in given.items() if name not in (COUPLING, *OF_CREDENTIALS)},
        CONNECTIONS: {name: value for name, value in given.items() if name == COUPLING},
        CREDENTIALS: {name: value for name, value in given.items() if name in OF_CREDENTIALS},
    }
    for service, properties in parts.items():
        if properties:
            yield from run.admin.configure(scope, service, properties)


def create_users(run: KuraRun) -> AdminCall[None]:
    """Of devices that are configured by hand: one each, or one for all."""
    scope, made = run.scope(None), set[str]()
    for serial in run.serials():
        name = run.user_name(serial)
        if name not in made:
            yield from run.admin.create_user(scope, name, run.account_password(serial))
            made.add(name)


def ask_for_request(run: KuraRun, serial: str, terms: RequestTerms, *, overwrite: bool = False) -> AdminCall[None]:
    """A request for one device; clones share one."""
    names, account = run.names(serial), terms.account or run.first_account
    if names.serial != serial and names.serial in run.requests:
        return
    password = run.password("bootstrap", names.serial, str(len(run.made_requests)))
    document = request_document(run, serial, terms, password, overwrite=overwrite)
    made = yield from create_request(run.admin, document)
    key = str(made.get("activationKey") or "")
    if key:
        run.context.secrets.learn("activation-key", key)
    request_id = run.admin.part(made, str, "id")
    run.made_requests.append(request_id)
    run.requests[names.serial] = MadeRequest(request_id, account, password, key)


def request_document(
    run: KuraRun, serial: str, terms: RequestTerms, password: str, *, overwrite: bool
) -> dict[str, Any]:
    """A `ProvisionRequestCreator` (spec 1.5)."""
    names, now_us = run.names(serial), run.context.driver.now_us()
    document: dict[str, Any] = {
        "accountId": run.scope(terms.account),
        "clientId": names.client_id,
        "generateActivationKey": terms.activation_key,
        "provisionUserUsername": names.user_name,
        "provisionUserPassword": password,
        "retryMaxAttempts": terms.retry_max_attempts,
        "overwriteIfDuplicate": overwrite,
        "provisionSecureURL": terms.secure_url,
        "deviceCredentialsTight": terms.credentials_tight,
        "provisionAttachments": attachments_of(terms, serial),
    }
    for name, after_s in (("activatesOn", terms.activates_in_s), ("expiresOn", terms.expires_in_s)):
        if after_s is not None:
            document[name] = now_us * MS_PER_S // US_PER_S + round(after_s * MS_PER_S)
    return document
