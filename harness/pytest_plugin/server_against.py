"""The server of `--fleetrig-against`: for fixtures and scenario files alike."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import pytest

from fleetrig.harness.pytest_plugin.options import against
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, UsageError

if TYPE_CHECKING:
    from fleetrig.harness.running_server.server import RunningServer
    from fleetrig.harness.servers.remote import RemoteServer


def check(config: pytest.Config) -> None:
    """Raises pytest.UsageError at the start for a file with mistakes, and for what is neither address nor file."""
    if not (given := against(config)):
        return
    from fleetrig.harness.servers.server_file import platform_named_by

    try:
        platform_named_by(given)
    except FleetrigError as wrong:
        raise pytest.UsageError(f"--fleetrig-against: {wrong}") from None


def remote_of(config: pytest.Config, platform: str) -> RemoteServer | None:
    """None where servers are started. Skips the test when that server is of another platform. Raises UsageError."""
    if not (given := against(config)):
        return None
    from fleetrig.harness.servers.server_file import platform_named_by, remote_server_from

    if (named := platform_named_by(given)) not in (None, platform):
        pytest.skip(f"--fleetrig-against {given} is a server of {named}, and this needs one of {platform}")
    may_change = config.getoption("--fleetrig-change-tenant-settings")
    return remote_server_from(given, platform, may_change_settings=may_change)


def server_against(config: pytest.Config, platform: str) -> RunningServer | None:
    """As a test has it in its hand; None where servers are started. Skips as `remote_of`."""
    remote = remote_of(config, platform)
    if remote is None:
        return None
    from fleetrig.harness.running_server.server import RunningServer
    from fleetrig.harness.servers.description import description_of
    from fleetrig.harness.servers.trust import context_of, verify_with

    about = description_of(platform)
    return RunningServer(
        remote.url,
        remote.account.user,
        remote.account.password,
        addresses={name: place.rpartition("://")[2] for name, place in remote.listeners.items()},
        control="" if remote.control is None else remote.control.url,
        platform=platform,
        profile=_profile(remote, platform),
        tenant=remote.tenant or about.tenant,
        ca=remote.ca,
        remote=remote,
        verify=context_of(verify_with(None, insecure=False, file_ca=remote.ca)),
        without_control=_skip_without_control,
    )


def _profile(remote: RemoteServer, platform: str) -> str:
    """What its control interface says; empty where nobody does."""
    if remote.control is None:
        return ""
    from fleetrig.harness.running_server.control_client import ControlClient

    with suppress(BrokenBench, UsageError):
        match ControlClient(remote.control.url).document("GET", "/"):
            case {"profiles": {**profiles}}:
                return str(profiles.get(platform, ""))
    return ""


def _skip_without_control(what: str) -> NoReturn:
    pytest.skip(
        f"{what} needs the control interface of a reference server: name it in the SERVER.yaml of --fleetrig-against "
        "(control: URL), or leave --fleetrig-against away"
    )
