"""What `fleetrig serve` shows first: what listens where, accounts, where the state lies, how to stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from fleetrig.harness.commands.serve_console import clean_line
from fleetrig.harness.commands.serve_options import ServeConfig
from fleetrig.harness.commands.serve_platform import PlatformConfig
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.servers.description import TLS_LISTENERS
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.stores.leftovers import Leftovers

URL_SCHEMES: Final = {"registry": "http", "control": "http"}
"""Listeners whose URLs do not begin with their name."""


def banner(
    config: ServeConfig,
    addresses: Mapping[str, Mapping[str, Address]],
    control: Address | None,
    ca: Path | None,
    leftovers: Leftovers | None = None,
) -> list[str]:
    """`addresses`: platform -> listener -> where it really listens."""
    is_single = len(addresses) == 1
    title = f", {config.platforms[next(iter(addresses))].title}" if is_single else ""
    lines = [f"fleetrig {VERSION}: reference server{title}"]
    asking = {one.name for one in config.options.platforms if one.client_auth is not ClientAuth.NONE}
    for name, listeners in addresses.items():
        if not is_single:
            lines.append(config.platforms[name].title)
        lines += _of_platform(listeners, config.platforms[name], ca, asks_clients=name in asking)
    if not is_single:
        lines.append("all platforms")
    if control is not None:
        lines.append(_listening("control", control, None))
        lines.append(f"  run      fleetrig run {' '.join(addresses)} --against http://{control}")
    store = config.options.store
    lines.append(f"  state    {store}" + ("   (lost when the server stops)" if store == "memory:" else ""))
    if leftovers is not None and leftovers.names:
        lines.append(_left_over(leftovers, is_removed=config.options.remove_leftovers))
    if control is not None:
        lines.append(f"  watch    fleetrig trace http://{control} --follow")
    lines.append("  stop     Ctrl-C")
    lines.append("Refused requests and why:")
    return [clean_line(line) for line in lines]


def _left_over(found: Leftovers, *, is_removed: bool) -> str:
    size = f"{_counted(len(found.names), 'artifact file')} ({_counted(found.size_bytes, 'byte')})"
    if is_removed:
        return f"  removed  {size} in {found.folder} that this store does not name"
    return (
        f"  leftover {size} in {found.folder} that this store does not name, though another copy of it may;"
        " --remove-leftovers deletes them"
    )


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def asked(config: PlatformConfig) -> str:
    return "may show a certificate" if config.asks_for_certificates else "must show a certificate of --client-ca"


def _of_platform(
    listeners: Mapping[str, Address], config: PlatformConfig, ca: Path | None, *, asks_clients: bool
) -> Iterator[str]:
    for listener, address in listeners.items():
        yield _listening(listener, address, ca, config.url_path if listener in ("http", "https") else "")
        if asks_clients and listener in TLS_LISTENERS:
            yield f"           devices {asked(config)} here"
    for account in config.accounts:
        yield f"  account  {account}"


def _listening(listener: str, address: Address, ca: Path | None, path: str = "") -> str:
    more = ""
    if listener in TLS_LISTENERS and ca is not None:
        more = f"   (clients must trust {ca})"
    if listener == "control" and not address.is_loopback:
        more = "   (no password: everybody who can reach it can make this server fail)"
    return f"  {listener:<8} {URL_SCHEMES.get(listener, listener)}://{address}{path}{more}"
