"""Units that stay: gateways of one account, which provision themselves with a request each.

What a board is told is what its ProvisioningService needs: broker, account, user name, password and activation key.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platform import UnitCredential, UnitSighting, UnitSite, UnitValues
from fleetrig.harness.platforms.kura.account_names import ACCOUNT_NAME, ACCOUNT_NAME_FORM
from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.device_places import broker_url
from fleetrig.harness.platforms.kura.gateway_names import names_of
from fleetrig.harness.platforms.kura.kura_run import PASSWORD_SALT, USUAL_PROVISION_ACCOUNT
from fleetrig.harness.platforms.kura.record import COMPLETED, CONNECTED, job_of
from fleetrig.harness.platforms.kura.request_calls import create_request, find_request
from fleetrig.harness.platforms.kura.settings import ALL_DEVICES
from fleetrig.harness.platforms.kura.setup import DEVICES, USERS
from fleetrig.harness.platforms.kura.vocabulary import PROGRAM_VALUES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

SECRET_CHARS: Final = 24
RETRY_S: Final = 60
FOR_EVER: Final = -1


class KuraRegistrar:
    """A `UnitRegistrar`. The account is the one that `--profile` names; one that is not there is made."""

    def __init__(self, site: UnitSite, admin: KuraAdmin) -> None:
        self._site = site
        self._admin = admin
        self._scope = ""
        self._requests: dict[str, str] = {}
        """Serial -> the id of the request that was made for it."""
        admin.masks = site.secrets
        for kind, secret in admin.secrets():
            site.secrets.learn(kind, secret)

    def prepare(self, places: frozenset[str]) -> AdminCall[None]:
        del places
        if not ACCOUNT_NAME.fullmatch(self._site.group):
            raise UsageError(f"--profile {self._site.group!r} names the account of the units: expected "
                             f"{ACCOUNT_NAME_FORM}")  # fmt: skip
        yield from self._admin.greet()
        found = yield from self._admin.account_id(self._site.group)
        if found is None:
            found = yield from self._admin.create_account(self._site.group)
            yield from self._admin.configure(found, USERS, {ALL_DEVICES: True})
            yield from self._admin.configure(found, DEVICES, {ALL_DEVICES: True})
        self._scope = found

    def knows(self, serial: str) -> AdminCall[bool]:
        client_id = names_of(serial).client_id
        if (yield from self._admin.device(self._scope, client_id)) is not None:
            return True
        return (yield from find_request(self._admin, self._scope, client_id)) is not None

    def make_known(self, serial: str, places: frozenset[str]) -> AdminCall[UnitValues]:
        """A new request takes the place of an older one: what that gave is worth nothing any more."""
        del places
        names, password = names_of(serial), PASSWORD_SALT + self._site.new_token()[:SECRET_CHARS]
        self._site.secrets.learn("password", password)
        url = broker_url(self._site.server, self._site.listener or None)
        made = yield from create_request(
            self._admin,
            {
                "accountId": self._scope,
                "clientId": names.client_id,
                "generateActivationKey": True,
                "provisionUserUsername": names.user_name,
                "provisionUserPassword": password,
                "retryMaxAttempts": FOR_EVER,
                "overwriteIfDuplicate": True,
                "provisionSecureURL": url.startswith("mqtts"),
                "provisionAttachments": [],
            },
        )
        self._requests[serial] = self._admin.part(made, str, "id")
        key = str(made.get("activationKey") or "")
        self._site.secrets.learn("activation-key", key)
        told = {
            "provisioning": "true",
            "broker_url": url,
            "account_name": USUAL_PROVISION_ACCOUNT,
            "client_id": names.client_id,
            "user_name": names.user_name,
            "password": password,
            "activation_key": key,
            "serial_number": serial,
            "ca_authentication": "true",
            "retry_interval_s": str(RETRY_S),
            "retry_max_attempts": str(FOR_EVER),
            "timeout_s": str(RETRY_S),
        }
        about = {"url": self._admin.url, "tenant": self._site.group, "id": names.client_id}
        return UnitValues({**dict.fromkeys(PROGRAM_VALUES, ""), **about, **told}, UnitCredential("activation_key", key))

    def sighting(self, serial: str) -> AdminCall[UnitSighting]:
        client_id = names_of(serial).client_id
        request = yield from find_request(self._admin, self._scope, client_id)
        job = str(job_of(request).get("status", "none"))
        connection = yield from self._admin.connection(self._scope, client_id)
        status = "not connected" if connection is None else str(connection.get("status"))
        said = f"its provision job is {job}, and in the account {self._site.group} it is {status}"
        if (request or {}).get("id") != self._requests.get(serial):
            return UnitSighting(False, f"its provision request was replaced by another one; {said}")
        return UnitSighting(job == COMPLETED and status == CONNECTED, said)
