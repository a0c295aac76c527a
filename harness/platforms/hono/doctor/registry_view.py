"""Looks at a registry: tenants, the devices of one of them, their credentials. Everything here only reads."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.platforms.hono.admin import NOBODY
from fleetrig.harness.platforms.hono.doctor.facts import DeviceRecord, TenantRecord, objects
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.identity import UserPassword

PAGE: Final = 200
"""As many as a search may give at once (spec 1.2)."""
MOST_OBJECTS: Final = 2_000
MOST_LOOKED_AT: Final = 500
"""Devices whose credentials are read one by one: a registry cannot be asked by auth-id."""


class NoRegistry(Exception):
    """Nothing can be looked at; `str()` says why."""


class RegistryView:
    """The management API with an account, or without. Raises BrokenBench when there is no answer."""

    def __init__(self, client: ExactClient, account: UserPassword | None) -> None:
        self._client = client
        self._headers = {"Accept": "application/json"}
        if account is not None and account.user:
            pair = b64encode(f"{account.user}:{account.password}".encode()).decode("ascii")
            self._headers["Authorization"] = f"Basic {pair}"

    def greet(self) -> None:
        """Finds out whether there is a registry that takes the account. Raises NoRegistry."""
        self._get(f"/tenants/{NOBODY}")

    def tenant(self, tenant_id: str) -> TenantRecord | None:
        """None when there is none of that id. Raises NoRegistry."""
        found = self._get(f"/tenants/{quote(tenant_id, safe='')}")
        return None if found is None else TenantRecord(tenant_id, found)

    def tenants(self) -> tuple[tuple[TenantRecord, ...], bool]:
        """And whether these are all. A registry before 1.6 cannot be searched, and JDBC's search leaves the trusted
        authorities away, so that each tenant has to be read. Raises NoRegistry."""
        found, is_all = self._search("/tenants")
        listed = [TenantRecord(str(one.get("id", "")), one) for one in found]
        unread = [one for one in listed if "trusted-ca" not in one.document]
        read = {one.id: self.tenant(one.id) or one for one in unread[:MOST_LOOKED_AT]}
        return tuple(read.get(one.id, one) for one in listed), is_all and len(unread) <= MOST_LOOKED_AT

    def device(self, tenant_id: str, device_id: str) -> DeviceRecord | None:
        """With its credentials; None when there is none. Raises NoRegistry."""
        place = f"{quote(tenant_id, safe='')}/{quote(device_id, safe='')}"
        found = self._get(f"/devices/{place}")
        if found is None:
            return None
        return DeviceRecord(device_id, found, objects(_json(self._call(f"/credentials/{place}"))))

    def devices(
        self, tenant_id: str, is_sought: Callable[[DeviceRecord], bool]
    ) -> tuple[tuple[DeviceRecord, ...], bool]:
        """Those of a tenant, with credentials until the one is found that is sought; and whether all were looked at.

        Raises NoRegistry.
        """
        found, is_all = self._search(f"/devices/{quote(tenant_id, safe='')}")
        records: list[DeviceRecord] = []
        is_found = False
        for number, one in enumerate(found):
            device_id = str(one.get("id", ""))
            if is_found or number >= MOST_LOOKED_AT:
                records.append(DeviceRecord(device_id, one))
                continue
            place = f"{quote(tenant_id, safe='')}/{quote(device_id, safe='')}"
            records.append(DeviceRecord(device_id, one, objects(_json(self._call(f"/credentials/{place}")))))
            is_found = is_sought(records[-1])
        return tuple(records), is_all and (is_found or len(found) <= MOST_LOOKED_AT)

    def _search(self, path: str) -> tuple[list[Mapping[str, Any]], bool]:
        """One registry counts `pageOffset` in pages, the other in objects: what comes again ends the second way."""
        found: dict[str, Mapping[str, Any]] = {}
        offset, counts_objects = 0, False
        while len(found) < MOST_OBJECTS:
            answer = self._call(f"{path}?pageSize={PAGE}&pageOffset={offset}")
            page = _json(answer)
            if not isinstance(page, dict) or answer.status != 200:
                return list(found.values()), answer.status == 404 and isinstance(page, dict)
            new = {str(one.get("id")): one for one in objects(page.get("result"))}
            counts_objects = counts_objects or not found.keys().isdisjoint(new)
            grown = {**found, **new}
            total = page.get("total")
            if len(grown) == len(found) or not isinstance(total, int) or len(grown) >= total:
                return list(grown.values()), True
            found = grown
            offset = len(found) if counts_objects else offset + 1
        return list(found.values()), False

    def _get(self, path: str) -> dict[str, Any] | None:
        answer = self._call(path)
        found = _json(answer)
        if answer.status == 200 and isinstance(found, dict):
            return found
        if answer.status in (400, 404) and isinstance(found, dict):
            return None
        raise NoRegistry(f"GET /v1{path} answers {answer.status}, which no registry of Hono does here")

    def _call(self, path: str) -> Answer:
        answer = self._client.call("GET", f"/v1{path}", self._headers)
        if answer.status == 401:
            raise NoRegistry(
                "the registry wants an account: give --user NAME --password env:NAME, or one that it knows"
            )
        return answer


def _json(answer: Answer) -> Any:
    try:
        return read_json(answer.body)
    except NotJson:
        return None
