"""Units that stay, on ThingsBoard: devices of one profile, which ask for their credentials with its key."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.platform import UnitCredential, UnitSighting, UnitSite, UnitValues
from fleetrig.harness.platforms.thingsboard.admin import PROVISION_STATE, JsonDict, ThingsBoardAdmin, id_of
from fleetrig.harness.platforms.thingsboard.device_places import url_for_devices
from fleetrig.harness.platforms.thingsboard.record import PROVISIONED, read_record
from fleetrig.harness.platforms.thingsboard.settings import CHAIN, CHECK, CREATE, CREATES, PATTERN, STRATEGY
from fleetrig.harness.platforms.thingsboard.setup import provisioning_profile
from fleetrig.harness.platforms.thingsboard.vocabulary import PROGRAM_VALUES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.flows.thingsboard.credentials import ProvisionKey

SECRET_CHARS: Final = 20
"""As ThingsBoard's own."""
WANTED: Final = frozenset({"token", "credentials_type"})


class ThingsBoardRegistrar:
    """A `UnitRegistrar`. The profile is the one of that name; if there is none, one for imported devices is made."""

    def __init__(self, site: UnitSite, admin: ThingsBoardAdmin) -> None:
        self._site = site
        self._admin = admin
        self._strategy = ""
        self._key = ProvisionKey("", "")
        self._before: dict[str, str | None] = {}
        """Serial -> the id of the credentials that it had: a new certificate replaces them."""
        admin.masks = site.secrets
        for kind, secret in admin.secrets():
            site.secrets.learn(kind, secret)

    def prepare(self, places: frozenset[str]) -> AdminCall[None]:
        del places
        yield from self._admin.greet()
        profile = yield from self._profile()
        if profile is None:
            profile = yield from self._admin.save_profile(self._new_profile())
        self._strategy = str(profile.get(STRATEGY))
        self._check_strategy()
        secret = profile["profileData"]["provisionConfiguration"].get("provisionDeviceSecret")
        if self._strategy != CHAIN:
            self._key = self._learnt(ProvisionKey(str(profile.get("provisionDeviceKey")), str(secret)))

    def knows(self, serial: str) -> AdminCall[bool]:
        return (yield from self._admin.device(serial)) is not None

    def make_known(self, serial: str, places: frozenset[str]) -> AdminCall[UnitValues]:
        """Imported where the profile wants that; one that is there may ask once more."""
        del places
        device = yield from self._admin.device(serial)
        if device is not None and self._strategy == CREATE:
            raise UsageError(
                f"{self._admin.url} has a device {serial} already, and its profile {self._site.group!r} lets each in "
                f"once: delete the device there, or use a profile with {CHECK}"
            )
        if device is not None and self._strategy == CHAIN:
            self._before[serial] = (yield from self._admin.credentials(id_of(device))).get("credentialsId")
        elif device is not None:
            yield from self._admin.delete_attribute(id_of(device), PROVISION_STATE)
        elif self._strategy == CHECK:
            yield from self._admin.import_devices(self._site.group, [{"serial": serial}])
        url = url_for_devices(self._site.server, self._site.listener or None)
        key = {"provision_url": url, "provision_key": self._key.key, "provision_secret": self._key.secret}
        given = {**dict.fromkeys(PROGRAM_VALUES, ""), **key}
        about = {"url": self._admin.url, "tenant": self._admin.tenant, "id": serial}
        return UnitValues({**about, **given}, UnitCredential("provision_secret", self._key.secret))

    def sighting(self, serial: str) -> AdminCall[UnitSighting]:
        record = yield from read_record(self._admin, serial, WANTED)
        if record is None:
            return UnitSighting(False, f"it has no device {serial}")
        if record.state != PROVISIONED:
            return UnitSighting(False, f"its device {serial} is {record.state}, and has not asked with the right key")
        if serial in self._before and record.token == self._before[serial]:
            return UnitSighting(False, f"its device {serial} has not shown its new certificate")
        kind = str(record.fields["credentials_type"]).lower()
        return UnitSighting(True, f"its device {serial} is provisioned", UnitCredential(kind, record.token or ""))

    def _profile(self) -> AdminCall[JsonDict | None]:
        profiles = yield from self._admin.profiles()
        return next((one for one in profiles if one.get("name") == self._site.group), None)

    def _new_profile(self) -> JsonDict:
        pem = self._site.authority_pem.decode()
        settings: dict[str, Any] = {STRATEGY: CHAIN, PATTERN: "(.*)", CREATES: True} if pem else {STRATEGY: CHECK}
        key = ProvisionKey(self._site.new_token()[:SECRET_CHARS], self._site.new_token()[:SECRET_CHARS])
        return provisioning_profile(self._site.group, settings, self._learnt(key), pem)

    def _learnt(self, key: ProvisionKey) -> ProvisionKey:
        self._site.secrets.learn("provision-key", key.key)
        self._site.secrets.learn("provision-secret", key.secret)
        return key

    def _check_strategy(self) -> None:
        wants = (CHAIN,) if self._site.authority_pem else (CHECK, CREATE)
        if self._strategy not in wants:
            raise UsageError(
                f"the device profile {self._site.group!r} of {self._admin.url} is {self._strategy}, and these boards "
                f"need {' or '.join(wants)}: name another with --profile; one that is not there is made"
            )
