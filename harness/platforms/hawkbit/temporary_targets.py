"""Targets that exist only while a fleet runs: created beforehand with fresh tokens, deleted when it ends.

What was created is known at every moment, also when a request is broken off: a target whose creation was not answered
is ours if it carries our token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin, JsonDict
from fleetrig.harness.platforms.hawkbit.cleanup import restore, value_before
from fleetrig.harness.platforms.hawkbit.settings import TARGET_MODE
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

BATCH: Final = 200
FIRST_ANSWER_WITHIN_S: Final = 10.0
DESCRIPTION: Final = "made by fleetrig simulate, which deletes it when it ends"
NAMING: Final = len("made by fleetrig simulate")
"""So much of it is enough to search for."""


class TemporaryTargets:
    """The targets of one fleet on one server. `tokens`: serial -> target token."""

    noun = "targets"

    def __init__(self, admin: HawkbitAdmin, tokens: Mapping[str, str]) -> None:
        self._admin = admin
        self._tokens = tokens
        self._unsure: list[str] = []
        self._to_delete: list[str] = []
        self._mode_before: JsonDict | None = None
        self.created: set[str] = set()
        """Serials of the targets that this run created."""

    def create(self) -> AdminCall[None]:
        """Raises UsageError when a target of that name exists or a setting must not be changed, and BrokenBench when
        there is no server or it does not accept the account.
        """
        greeting = self._admin.request("GET", "/userinfo")
        yield from self._admin.first(greeting, FIRST_ANSWER_WITHIN_S, "tenant")
        yield from self._switch_tokens_on()
        serials = list(self._tokens)
        for start in range(0, len(serials), BATCH):
            yield from self._create_batch(serials[start : start + BATCH])

    def find_created(self) -> AdminCall[None]:
        """Asks for those whose creation was not answered."""
        while self._unsure:
            target = yield from self._admin.target(self._unsure[-1])
            serial = self._unsure.pop()
            if target is not None and target.get("securityToken") == self._tokens[serial]:
                self._is_ours([serial])

    def delete_all(self) -> AdminCall[None]:
        """Deletes what was created. May run several times in parallel: the calls share the work."""
        while self._to_delete:
            serial = self._to_delete.pop()
            yield from self._admin.delete_target(serial)
            self.created.discard(serial)

    def restore_settings(self) -> AdminCall[None]:
        """Puts the tenant's configuration back."""
        before = self._mode_before
        if before is None:
            return
        yield from restore(self._admin, TARGET_MODE, value_before(before))
        self._mode_before = None

    def left_behind(self) -> str:
        """Describes what is left on the server; empty if nothing is."""
        left = [f"{len(self.created):,} targets such as {min(self.created)}"] if self.created else []
        if self._unsure:
            left.append(f"perhaps {len(self._unsure):,} more, from {self._unsure[0]} on")
        if self._mode_before is not None:
            left.append(f"{TARGET_MODE} switched on")
        return " and ".join(left)

    def how_to_remove(self) -> str:
        """Their description tells these targets from others."""
        ways = [f'search for description=="{DESCRIPTION[:NAMING]}*" and delete what is found'] if (
            self.created or self._unsure
        ) else []  # fmt: skip
        if self._mode_before is not None:
            ways.append(f"set {TARGET_MODE} back to false")
        return ", then ".join(ways)

    def _switch_tokens_on(self) -> AdminCall[None]:
        """An account that may not read the configuration (403) leaves it alone; refused devices will show it."""
        mode = yield from self._admin.call("GET", f"/system/configs/{TARGET_MODE}", expect=(200, 403))
        if self._admin.part(mode, dict).get("value") is False:
            self._mode_before = mode
            try:
                yield from self._admin.configure({TARGET_MODE: True})
            except UsageError:  # not allowed, so nothing was changed
                self._mode_before = None
                raise

    def _create_batch(self, serials: list[str]) -> AdminCall[None]:
        targets = [
            {"controllerId": serial, "securityToken": self._tokens[serial], "description": DESCRIPTION}
            for serial in serials
        ]
        self._unsure = list(serials)
        answer = yield from self._admin.send(request := self._admin.request("POST", "/targets", targets))
        self._admin.read(request, answer, (201, 409))
        self._unsure = []
        if answer.status == 409:  # all or nothing: one that exists refuses the whole batch
            raise UsageError(
                f"some of the targets {serials[0]} to {serials[-1]} exist already on {self._admin.url}: delete them, "
                "or give the devices other names with --serial, for instance --serial 'MINE-{n:04d}'"
            )
        self._is_ours(serials)

    def _is_ours(self, serials: list[str]) -> None:
        self.created.update(serials)
        self._to_delete += serials
