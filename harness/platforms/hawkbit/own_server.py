"""hawkBit as our own reference server plays it for a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fleetrig.harness.platform import OwnServer
from fleetrig.harness.platforms.hawkbit.serve import builder_of
from fleetrig.harness.platforms.hawkbit.server import LINE, SERVER
from fleetrig.reference_server.platform import PlatformBuilder
from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Profile
from fleetrig.simulator.contract.errors import UsageError

MIN_POLLING: Final = "hawkbit.controller.minPollingTime"
FASTEST_POLLING: Final = "00:00:01"
"""The real server's minimum is 30 s; a run whose intervals are seconds needs less."""


def build(properties: Mapping[str, str], profile: str) -> PlatformBuilder:
    """A platform for a run: fast polls allowed, then the scenario's own properties.

    Raises ValueError for an unknown property, UsageError for an unknown profile.
    """
    settings = settings_from_properties({MIN_POLLING: FASTEST_POLLING, **properties})
    line = Account(LINE.user, LINE.password, ("CREATE_TARGET",))
    return builder_of(replace(settings, profile=known_profile(profile), accounts=(*settings.accounts, line)))


def known_profile(text: str) -> Profile:
    """A generation of hawkBit. Raises UsageError."""
    try:
        return Profile(text)
    except ValueError:
        known = ", ".join(Profile)
        raise UsageError(f"there is no profile {text!r} of hawkBit; there are {known}") from None


OWN_SERVER: Final = OwnServer(build, {"http": "http://hawkbit.test:8080"}, SERVER.account, LINE)
