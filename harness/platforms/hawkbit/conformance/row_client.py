"""hawkBit as one conformance row uses it: things made under names of their own, and all of it removed again.

Whatever a row makes through its `RowClient` is removed, and whatever it configures is restored, when the row ends,
however it ends. Names carry the run's prefix, so rows work on a server that holds other people's targets.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import Mismatch, MissingCapability, expect
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.platforms.hawkbit.conformance.api_client import ApiClient
from fleetrig.harness.platforms.hawkbit.conformance.cleanup import Cleanup, delete_by_prefix
from fleetrig.harness.platforms.hawkbit.conformance.foreign_filters import assigned_by_foreign_filter
from fleetrig.harness.platforms.hawkbit.conformance.generations import GENERATIONS, Generation
from fleetrig.harness.platforms.hawkbit.conformance.row_settings import RowSettings
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import named
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target, TenantUnderTest, Update
from fleetrig.harness.run.interrupts import STOPPING, finishing_first, tell
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

LOOK_EVERY_S: Final = 0.2
NOT_AS_THE_CONTRACT_SAYS: Final = (LookupError, TypeError, AttributeError, ValueError, OverflowError)
"""What a row stumbles over in a document of another shape."""


class RowClient(ApiClient):
    """One row's way to the server."""

    def __init__(self, under_test: TenantUnderTest, row: str) -> None:
        super().__init__(under_test)
        self._row = row
        self._cleanup = Cleanup(self.mgmt, under_test.originals)
        self.settings = RowSettings(self, self._cleanup)
        self.was_interrupted = False

    # -- making

    def name(self, hint: str = "t") -> str:
        """A name that nobody else uses or has used."""
        return f"{self.name_prefix}{hint}{next(self.under_test.numbers)}"

    @property
    def name_prefix(self) -> str:
        """What all names of this row begin with."""
        return f"{self.under_test.prefix}-{self._row}-"

    def target(self, **fields: Any) -> Target:
        """A new target, removed when the row ends."""
        body = {"controllerId": self.name(), **fields}
        answer = self.create_targets([body])
        expect("status of POST /targets", 201, answer.status)
        made = answer.json()[0]
        return Target(made["controllerId"], made.get("securityToken", ""))

    def create_targets(self, bodies: Sequence[Mapping[str, Any]], **more: Any) -> Answer:
        """`POST /targets`; whatever it made is removed when the row ends."""
        for body in bodies:
            if isinstance(body.get("controllerId"), str):
                self.forget_target(body["controllerId"])
        return self.mgmt("POST", "/targets", list(bodies), **more)

    def forget_target(self, controller_id: str) -> None:
        """Removes this target when the row ends, also one that registered itself."""
        self.undo_delete(f"/targets/{quote(controller_id, safe='')}")

    def update(self, content: bytes = b"hello fleetrig", filename: str = "fw.bin") -> Update:
        """A complete update, removed when the row ends."""
        name, version = self.name("ds"), "1.0"
        module = self.made("/softwaremodules", {"name": name, "version": version, "type": "os"})
        self.upload(module["id"], content, filename)
        body = {"name": name, "version": version, "type": "os", "modules": [{"id": module["id"]}]}
        return Update(self.made("/distributionsets", body)["id"], module["id"], name, version, filename, content)

    def made(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Creates one entity through an endpoint that takes arrays; removed when the row ends."""
        answer = self.mgmt("POST", path, [body])
        expect(f"status of POST {path}", 201, answer.status)
        entity: dict[str, Any] = answer.json()[0]
        self.undo_delete(f"{path}/{entity['id']}")
        return entity

    def undo_delete(self, path: str) -> None:
        """`DELETE` this below `/rest/v1` when the row ends."""
        self._cleanup.remove(path)

    def assign(self, update: Update, target: Target, **fields: Any) -> int:
        """Assigns an update and returns the id of the action."""
        body = [{"id": target.controller_id, **fields}]
        answer = self.mgmt("POST", f"/distributionsets/{update.set_id}/assignedTargets", body)
        expect("status of assignedTargets", 200, answer.status)
        actions = answer.json()["assignedActions"]
        expect("number of assigned actions", 1, len(actions))
        return int(actions[0]["id"])

    # -- expecting

    @property
    def generation(self) -> Generation:
        """What to expect where generations differ."""
        return GENERATIONS[self.under_test.profile]

    def account(self, kind: str) -> UserPassword:
        """A further account. Raises MissingCapability when there is none."""
        if kind not in self.under_test.accounts:
            raise MissingCapability(f"an account {kind} (--account {kind}=USER:env:NAME)")
        return self.under_test.accounts[kind]

    def record(self, controller_id: str) -> dict[str, Any]:
        """The target as the Management API shows it."""
        answer = self.mgmt("GET", f"/targets/{quote(controller_id, safe='')}")
        expect(f"status of GET /targets/{controller_id}", 200, answer.status)
        found: dict[str, Any] = answer.json()
        return found

    def exists(self, controller_id: str) -> bool:
        return self.mgmt("GET", f"/targets/{quote(controller_id, safe='')}").status == 200

    def until(self, within_s: float, check: Callable[[], None]) -> None:
        """Asks again until the check agrees; its last Mismatch counts when time is up."""
        deadline_s = time.monotonic() + within_s
        while True:
            try:
                return check()
            except Mismatch:
                if time.monotonic() >= deadline_s:
                    raise
            time.sleep(LOOK_EVERY_S)

    # -- cleaning up

    def clean_up(self) -> None:
        """Removes and restores everything; what the server would not take back is kept in `left_behind`.

        A Ctrl-C meanwhile waits for that; a second one does not.
        """
        try:
            with finishing_first():
                self.under_test.left_behind += self._cleanup.run()
                if self.was_interrupted:
                    with contextlib.suppress(BrokenBench, Mismatch, LookupError, TypeError):
                        delete_by_prefix(self.mgmt, self.name_prefix)
        except KeyboardInterrupt:
            self.under_test.left_behind += self._cleanup.pending()
            raise


@contextlib.contextmanager
def open_client(under_test: TenantUnderTest, row: Row[RowClient]) -> Iterator[RowClient]:
    """A client for one row, cleaned up when this is left."""
    client = RowClient(under_test, row.number.lower())
    try:
        yield client
    except Mismatch as mismatch:
        last = client.http.last
        if name := assigned_by_foreign_filter(client.mgmt, under_test.prefix, client.name_prefix):
            raise MissingCapability(
                f"targets of our own: its filter {name!r} assigns a set to them too ({mismatch})"
            ) from None
        raise named(mismatch, last) from None
    except NOT_AS_THE_CONTRACT_SAYS as error:
        last = client.http.last
        got = f"{last.request} answered {last.status} {last.text[:300]!r}" if last is not None else "nothing"
        raise Mismatch(Finding("an answer of the shape that the contract gives", f"{got} ({error!r})")) from error
    except KeyboardInterrupt:
        client.was_interrupted = True
        tell(STOPPING)
        raise
    finally:
        client.clean_up()
