"""`fleetrig register` on hawkBit: a target with a token of its own, and how a client polls with it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from fleetrig.harness.desk.client_words import curl_for
from fleetrig.harness.desk.registering import AdmittedDevice, Registering, RegisterSite, WayIn, in_quotes, variable
from fleetrig.harness.platform import UnitSite
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.doctor.ids import MAX_CHARACTERS, is_possible
from fleetrig.harness.platforms.hawkbit.platform import admin_of
from fleetrig.harness.platforms.hawkbit.registrar import MODES, HawkbitRegistrar
from fleetrig.simulator.drivers.director import AdminCall

TOKEN: Final = "token"
PLACES: Final = frozenset({TOKEN})


class HawkbitDeviceRegistrar:
    """A `DeviceRegistrar`: what the bench does for its units, with what an author of a client wants to know."""

    def __init__(self, site: RegisterSite) -> None:
        self._site = site
        self._admin: HawkbitAdmin = admin_of(site.server)
        self._units = HawkbitRegistrar(UnitSite(site.server, site.secrets, site.new_secret), self._admin)

    def prepare(self) -> AdminCall[str]:
        yield from self._admin.greet()
        mode = MODES[TOKEN]
        before = yield from self._admin.call("GET", f"/system/configs/{mode}", expect=(200, 403))
        yield from self._units.prepare(PLACES)
        was_off = isinstance(before, dict) and "global" in before and before.get("value") is not True
        return f"{mode} is true now for the tenant {self._admin.tenant}; it was not" if was_off else ""

    def knows(self, serial: str) -> AdminCall[bool]:
        return (yield from self._units.knows(serial))

    def register(self, serial: str) -> AdminCall[AdmittedDevice]:
        unit = yield from self._units.make_known(serial, PLACES)
        said = f"is a target of the tenant {self._admin.tenant} on {self._admin.url}, with a token of its own"
        return AdmittedDevice(said, unit.given, tuple(self._ways(serial)))

    def remove(self, serial: str) -> AdminCall[None]:
        yield from self._admin.delete_target(serial)

    def _ways(self, serial: str) -> Iterator[WayIn]:
        against, tenant, url = shlex.quote(self._site.against), shlex.quote(self._admin.tenant), self._admin.url
        path = f"/{quote(self._admin.tenant, safe='')}/controller/v1/{quote(serial, safe='')}"
        token = f'"Authorization: TargetToken ${variable(TOKEN)}"'
        yield WayIn(
            "poll as it does", f"{curl_for(url, self._site.server.ca)} --header {token} {shlex.quote(url + path)}"
        )
        swupdate = shlex.quote(f"-t {self._admin.tenant} -u {url} -i {serial} -k ") + in_quotes(TOKEN)
        yield WayIn(
            "or let swupdate poll; a build for signed images wants -k CERTIFICATE too",
            f"swupdate --suricatta {swupdate}",
        )
        doctor = f"fleetrig doctor hawkbit --against {against} --tenant {tenant} --id {shlex.quote(serial)}"
        yield WayIn("if it is refused", f"{doctor} --target-token env:{variable(TOKEN)}")
        deploy = f"fleetrig deploy FILE --to {shlex.quote(serial)} --against {against}"
        yield WayIn("give it a file", f"{deploy} --wait")


def why_no_controller_id(name: str) -> str:
    if is_possible(name):
        return ""
    return f"expected a controllerId of at most {MAX_CHARACTERS} characters, without blanks, /, \\, %, ; and line ends"


REGISTERING: Final = Registering(
    credentials=(TOKEN,),
    group="",
    why_no_name=why_no_controller_id,
    registrar=HawkbitDeviceRegistrar,
)
