"""`fleetrig register` on Hono: a device of a tenant with a password, and how it sends through the adapters."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.desk.client_words import curl_for, first_known, mosquitto_pub_for
from fleetrig.harness.desk.registering import AdmittedDevice, Registering, RegisterSite, WayIn, in_quotes, variable
from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.harness.platforms.hono.device_places import ADAPTERS, USUAL_PORTS
from fleetrig.harness.platforms.hono.hono_run import HASHED_PASSWORD, hashed
from fleetrig.harness.platforms.hono.platform import admin_of
from fleetrig.harness.servers.address import host_of
from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

PASSWORD: Final = "password"
NOT_IN_NAMES: Final = frozenset("/@")
MEASURED: Final = "'{\"temperature\":21.5}'"


class HonoDeviceRegistrar:
    """A `DeviceRegistrar`. The auth-id of a device is its id; a tenant that is not there is made."""

    def __init__(self, site: RegisterSite) -> None:
        self._site = site
        self._admin: HonoAdmin = admin_of(site.server)
        if site.group:
            self._admin.tenant = site.group

    def prepare(self) -> AdminCall[str]:
        yield from self._admin.greet()
        if (yield from self._admin.tenant_document()) is not None:
            return ""
        yield from self._admin.create_tenant({})
        return f"the tenant {self._admin.tenant} was not there and is now"

    def knows(self, serial: str) -> AdminCall[bool]:
        return (yield from self._admin.device(serial)) is not None

    def register(self, serial: str) -> AdminCall[AdmittedDevice]:
        password = self._site.new_secret()
        self._site.secrets.learn("password", password)
        if not (yield from self.knows(serial)):
            yield from self._admin.create_device(serial, {})
        entry = {"type": HASHED_PASSWORD, "auth-id": serial, "secrets": [hashed(password, serial)]}
        yield from self._admin.replace_credentials(serial, [entry])
        tenant, user = self._admin.tenant, f"{serial}@{self._admin.tenant}"
        adapter = first_known(ADAPTERS, self._adapter)
        values = {"url": self._admin.url, "adapter_url": adapter, "tenant": tenant, "id": serial}
        said = f"is a device of the tenant {tenant} on {self._admin.url}, with a password of its own"
        given = {**values, "user_name": user, PASSWORD: password}
        return AdmittedDevice(said, given, tuple(self._ways()))

    def remove(self, serial: str) -> AdminCall[None]:
        yield from self._admin.delete_device(serial)

    def _adapter(self, scheme: str) -> str:
        """That of a SERVER.yaml, or the usual port beside the registry. Raises UsageError where neither is known."""
        server = self._site.server
        usual = str(Address(host_of(server.url), USUAL_PORTS[scheme]))
        place = server.listeners.get(scheme) if server.is_file else usual
        if place is None:
            raise UsageError(f"the SERVER.yaml of {server.url} names no {scheme} adapter")
        return place if "://" in place else f"{scheme}://{place}"

    def _ways(self) -> Iterator[WayIn]:
        ca, user = self._site.server.ca, in_quotes("user_name")
        over_http = first_known(("http", "https"), self._adapter)
        if over_http:
            login = f'--user "${variable("user_name")}:${variable(PASSWORD)}"'
            sent = f"{curl_for(over_http, ca)} {login} --json {MEASURED} {over_http}/telemetry"
            yield WayIn("send telemetry over HTTP", sent)
        over_mqtt = first_known(("mqtt", "mqtts"), self._adapter)
        if over_mqtt:
            login = f"{mosquitto_pub_for(over_mqtt, ca)} --username {user} --pw {in_quotes(PASSWORD)}"
            yield WayIn("send telemetry over MQTT", f"{login} --topic telemetry --message {MEASURED}")
        over = over_mqtt or over_http
        doctor = f"fleetrig doctor hono --against {shlex.quote(self._site.against)}" + (
            f" --over {over}" if over else ""
        )
        yield WayIn("if it is refused", f"{doctor} --login {user} --secret env:{variable(PASSWORD)}")


def why_no_device_id(name: str) -> str:
    return "" if NOT_IN_NAMES.isdisjoint(name) else "expected a device id without / and @"


REGISTERING: Final = Registering(
    credentials=(PASSWORD,),
    group="tenant",
    why_no_name=why_no_device_id,
    registrar=HonoDeviceRegistrar,
)
