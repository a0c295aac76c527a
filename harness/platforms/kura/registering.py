"""`fleetrig register` in the Kura namespace: a user of an account for a gateway, or a provision request for it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.desk.client_words import mosquitto_pub_for
from fleetrig.harness.desk.registering import (
    AdmittedDevice,
    DeviceRegistrar,
    Registering,
    RegisterSite,
    WayIn,
    in_quotes,
    variable,
)
from fleetrig.harness.platform import UnitSite
from fleetrig.harness.platforms.kura.account_names import ACCOUNT_NAME, ACCOUNT_NAME_FORM
from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.device_places import broker_url
from fleetrig.harness.platforms.kura.kura_run import PASSWORD_SALT
from fleetrig.harness.platforms.kura.platform import admin_of
from fleetrig.harness.platforms.kura.registrar import KuraRegistrar
from fleetrig.harness.platforms.kura.request_calls import delete_request, find_request
from fleetrig.harness.platforms.kura.settings import ALL_DEVICES
from fleetrig.harness.platforms.kura.setup import DEVICES, USERS
from fleetrig.harness.platforms.kura.simulation_options import NOT_IN_NAMES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

PASSWORD: Final = "password"
PROVISION: Final = "provision"
USUAL_GROUP: Final = "fleetrig"
"""The account of devices, as `board bring-up` has it; one that is not there is made."""


class KuraUsers:
    """A `DeviceRegistrar`: each gateway has a user of its own, called as its client id. Its BIRTH makes it a device."""

    def __init__(self, site: RegisterSite) -> None:
        self._site = site
        self._account = site.group or USUAL_GROUP
        self._admin: KuraAdmin = admin_of(site.server)
        self._admin.masks = site.secrets
        self._scope = ""
        self._broker = ""

    def prepare(self) -> AdminCall[str]:
        check_account(self._account)
        self._broker = broker_url(self._site.server, None)
        yield from self._admin.greet()
        self._scope, made = yield from account_for_devices(self._admin, self._account)
        return f"the account {self._account} was not there and is now" if made else ""

    def knows(self, serial: str) -> AdminCall[bool]:
        scope = yield from self._admin.account_id(self._account)
        return scope is not None and (yield from self._admin.user(scope, self._user(serial))) is not None

    def register(self, serial: str) -> AdminCall[AdmittedDevice]:
        password = self._site.new_secret()
        self._site.secrets.learn("password", password)
        user = yield from self._admin.user(self._scope, self._user(serial))
        if user is None:
            yield from self._admin.create_user(self._scope, self._user(serial), password)
        else:
            user_id = self._admin.part(user, str, "id")
            yield from self._admin.reset_password(self._scope, user_id, password)
        about = {"url": self._admin.url, "tenant": self._account, "id": serial, "broker_url": self._broker}
        names = {
            "account_name": self._account,
            "client_id": serial,
            "user_name": self._user(serial),
            PASSWORD: password,
        }
        said = f"may sign in to the account {self._account} on {self._broker}, as a user with a password of its own"
        return AdmittedDevice(said, {**about, **names}, tuple(self._ways(serial)))

    def remove(self, serial: str) -> AdminCall[None]:
        yield from remove_gateway(self._admin, self._account, serial)

    def _user(self, serial: str) -> str:
        return user_name_of(self._account, serial)

    def _ways(self, serial: str) -> Iterator[WayIn]:
        topic = f"\\$EDC/{self._account}/{serial}/MQTT/BIRTH"
        login = f"--id {shlex.quote(serial)} --username {in_quotes('user_name')} --pw {in_quotes(PASSWORD)}"
        yield WayIn(
            "be born with an empty BIRTH",
            f'{mosquitto_pub_for(self._broker, self._site.server.ca)} {login} --topic "{topic}" --null-message --qos 1',
        )
        against = shlex.quote(self._site.against)
        names = f"--account {self._account} --login {shlex.quote(self._user(serial))} --client-id {shlex.quote(serial)}"
        doctor = f"fleetrig doctor kura --against {against} {names}"
        asks = f"--secret env:{variable(PASSWORD)} --broker-url {self._broker} --connect"
        yield WayIn("if it is refused", f"{doctor} {asks}")
        deploy = f"fleetrig deploy FILE --to {shlex.quote(serial)} --against {against}"
        yield WayIn("give it a file", deploy)


class KuraRequests:
    """A `DeviceRegistrar`: what the bench does for its units. The gateway's ProvisioningService asks for the rest."""

    def __init__(self, site: RegisterSite) -> None:
        self._site = site
        self._account = site.group or USUAL_GROUP
        self._admin: KuraAdmin = admin_of(site.server)
        unit_site = UnitSite(site.server, site.secrets, site.new_secret, group=self._account)
        self._units = KuraRegistrar(unit_site, self._admin)

    def prepare(self) -> AdminCall[str]:
        yield from self._units.prepare(frozenset())
        return ""

    def knows(self, serial: str) -> AdminCall[bool]:
        scope = yield from self._admin.account_id(self._account)
        return scope is not None and (yield from find_request(self._admin, scope, serial)) is not None

    def register(self, serial: str) -> AdminCall[AdmittedDevice]:
        unit = yield from self._units.make_known(serial, frozenset())
        said = f"has a provision request on {self._admin.url}, which brings it into the account {self._account}"
        return AdmittedDevice(said, unit.given, tuple(self._ways(unit.given["user_name"], serial)))

    def remove(self, serial: str) -> AdminCall[None]:
        yield from remove_gateway(self._admin, self._account, serial)

    def _ways(self, user_name: str, serial: str) -> Iterator[WayIn]:
        names = f"--account ec-provisioning --login {user_name} --client-id {shlex.quote(serial)}"
        secrets = f"--secret env:{variable(PASSWORD)} --activation-key env:{variable('activation_key')}"
        doctor = f"fleetrig doctor kura --against {shlex.quote(self._site.against)} {names} {secrets}"
        yield WayIn("if it is refused", doctor)


def check_account(name: str) -> None:
    if not ACCOUNT_NAME.fullmatch(name):
        raise UsageError(f"--group {name!r} names the account of the devices: expected {ACCOUNT_NAME_FORM}")


def account_for_devices(admin: KuraAdmin, name: str) -> AdminCall[tuple[str, bool]]:
    """The id of an account that takes any number of devices, and whether it was made."""
    found = yield from admin.account_id(name)
    if found is not None:
        return found, False
    made = yield from admin.create_account(name)
    yield from admin.configure(made, USERS, {ALL_DEVICES: True})
    yield from admin.configure(made, DEVICES, {ALL_DEVICES: True})
    return made, True


def user_name_of(account: str, serial: str) -> str:
    """No two users of a server have the same name: in an account of one's own it begins with the account's."""
    return serial if account == USUAL_GROUP else f"{account}-{serial}"


def remove_gateway(admin: KuraAdmin, account: str, serial: str) -> AdminCall[None]:
    """Its device, its user, and the request for it."""
    scope = yield from admin.account_id(account)
    if scope is None:
        return
    if (request := (yield from find_request(admin, scope, serial))) is not None:
        yield from delete_request(admin, admin.part(request, str, "id"))
    for kind, found in (
        ("devices", (yield from admin.device(scope, serial))),
        ("users", (yield from admin.user(scope, user_name_of(account, serial)))),
    ):
        if found is not None:
            yield from admin.delete(f"{scope}/{kind}/{admin.part(found, str, 'id')}")


def why_no_client_id(name: str) -> str:
    if NOT_IN_NAMES & {*name} or "::" in name or len(name) < 3:
        return f"expected a client id of 3 characters or more, without {' '.join(sorted(NOT_IN_NAMES))} and ::"
    return ""


def registrar_of(site: RegisterSite) -> DeviceRegistrar:
    return KuraRequests(site) if site.credential == PROVISION else KuraUsers(site)


REGISTERING: Final = Registering(
    credentials=(PASSWORD, PROVISION),
    group="account",
    why_no_name=why_no_client_id,
    registrar=registrar_of,
    secret_begins=PASSWORD_SALT,
)
