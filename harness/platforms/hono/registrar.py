"""Units that stay, on Hono: devices of one tenant, which are made known by the certificates that their boards show.

A registry does not say when a device has called last, so that only what comes into being at first contact proves that a
unit was there: devices with passwords cannot be seen.
"""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.platform import UnitCredential, UnitSighting, UnitSite, UnitValues
from fleetrig.harness.platforms.hono.admin import HonoAdmin, JsonDict
from fleetrig.harness.platforms.hono.record import is_provisioned
from fleetrig.harness.platforms.hono.settings import DEVICE_ID_TEMPLATE, PROVISIONS, TRUSTED
from fleetrig.harness.platforms.hono.vocabulary import PROGRAM_VALUES, VOCABULARY
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

OVER_TLS: Final = ("mqtts", "https", "coaps")
BY_SERIAL: Final = "{{subject-cn}}"
"""The id of a unit's device is its serial, which stands in its certificate."""


class HonoRegistrar:
    """A `UnitRegistrar`. The tenant is the one that SERVER.yaml names, or is called as the group of the units."""

    def __init__(self, site: UnitSite, admin: HonoAdmin) -> None:
        self._site, self._admin = site, admin
        if admin.tenant == VOCABULARY.tenant:
            admin.tenant = site.group
        for kind, secret in admin.secrets():
            site.secrets.learn(kind, secret)

    def prepare(self, places: frozenset[str]) -> AdminCall[None]:
        del places
        if not self._site.authority_pem:
            raise UsageError(
                "a Hono registry does not tell whether a device with a password has called: let boards make keys "
                "(`csr` in the bench file) and say with --authority DIR who signs for them"
            )
        self._url()
        yield from self._admin.greet()
        tenant = yield from self._admin.tenant_document()
        shown, entry = self._authority()
        if tenant is None:
            yield from self._admin.create_tenant({TRUSTED: [entry]})
        elif not any(lets_in(one, shown) for one in tenant.get(TRUSTED) or ()):
            raise UsageError(
                f"the tenant {self._admin.tenant!r} of {self._admin.url} provisions nobody whom this authority has "
                f"signed under the name in the certificate: add it there, with {PROVISIONS} and {DEVICE_ID_TEMPLATE} "
                f"{BY_SERIAL}, or name another tenant with --profile; one that is not there is made"
            )

    def knows(self, serial: str) -> AdminCall[bool]:
        return (yield from self._admin.device(serial)) is not None

    def make_known(self, serial: str, places: frozenset[str]) -> AdminCall[UnitValues]:
        """Its certificate makes it known. One that is there is deleted: it comes back with the first contact."""
        del places
        yield from self._admin.delete_device(serial)
        about = {"url": self._admin.url, "adapter_url": self._url(), "tenant": self._admin.tenant, "id": serial}
        return UnitValues({**dict.fromkeys(PROGRAM_VALUES, ""), **about}, UnitCredential("certificate", ""))

    def sighting(self, serial: str) -> AdminCall[UnitSighting]:
        device = yield from self._admin.device(serial)
        if device is None:
            return UnitSighting(False, f"it has no device {serial}, and would have one after its first contact")
        how = "provisioned by its certificate" if is_provisioned(device) else "registered by somebody else"
        return UnitSighting(is_provisioned(device), f"its device {serial} is {how}")

    def _authority(self) -> tuple[JsonDict, JsonDict]:
        """The authority as a registry shows it, and as it takes it."""
        # Only here: the library takes long to import.
        from fleetrig.harness.platforms.hono.certificates import public_key_of, trusted_entry
        from fleetrig.simulator.certificates.pem import certificates_in

        own = certificates_in(self._site.authority_pem)[0]
        flags = {PROVISIONS: True, DEVICE_ID_TEMPLATE: BY_SERIAL}
        return {"public-key": public_key_of(own), **flags}, {**trusted_entry(own), **flags}

    def _url(self) -> str:
        """Where units reach an adapter: over TLS."""
        listeners, chosen = self._site.server.listeners, self._site.listener
        name = chosen or next((one for one in OVER_TLS if one in listeners), "")
        if name not in OVER_TLS or name not in listeners:
            raise UsageError(
                f"units show certificates over TLS: give a SERVER.yaml with {' or '.join(OVER_TLS)} of that server"
            )
        place = listeners[name]
        return place if "://" in place else f"{name}://{place}"


def lets_in(trusted: Any, shown: JsonDict) -> bool:
    """True for an entry of `trusted-ca` that has all of that."""
    return isinstance(trusted, dict) and all(trusted.get(name) == value for name, value in shown.items())
