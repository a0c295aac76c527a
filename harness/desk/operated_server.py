"""The server that a verb for the desk works on: what it is, who asks there, and whom to trust.

What an address is the address of need not be said: each platform is asked whether it is there, as its operator asks.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.servers.description import description_of, known_platform
from fleetrig.harness.servers.http_admin import NotLetIn
from fleetrig.harness.servers.no_answer import NoAnswer
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.secrets import checked_account, secret_from
from fleetrig.harness.servers.server_file import platform_named_by, remote_server_from
from fleetrig.harness.servers.trust import verify_with
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.realtime import RealBench

NOT_LET_IN: Final = (
    "{said} (--user NAME and --password env:NAME, or a SERVER.yaml). It answers 401 as {platform} does; if it is "
    "something else, say so by --platform"
)
NOTHING_KNOWN: Final = (
    "nothing that is known answers at {against} with the usual accounts: say what it is by --platform, and who asks by "
    "--user and --password env:NAME, or by a SERVER.yaml. {said}"
)


@dataclass(frozen=True, slots=True)
class OperatedServerOptions:
    """The options that name a server, as they were given."""

    against: str
    platform: str | None = None
    user: str | None = None
    password: str | None = None
    ca: Path | None = None
    insecure: bool = False
    may_change_settings: bool = False


@dataclass(frozen=True, slots=True)
class OperatedServer:
    platform: str
    server: RemoteServer
    verify: ssl.SSLContext | bool

    def bench(self) -> RealBench:
        """What carries out an operator's calls; use as `async with`."""
        return RealBench(Trace(), verify=self.verify)


async def operated_server(options: OperatedServerOptions) -> OperatedServer:
    """Raises UsageError, FileMistakes, and BrokenBench when a platform has to be asked for and nobody is there."""
    named = options.platform and known_platform(options.platform, "--platform")
    named = named or platform_named_by(options.against)
    if named is not None:
        return _server_of(named, options)
    return await _first_that_answers(options)


async def _first_that_answers(options: OperatedServerOptions) -> OperatedServer:
    """A platform whose server could not have this description is none of those that are asked."""
    said: list[tuple[str, BrokenBench]] = []
    unfit: list[UsageError] = []
    for name in sorted(PLATFORMS, key=lambda name: not description_of(name).account.user):
        # who accepts an account says more of itself than who wants to know nothing
        try:
            found = _server_of(name, options)
        except UsageError as wrong:
            unfit.append(wrong)
            continue
        if (why_not := await _why_not(found)) is None:
            return found
        said.append((name, why_not))
    if not said:
        raise unfit[0]
    raise UsageError(_nobody_known(options.against, said))


def _nobody_known(against: str, said: list[tuple[str, BrokenBench]]) -> str:
    """Who wants another account is likelier meant than who has no such path."""
    strict = [one for one in said if isinstance(one[1], NotLetIn)]
    name, why = (strict or said)[0]
    if len(strict) == 1:
        return NOT_LET_IN.format(said=why, platform=name)
    return NOTHING_KNOWN.format(against=against, said=f"({name}: {why})")


async def _why_not(operated: OperatedServer) -> BrokenBench | None:
    """Why it is no server of that platform; None if it is. Raises NoAnswer."""
    try:
        async with operated.bench() as bench:
            await bench.run(platform_of(operated.platform).admin(operated.server).greet())
    except NoAnswer:
        raise
    except BrokenBench as wrong:
        return wrong
    return None


def _server_of(platform: str, options: OperatedServerOptions) -> OperatedServer:
    server = remote_server_from(options.against, platform, may_change_settings=options.may_change_settings)
    if options.user is not None and options.password is None:
        raise UsageError("--user needs --password env:NAME")
    if options.password is not None:
        secret = secret_from(options.password, "--password")
        account = checked_account(options.user or server.account.user, secret, "--user and --password")
        server = replace(server, account=account)
    return OperatedServer(platform, server, verify_with(options.ca, insecure=options.insecure, file_ca=server.ca))
