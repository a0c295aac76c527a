"""The tenant's configuration as a row changes it: every key gets back what it was when the row ends."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from fleetrig.harness.conformance.expect import MissingCapability, expect_that
from fleetrig.harness.platforms.hawkbit.conformance.api_client import ApiClient
from fleetrig.harness.platforms.hawkbit.conformance.cleanup import Cleanup
from fleetrig.harness.platforms.hawkbit.conformance.polling_range import need_range
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, GATEWAY_MODE, POLLING_TIME, TARGET_MODE


class RowSettings:
    """Reads and changes keys of the tenant configuration (§1.6)."""

    def __init__(self, api: ApiClient, cleanup: Cleanup) -> None:
        self._api = api
        self._cleanup = cleanup

    def read(self, key: str) -> Any:
        """What a key is now."""
        return self._api.mgmt("GET", f"/system/configs/{key}").json().get("value")

    def change(self, settings: Mapping[str, Any]) -> None:
        """Sets those keys that differ; they get back what they were when the row ends."""
        settings = {key: value for key, value in settings.items() if self.read(key) != value}
        if not settings:
            return
        self.will_change(settings)
        answer = self._api.mgmt("PUT", "/system/configs", settings)
        need_range(answer, settings.get(POLLING_TIME))
        # Which of the two is S127's affair: here it would make one mistake fail nearly every row.
        expect_that(answer.status in (200, 204), f"{answer.request} is accepted: 204", f"{answer.status} {answer.text}")

    def will_change(self, keys: Iterable[str]) -> None:
        """Remembers what these keys are before a row changes them by itself. Raises MissingCapability without leave."""
        if not self._api.under_test.may_change_settings:
            raise MissingCapability("leave to change tenant settings (--change-tenant-settings)")
        for key in keys:
            self._cleanup.restore(key)

    def switch_gateway_on(self) -> str:
        """Returns the whole Authorization value. A key that is in use is left as it is."""
        in_use = self.read(GATEWAY_KEY) if self.read(GATEWAY_MODE) is True else None
        key = in_use or secrets.token_hex(16)
        self.change({GATEWAY_MODE: True, GATEWAY_KEY: key})
        return f"GatewayToken {key}"

    def switch_target_tokens_on(self) -> None:
        self.change({TARGET_MODE: True})
