"""Whom a load may hit without being told twice: this machine and private networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fleetrig.harness.servers.address import addresses_of, host_of, is_near, web_url
from fleetrig.simulator.contract.errors import UsageError

Resolve = Callable[[str], Iterable[str]]


def check_target(places: Iterable[str], *, is_allowed: bool, resolve: Resolve = addresses_of) -> None:
    """`places`: URLs or `HOST:PORT`. Raises UsageError for one beyond loopback and private networks."""
    if is_allowed:
        return
    for place in places:
        host = host_of(web_url(place))
        foreign = [address for address in resolve(host) if not is_near(address)]
        if foreign:
            raise UsageError(
                f"{host} ({foreign[0]}) is neither this machine nor in a private network: a load run can bring a "
                "server down. If it is yours and may be loaded, say so with --yes-this-host"
            )
