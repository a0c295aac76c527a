"""Units that stay, on hawkBit: targets with tokens of their own, and whether a poll came with the new one."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.platform import UnitCredential, UnitSighting, UnitSite, UnitValues
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin, JsonDict
from fleetrig.harness.platforms.hawkbit.settings import (
    GATEWAY_KEY,
    GATEWAY_MODE,
    HEADER_AUTHORITY,
    HEADER_MODE,
    TARGET_MODE,
)
from fleetrig.harness.servers.under_test import url_over_tls
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.drivers.director import AdminCall

MODES: Final = {"token": TARGET_MODE, "gateway_token": GATEWAY_MODE}
"""Place -> the setting without which the server takes no such credential."""


class HawkbitRegistrar:
    """A `UnitRegistrar`."""

    def __init__(self, site: UnitSite, admin: HawkbitAdmin) -> None:
        self._site = site
        self._admin = admin
        self._gateway_key = ""
        self._since_ms: dict[str, int] = {}
        """Serial -> when the server took its latest token, by the server's own clock: earlier polls do not count."""
        for kind, secret in admin.secrets():
            site.secrets.learn(kind, secret)

    def prepare(self, places: frozenset[str]) -> AdminCall[None]:
        yield from self._admin.greet()
        wanted: dict[str, Any] = {mode: True for place, mode in MODES.items() if place in places}
        if self._site.authority_pem:
            wanted[HEADER_MODE] = True
            wanted[HEADER_AUTHORITY] = yield from self._authorities()
        for key in list(wanted):
            if not (yield from self._differs(key, wanted[key])):
                del wanted[key]
        yield from self._admin.configure(wanted)
        if "gateway_token" in places:
            self._gateway_key = yield from self._key_in_use()

    def knows(self, serial: str) -> AdminCall[bool]:
        return (yield from self._admin.target(serial)) is not None

    def make_known(self, serial: str, places: frozenset[str]) -> AdminCall[UnitValues]:
        token = self._site.new_token()
        self._site.secrets.learn("target-token", token)
        if (yield from self.knows(serial)):
            made = yield from self._admin.update_target(serial, {"securityToken": token})
        else:
            (made,) = yield from self._admin.create_targets([{"controllerId": serial, "securityToken": token}])
        self._since_ms[serial] = _ms(made, "lastModifiedAt") or _ms(made, "createdAt")
        given = {"token": token, "gateway_token": self._gateway_key, "confirmation": ""}
        shown = UnitCredential("gateway_token", self._gateway_key)
        if "gateway_token" not in places:
            shown = UnitCredential("target_token", token)
        return UnitValues({"url": self._url(), "tenant": self._admin.tenant, "id": serial, **given}, shown)

    def sighting(self, serial: str) -> AdminCall[UnitSighting]:
        target = yield from self._admin.target(serial)
        if target is None:
            return UnitSighting(False, f"it has no target {serial} any more")
        last_ms = _ms(target, "lastControllerRequestAt")
        state = f"its target {serial} is {target.get('updateStatus')}"
        if not last_ms:
            return UnitSighting(False, f"{state} and has never polled")
        is_seen = last_ms >= self._since_ms.get(serial, 0)
        return UnitSighting(is_seen, f"{state} and has polled" + ("" if is_seen else ", but not with its new token"))

    def _url(self) -> str:
        server = self._site.server
        if not self._site.authority_pem and self._site.listener != "https":
            return server.url
        url = url_over_tls(server.listeners, server.url)
        if url is None:
            raise UsageError(
                f"units reach the server over TLS, and {server.url} has none: give a SERVER.yaml with https"
            )
        return url

    def _authorities(self) -> AdminCall[str]:
        """Those that the tenant trusts already, and ours."""
        # Only here: the library takes long to import, and most units need no certificates.
        from fleetrig.reference_server.name_hash import name_hash
        from fleetrig.simulator.certificates.pem import certificates_in

        config = yield from self._admin.read_config()
        listed = str(config.get(HEADER_AUTHORITY, {}).get("value") or "")
        ours = name_hash(certificates_in(self._site.authority_pem)[0].subject)
        return ",".join(dict.fromkeys([*filter(None, listed.split(",")), ours]))

    def _differs(self, key: str, value: Any) -> AdminCall[bool]:
        """An account that may not read the configuration (403) leaves it alone: refused units will show it."""
        found = yield from self._admin.call("GET", f"/system/configs/{key}", expect=(200, 403))
        entry = self._admin.part(found, dict)
        return "global" in entry and entry.get("value") != value

    def _key_in_use(self) -> AdminCall[str]:
        config = yield from self._admin.read_config()
        key = str(config.get(GATEWAY_KEY, {}).get("value") or "")
        if not key:
            raise BrokenBench(f"{self._admin.url} has no gateway token: set {GATEWAY_KEY}, or give units ${{token}}")
        self._site.secrets.learn("gateway-token", key)
        return key


def _ms(document: JsonDict, key: str) -> int:
    """A time by the server's clock; 0 for one that is not there, as older servers say it."""
    return int(document.get(key) or 0)
