"""`fleetrig register` on ThingsBoard: a device with an access token, or one that asks for its credentials itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.desk.client_words import curl_for, first_known, mosquitto_pub_for
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
from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin, id_of
from fleetrig.harness.platforms.thingsboard.device_places import url_for_devices
from fleetrig.harness.platforms.thingsboard.platform import admin_of
from fleetrig.harness.platforms.thingsboard.registrar import ThingsBoardRegistrar
from fleetrig.harness.servers.description import did_you_mean
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

TOKEN: Final = "token"
PROVISION: Final = "provision"
ACCESS_TOKEN: Final = "access_token"
MOST_NAME_CHARS: Final = 255
USUAL_GROUP: Final = "fleetrig"
"""The device profile of devices that provision themselves, as `board bring-up` has it."""
MEASURED: Final = "'{\"temperature\":21.5}'"


class ThingsBoardTokens:
    """A `DeviceRegistrar`: devices of the default profile, or of the one that `--group` names, each with a token."""

    def __init__(self, site: RegisterSite) -> None:
        self._site = site
        self._admin: ThingsBoardAdmin = admin_of(site.server)
        self._admin.masks = site.secrets

    def prepare(self) -> AdminCall[str]:
        yield from self._admin.greet()
        names = [str(one.get("name")) for one in (yield from self._admin.profiles())]
        if self._site.group and self._site.group not in names:
            near = did_you_mean(self._site.group, names)
            raise UsageError(f"{self._admin.url} has no device profile {self._site.group!r}{near}")
        return ""

    def knows(self, serial: str) -> AdminCall[bool]:
        return (yield from self._admin.device(serial)) is not None

    def register(self, serial: str) -> AdminCall[AdmittedDevice]:
        token = self._site.new_secret()
        self._site.secrets.learn("access-token", token)
        device = yield from self._admin.device(serial)
        if device is None:
            device = yield from self._admin.create_device({"name": serial, **self._profile()})
        credentials = yield from self._admin.credentials(id_of(device))
        kind = {"credentialsType": "ACCESS_TOKEN", "credentialsId": token, "credentialsValue": None}
        yield from self._admin.save_credentials({**credentials, **kind})
        values = {"url": self._admin.url, "tenant": self._admin.tenant, "id": serial, ACCESS_TOKEN: token,
                  "provision_url": self._broker() or self._admin.url}  # fmt: skip
        said = f"is a device on {self._admin.url}, with an access token of its own"
        return AdmittedDevice(said, values, tuple(self._ways(serial)))

    def remove(self, serial: str) -> AdminCall[None]:
        yield from remove_device(self._admin, serial)

    def _broker(self) -> str:
        """Where devices connect, as a program under test is told it; empty if nothing says."""
        return first_known(("mqtt", "mqtts"), lambda scheme: url_for_devices(self._site.server, scheme))

    def _profile(self) -> dict[str, str]:
        return {"type": self._site.group} if self._site.group else {}

    def _ways(self, serial: str) -> Iterator[WayIn]:
        server, against = self._site.server, shlex.quote(self._site.against)
        broker = self._broker()
        if broker:
            login = f"{mosquitto_pub_for(broker, server.ca)} --username {in_quotes(ACCESS_TOKEN)}"
            sent = f"--topic v1/devices/me/telemetry --qos 1 --message {MEASURED}"
            yield WayIn("send telemetry over MQTT", f"{login} {sent}")
        url = self._admin.url
        token_url = f'"{url}/api/v1/${variable(ACCESS_TOKEN)}/telemetry"'
        yield WayIn("send telemetry over HTTP", f"{curl_for(url, server.ca)} --json {MEASURED} {token_url}")
        over = f"--over {broker or url} --name {shlex.quote(serial)}"
        doctor = f"fleetrig doctor thingsboard --against {against} {over}"
        yield WayIn("if it is refused", f"{doctor} --token env:{variable(ACCESS_TOKEN)}")
        yield WayIn("give it a file", f"fleetrig deploy FILE --to {shlex.quote(serial)} --against {against} --wait")


class ThingsBoardProvisioning:
    """A `DeviceRegistrar`: what the bench does for its units. The device asks with the key of a profile."""

    def __init__(self, site: RegisterSite) -> None:
        self._site = site
        self._admin: ThingsBoardAdmin = admin_of(site.server)
        group = site.group or USUAL_GROUP
        self._units = ThingsBoardRegistrar(
            UnitSite(site.server, site.secrets, site.new_secret, group=group), self._admin
        )

    def prepare(self) -> AdminCall[str]:
        yield from self._units.prepare(frozenset())
        return ""

    def knows(self, serial: str) -> AdminCall[bool]:
        return (yield from self._units.knows(serial))

    def register(self, serial: str) -> AdminCall[AdmittedDevice]:
        unit = yield from self._units.make_known(serial, frozenset())
        group = self._site.group or USUAL_GROUP
        said = f"is known on {self._admin.url}, and may ask for credentials with the key of the profile {group}"
        return AdmittedDevice(said, unit.given, tuple(self._ways(serial)))

    def remove(self, serial: str) -> AdminCall[None]:
        yield from remove_device(self._admin, serial)

    def _ways(self, serial: str) -> Iterator[WayIn]:
        name, key, secret = (f"'{in_quotes(name)}'" for name in ("id", "provision_key", "provision_secret"))
        curl = curl_for(self._admin.url, self._site.server.ca)
        asked = f'\'{{"deviceName":"{name}","provisionDeviceKey":"{key}","provisionDeviceSecret":"{secret}"}}\''
        yield WayIn("ask for credentials over HTTP", f"{curl} --json {asked} {self._admin.url}/api/v1/provision")
        doctor = f"fleetrig doctor thingsboard --against {shlex.quote(self._site.against)} --name {shlex.quote(serial)}"
        with_key = (
            f"--provision-key env:{variable('provision_key')} --provision-secret env:{variable('provision_secret')}"
        )
        yield WayIn("if it is refused", f"{doctor} {with_key}")


def remove_device(admin: ThingsBoardAdmin, serial: str) -> AdminCall[None]:
    device = yield from admin.device(serial)
    if device is not None:
        yield from admin.delete_device(id_of(device))


def why_no_device_name(name: str) -> str:
    return "" if len(name) <= MOST_NAME_CHARS else f"expected at most {MOST_NAME_CHARS} characters"


def registrar_of(site: RegisterSite) -> DeviceRegistrar:
    return ThingsBoardProvisioning(site) if site.credential == PROVISION else ThingsBoardTokens(site)


REGISTERING: Final = Registering(
    credentials=(TOKEN, PROVISION),
    group="device profile",
    why_no_name=why_no_device_name,
    registrar=registrar_of,
)
