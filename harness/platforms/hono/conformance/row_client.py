"""Hono as one conformance row uses it: tenants of its own, and all of it removed again.

Tenants have ids that nobody knows before, so whatever devices provision themselves in them is removed with them.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from fleetrig.harness.conformance.cleanup import NOT_AS_THE_CONTRACT_SAYS, Cleanup
from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import Mismatch, expect, format_value
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.platforms.hono.conformance.generations import GENERATIONS, Generation, seen_beside
from fleetrig.harness.platforms.hono.conformance.issuing import Authority
from fleetrig.harness.platforms.hono.conformance.registry_api import RegistryApi, expect_created, expect_status
from fleetrig.harness.platforms.hono.conformance.under_test import ServerUnderTest
from fleetrig.harness.run.interrupts import STOPPING, finishing_first, tell
from fleetrig.harness.verdict import Finding, Severity

T = TypeVar("T")
PASSWORD: Final = "hono-secret"
AUTH_ID: Final = "sensor1"
FRESH: Final = {"ext": {"invalidate-cache-on-update": True}}
"""Without it adapters go on with what they know of a tenant until their caches forget it, 60 s and more."""


class RowClient(RegistryApi):
    """One row's way to the server."""

    def __init__(self, under_test: ServerUnderTest, row: str) -> None:
        super().__init__(under_test.http, under_test.account)
        self.under_test = under_test
        self.cleanup = Cleanup()
        self.quirks: list[Finding] = []
        """What a real Hono is known to do, though a better server would not: a warning, if nothing worse is found."""
        self._row = row
        self._provisioning: set[str] = set()
        """Tenants in which devices may be that no row has made."""
        self._closing = contextlib.ExitStack()

    # -- making

    def name(self, hint: str = "t") -> str:
        """One that nobody else uses or has used; a host name can hold it (SNI)."""
        return f"{self.under_test.prefix}-{self._row}-{hint}{next(self.under_test.numbers)}"

    def own_tenant_id(self) -> str:
        """An id of a tenant that is removed when the row ends, should there be one."""
        tenant = self.name()
        self.owe_tenant(tenant)
        return tenant

    def owe_tenant(self, tenant: str) -> None:
        self.undo(f"tenant {tenant}", partial(self._remove_tenant, tenant))

    def tenant(self, document: Any = None) -> str:
        """A new tenant with these members."""
        tenant = self.own_tenant_id()
        self._note_provisioning(tenant, document)
        expect_created(self.api("POST", f"/tenants/{tenant}", document or {}), "/tenants", tenant)
        return tenant

    def trusting(self, *entries: dict[str, Any], **members: Any) -> str:
        """A new tenant with these entries of `trusted-ca`; further members are written `resource_limits`."""
        return self.tenant({"trusted-ca": list(entries), **dashed(members)})

    def change_tenant(self, tenant: str, document: Any) -> None:
        """All of it replaced, so that adapters hear of it."""
        self._note_provisioning(tenant, document)
        self.asked("PUT", f"/tenants/{tenant}", {**FRESH, **document}, 204)

    def device(self, tenant: str, document: Any = None, device: str = "d") -> str:
        """A new device with these members."""
        self._note_provisioning(tenant, document)
        self.owe_device(tenant, device)
        expect_created(self.api("POST", f"/devices/{tenant}/{device}", document or {}), f"/devices/{tenant}", device)
        return device

    def owe_device(self, tenant: str, device: str) -> None:
        """Hono 1.1 removes devices one by one, and not with their tenant."""
        if not self.generation.is_current:
            self.undo(f"device {device} of {tenant}", partial(self._remove_device, tenant, device))

    def give(self, tenant: str, device: str, *entries: dict[str, Any]) -> Answer:
        """A device has these credentials now, and no others."""
        return self.asked("PUT", f"/credentials/{tenant}/{device}", list(entries), 204)

    def with_password(self, tenant: str, document: Any = None, device: str = "d", auth_id: str = AUTH_ID) -> str:
        """A new device that signs in with `PASSWORD`; what to give for Basic."""
        self.give(tenant, self.device(tenant, document, device), password(auth_id))
        return f"{auth_id}@{tenant}:{PASSWORD}"

    def authority(self, hint: str = "ca", below: Authority | None = None) -> Authority:
        """A new one, of a name that no other tenant trusts."""
        return Authority(self.name(hint), below)

    # -- looking

    def devices_of(self, tenant: str) -> list[dict[str, Any]]:
        """All of them; where there is no search, those that have sent something."""
        if self.generation.is_current:
            return self.search(f"/devices/{tenant}")
        senders = dict.fromkeys(one["properties"]["device_id"] for one in self.under_test.told(tenant))
        return [{"id": one} for one in senders if self.api("GET", f"/devices/{tenant}/{one}").status == 200]

    def only_device(self, tenant: str) -> dict[str, Any]:
        """The one device that there is, as a GET shows it, with its `id`."""
        [found] = self.expect_count(tenant, 1)
        return {**self.document(f"/devices/{tenant}/{found['id']}"), "id": found["id"]}

    def expect_count(self, tenant: str, count: int) -> list[dict[str, Any]]:
        found = self.devices_of(tenant)
        expect(f"devices of the tenant ({[one['id'] for one in found][:5]})", count, len(found))
        return found

    def credentials(self, tenant: str, device: str) -> list[dict[str, Any]]:
        return list(self.document(f"/credentials/{tenant}/{device}"))

    # -- judging

    @property
    def generation(self) -> Generation:
        """What to expect where generations differ."""
        return GENERATIONS[self.under_test.profile]

    def expect_known(self, what: str, got: T, trait: Callable[[Generation], T]) -> None:
        """What the generation does here. Another server may be one of its version that is known to do otherwise: then
        that is a warning, and the row goes on."""
        wanted = trait(self.generation)
        if got != wanted and self.under_test.is_foreign and got in map(trait, seen_beside(self.under_test.profile)):
            self.warn(f"{what}: {format_value(wanted)}", got)
        else:
            expect(what, wanted, got)

    def expect_status_known(self, answer: Answer, trait: Callable[[Generation], int]) -> None:
        self.expect_known(f"status of {answer.request} ({answer.text[:100]})", answer.status, trait)

    def warn(self, expected: str, got: object) -> None:
        self.quirks.append(Finding(expected, format_value(got)))

    # -- cleaning up

    def closing(self, close: Callable[[], object]) -> None:
        """Called when the row ends."""
        self._closing.callback(close)

    def undo(self, what: str, removal: Callable[[], None]) -> None:
        """Does this when the row ends; what was made last goes first."""
        self.cleanup.owe(what, removal)

    def _remove_tenant(self, tenant: str) -> None:
        """Its devices first: a registry may keep those of a tenant that is gone."""
        if self.generation.is_current:
            expect_status(self.api("DELETE", f"/devices/{tenant}"), 204, 404)
        elif not self.under_test.is_foreign:
            for device in self.devices_of(tenant):
                self._remove_device(tenant, device["id"])
        expect_status(self.api("DELETE", f"/tenants/{tenant}"), 204, 404)
        if tenant in self._provisioning and self.under_test.is_foreign and not self.generation.is_current:
            self.under_test.left_behind.append(
                f"devices that were provisioned in tenant {tenant} may be there: profile {self.under_test.profile} "
                "lists none"
            )

    def _note_provisioning(self, tenant: str, document: Any) -> None:
        if isinstance(document, dict) and not document.keys().isdisjoint({"trusted-ca", "authorities"}):
            self._provisioning.add(tenant)

    def _remove_device(self, tenant: str, device: str) -> None:
        expect_status(self.api("DELETE", f"/devices/{tenant}/{device}"), 204, 404)

    def clean_up(self) -> None:
        """What the server would not take back is kept in `left_behind`. A second Ctrl-C ends it."""
        try:
            with finishing_first():
                self._closing.close()
                self.under_test.left_behind += self.cleanup.run()
        except KeyboardInterrupt:
            self.under_test.left_behind += self.cleanup.pending()
            raise


@contextlib.contextmanager
def open_client(under_test: ServerUnderTest, row: Row[RowClient]) -> Iterator[RowClient]:
    """A client for one row, cleaned up when this is left."""
    client = RowClient(under_test, row.number.lower())
    try:
        yield client
    except HandshakeRefused as refused:
        raise Mismatch(Finding("a handshake that succeeds", str(refused))) from None
    except NOT_AS_THE_CONTRACT_SAYS as error:
        last = client.http.last
        got = f"{last.request} answered {last.status} {last.text[:300]!r}" if last is not None else "nothing"
        raise Mismatch(Finding("an answer of the shape that the contract gives", f"{got} ({error!r})")) from error
    except KeyboardInterrupt:
        tell(STOPPING)
        raise
    finally:
        client.clean_up()
    if client.quirks:
        raise Mismatch(together(client.quirks), Severity.WARNING)


def together(findings: Sequence[Finding]) -> Finding:
    """What a real Hono is known to do, as one."""
    got = "; ".join(one.got for one in findings)
    return Finding("; ".join(one.expected for one in findings), f"{got}, as a real Hono is known to do")


def password(auth_id: str = AUTH_ID, text: str = PASSWORD, **validity: str) -> dict[str, Any]:
    """Credentials whose hash costs next to nothing; validity is written `not_after`."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    secret = {"hash-function": "sha-256", "pwd-hash": digest, **dashed(validity)}
    return {"type": "hashed-password", "auth-id": auth_id, "secrets": [secret]}


def dashed(members: dict[str, Any]) -> dict[str, Any]:
    """`not_after` as documents have it."""
    return {name.replace("_", "-"): value for name, value in members.items()}
