"""The server of `--fleetrig-against`: for fixtures and scenario files alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from fleetrig.harness.pytest_plugin.options import against
from fleetrig.simulator.contract.errors import FleetrigError

if TYPE_CHECKING:
    from fleetrig.harness.running_server.server import RunningServer
    from fleetrig.harness.servers.remote import RemoteServer
    from fleetrig.harness.servers.server_file import DescribedServer

DESCRIBED: pytest.StashKey[DescribedServer] = pytest.StashKey()


def describe(config: pytest.Config) -> None:
    """At the start, so that a mistake is told once. Raises pytest.UsageError."""
    if not (given := against(config)):
        return
    from fleetrig.harness.servers.server_file import described_server

    try:
        config.stash[DESCRIBED] = described_server(given)
    except FleetrigError as wrong:
        raise pytest.UsageError(f"--fleetrig-against {given}: {wrong}") from None


def remote_of(config: pytest.Config, platform: str) -> RemoteServer | None:
    """None where servers are started. Skips the test when that server is of another platform. Raises UsageError."""
    described = config.stash.get(DESCRIBED, None)
    if described is None:
        return None
    if described.platforms and platform not in described.platforms:
        there = " and ".join(described.platforms)
        pytest.skip(f"this needs a server of {platform}, and --fleetrig-against {against(config)} is {there}")
    may_change = config.getoption("--fleetrig-change-tenant-settings")
    return described.server(platform, may_change_settings=may_change)


def server_against(config: pytest.Config, platform: str) -> RunningServer | None:
    """As a test has it in its hand; None where servers are started. Skips as `remote_of`."""
    remote = remote_of(config, platform)
    if remote is None:
        return None
    from fleetrig.harness.running_server.server import Behind, RunningServer
    from fleetrig.harness.servers.trust import context_of, verify_with

    page = config.stash[DESCRIBED].page
    return RunningServer(
        remote.url,
        remote.account.user,
        remote.account.password,
        addresses={name: place.rpartition("://")[2].partition("/")[0] for name, place in remote.listeners.items()},
        control="" if remote.control is None else remote.control.url,
        platform=platform,
        profile=remote.profile,
        properties={} if page is None else page.platforms[platform].properties,
        tenant=remote.tenant,
        ca=remote.ca,
        behind=Behind(
            remote,
            verify=context_of(verify_with(None, insecure=False, file_ca=remote.ca)),
            without_control=_skip_without_control,
        ),
    )


def _skip_without_control(what: str) -> NoReturn:
    pytest.skip(
        f"{what} needs the control interface of a reference server: give its URL as --fleetrig-against, name it in the "
        "SERVER.yaml there (control: URL), or leave --fleetrig-against away"
    )
