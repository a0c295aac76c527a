"""Hono's Device Registry Management API as an operator uses it: each call a generator of Asks, for both times.

Stock registries ask for an account (HTTP Basic) or for none; without a user none is sent (spec 1). Raises `BrokenBench`
with the first cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.servers.first_answer import Sought
from fleetrig.harness.servers.http_admin import ADMIN_WITHIN_S, HttpAdmin
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall

SOUGHT: Final = Sought(
    "device registry",
    "the registry",
    "give the address of its management API without /v1, not that of an adapter",
)

JsonDict = dict[str, Any]
PAGE: Final = 200
"""As many as a search may give at once (spec 1.2)."""
NOBODY: Final = "fleetrig-is-there-a-registry"
SPRINGS_OWN: Final = frozenset({"timestamp", "status"})
"""What a 404 of Spring has beside `error`: a hawkBit, say, that has no such path. A registry says `error` alone."""
PROVISIONS_OTHERS: Final = "auto-provisioning-enabled"
"""The authority of a gateway that may provision the devices behind it (spec 3)."""


class NotSearchable(BrokenBench):
    """The registry does not list its devices (Hono 1.1)."""


class HonoAdmin(HttpAdmin):
    """An operator's account on one registry. `tenant` is the one of the run, which makes and removes it."""

    def __init__(self, url: str, account: UserPassword, tenant: str) -> None:
        super().__init__(url, account, tenant, sought=SOUGHT, api="/v1")

    def secrets(self) -> Iterator[tuple[str, str]]:
        if self.account.user:
            yield "password", self.account.password
            yield from super().secrets()

    def request(self, method: str, path: str, body: object = None, headers: Headers = ()) -> HttpRequest:
        own = super().request(method, path, body, headers)
        if self.account.user:
            return own
        return HttpRequest(
            method, own.origin, own.target, tuple(one for one in own.headers if one[0] != "Authorization"), own.body
        )

    def greet(self) -> AdminCall[None]:
        """Finds out at once whether there is a registry that accepts the account. Raises BrokenBench."""
        request = self.request("GET", f"/tenants/{NOBODY}")
        said = self.part((yield from self.first(request, ADMIN_WITHIN_S, "error", 404)), dict)
        if said.keys() >= SPRINGS_OWN:
            raise BrokenBench(f"{self.url} is no {SOUGHT.server}: it has no path {request.target}; {SOUGHT.remedy}")

    # -- tenants

    def create_tenant(self, document: JsonDict) -> AdminCall[None]:
        yield from self.call("POST", f"/tenants/{self.tenant}", document, expect=(201,))

    def tenant_document(self) -> AdminCall[JsonDict | None]:
        """None when there is no such tenant."""
        found = yield from self._found(f"/tenants/{self.tenant}")
        return None if found is None else self.part(found, dict)

    def replace_tenant(self, document: JsonDict) -> AdminCall[None]:
        yield from self.call("PUT", f"/tenants/{self.tenant}", document, expect=(204,))

    def delete_tenant(self) -> AdminCall[None]:
        yield from self.call("DELETE", f"/tenants/{self.tenant}", expect=(204, 404))

    # -- devices

    def create_device(self, device_id: str, document: JsonDict) -> AdminCall[None]:
        yield from self.call("POST", self._device(device_id), document, expect=(201,))

    def device(self, device_id: str) -> AdminCall[JsonDict | None]:
        """None when there is no such device, or no such tenant."""
        found = yield from self._found(self._device(device_id))
        return None if found is None else self.part(found, dict)

    def replace_device(self, device_id: str, document: JsonDict) -> AdminCall[None]:
        """As it was read; its `status` is not taken over."""
        yield from self.call("PUT", self._device(device_id), document, expect=(204,))

    def delete_device(self, device_id: str) -> AdminCall[None]:
        yield from self.call("DELETE", self._device(device_id), expect=(204, 404))

    def delete_devices(self) -> AdminCall[bool]:
        """All of the tenant; one by one where a registry (before 1.10) cannot do that at once.

        False where it cannot list them either (1.1): then all are still there.
        """
        request = self.request("DELETE", f"/devices/{self.tenant}")
        response = yield from self.send(request)
        if not _is_unknown_here(response):
            self.read(request, response, (204, 404))
            return True
        found = yield from self.listed_ids()
        for device_id in found or ():
            yield from self.delete_device(device_id)
        return found is not None

    def listed_ids(self) -> AdminCall[list[str] | None]:
        """All of the tenant; None where the registry cannot be searched."""
        try:
            return (yield from self.device_ids())
        except NotSearchable:
            return None

    def device_count(self) -> AdminCall[int]:
        page = yield from self._page("pageSize=1")
        return 0 if page is None else self.part(page, int, "total")

    def device_ids(self) -> AdminCall[list[str]]:
        """All of the tenant.

        One stock registry counts `pageOffset` in pages, the other in devices (spec 1.2): where the second page begins
        with what the first one had, it was the latter.
        """
        found: dict[str, None] = {}
        offset, counts_devices = 0, False
        while True:
            page = yield from self._page(f"pageSize={PAGE}&pageOffset={offset}")
            if page is None:
                return list(found)
            ids = [self.part(one, str, "id") for one in self.part(page, list, "result")]
            counts_devices = counts_devices or not found.keys().isdisjoint(ids)
            new = dict.fromkeys(one for one in ids if one not in found)
            found |= new
            if not new or len(found) >= self.part(page, int, "total"):
                return list(found)
            offset = len(found) if counts_devices else offset + 1

    def _page(self, query: str) -> AdminCall[JsonDict | None]:
        """None where nothing matches: 404 with an `error`. Raises NotSearchable."""
        request = self.request("GET", f"/devices/{self.tenant}?{query}")
        response = yield from self.send(request)
        if _is_unknown_here(response):
            raise NotSearchable(
                f"GET {request.target} on {self.url} answered {response.status}, and nothing that a registry says: a "
                "Hono before 1.6 cannot be searched, and what is no Hono cannot either"
            )
        found = self.part(self.read(request, response, (200, 404)), dict)
        return None if response.status == 404 else found

    # -- credentials

    def credentials(self, device_id: str) -> AdminCall[list[JsonDict] | None]:
        """None when there is no such device."""
        found = yield from self._found(self._credentials(device_id))
        return None if found is None else self.part(found, list)

    def replace_credentials(self, device_id: str, entries: Sequence[Mapping[str, Any]]) -> AdminCall[None]:
        yield from self.call("PUT", self._credentials(device_id), list(entries), expect=(204,))

    def _found(self, path: str) -> AdminCall[Any]:
        """None for 404."""
        request = self.request("GET", path)
        response = yield from self.send(request)
        found = self.read(request, response, (200, 404))
        return None if response.status == 404 else found

    def _device(self, device_id: str) -> str:
        return f"/devices/{self.tenant}/{quote(device_id, safe='')}"

    def _credentials(self, device_id: str) -> str:
        return f"/credentials/{self.tenant}/{quote(device_id, safe='')}"


def _is_unknown_here(response: HttpResponse) -> bool:
    """A way that the registry does not have: no 404 of its own, which says why in a document."""
    if response.status != 404:
        return response.status == 405
    try:
        return not isinstance(read_json(body_bytes(response.body)), dict)
    except NotJson:
        return True
