"""hawkBit as our own reference server plays it for a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fleetrig.harness.platform import OwnServer, ProxiedServer
from fleetrig.harness.platforms.hawkbit.serve import builder_of
from fleetrig.harness.platforms.hawkbit.server import LINE, SERVER
from fleetrig.reference_server.platform import ClientVerifier, PlatformBuilder
from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Profile, Settings
from fleetrig.simulator.contract.errors import UsageError

MIN_POLLING: Final = "hawkbit.controller.minPollingTime"
FASTEST_POLLING: Final = "00:00:01"
"""The real server's minimum is 30 s; a run whose intervals are seconds needs less."""


def build(properties: Mapping[str, str], profile: str) -> PlatformBuilder:
    """A platform for a run: fast polls allowed, then the scenario's own properties.

    Raises ValueError for an unknown property, UsageError for an unknown profile.
    """
    return builder_of(run_settings(properties, profile))


def build_behind_proxy(properties: Mapping[str, str], profile: str, verifier: ClientVerifier) -> PlatformBuilder:
    """The same behind a proxy that ends TLS and vouches for devices whose certificates it verifies."""
    return builder_of(replace(run_settings(properties, profile), client_verifier=verifier))


def run_settings(properties: Mapping[str, str], profile: str) -> Settings:
    """Start-up properties of a server for a run. Raises ValueError, UsageError."""
    settings = settings_from_properties({MIN_POLLING: FASTEST_POLLING, **properties})
    line = Account(LINE.user, LINE.password, ("CREATE_TARGET",))
    return replace(settings, profile=known_profile(profile), accounts=(*settings.accounts, line))


def known_profile(text: str) -> Profile:
    """A generation of hawkBit. Raises UsageError."""
    try:
        return Profile(text)
    except ValueError:
        known = ", ".join(Profile)
        raise UsageError(f"there is no profile {text!r} of hawkBit; there are {known}") from None


PROXIED: Final = ProxiedServer({"https": "https://hawkbit.test:8443"}, build_behind_proxy)
OWN_SERVER: Final = OwnServer(build, {"http": "http://hawkbit.test:8080"}, SERVER.account, LINE, PROXIED)
