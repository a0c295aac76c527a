"""`fleetrig board bridge`: a board's line for another machine, or a server for a board that has only its line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.bench.network_carrier import NetworkCarrier
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.harness.commands.board.options import DESK, Bench, Board, DeskFolder, desk_of, held_board, judged
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.run.interrupts import tell
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.bridge.bridge import Bridge
from fleetrig.hil.ports.shared_port import SharedPort
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.wall_clock import WallClock
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.openers import OPENERS

LOOPBACK: Final = "127.0.0.1"
SCHEMES: Final = ("http", "https", *OPENERS)
FRAMES_PER_AGAIN: Final = 15
FRAME_BITS: Final = 800 * 10
STOPPED: Final = "stopping; the board goes on with what it was doing"

Rfc2217 = Annotated[
    str | None,
    typer.Option(
        "--rfc2217",
        metavar="HOST:PORT",
        help="Share the line there: the first who comes writes, others read along. Nobody is asked who he is; "
        "without HOST only this machine reaches it.",
    ),
]
ServerUrls = Annotated[
    list[str] | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="A server that the board reaches in frames over its line (docs/bridge.md); one for each scheme.",
    ),
]


@examples(
    "fleetrig board bridge gw-1 --rfc2217 :4000",
    "fleetrig board bridge gw-1 --server http://127.0.0.1:8080",
)
def bridge_command(
    name: Board, rfc2217: Rfc2217 = None, server: ServerUrls = None, bench: Bench = None, desk: DeskFolder = DESK
) -> None:
    """Share a board's line with another machine, or carry to a server what a board without network asks."""
    if (rfc2217 is None) == (not server):
        raise UsageError("board bridge needs --rfc2217 HOST:PORT or --server URL, one of the two: a line has one user")
    spec = desk_of(bench).board(name)
    work = _carry(spec, desk, servers_of(server)) if server else _share(spec, desk, *address_of(rfc2217 or ""))
    judged(work, STOPPED)


def address_of(text: str) -> tuple[str, int]:
    """`HOST:PORT`, `:PORT` or `PORT`; 0 takes a free one. Raises UsageError."""
    host, _, number = text.rpartition(":")
    if not (number.isascii() and number.isdecimal() and int(number) <= 65_535):
        raise UsageError(f"--rfc2217: {text!r} is no address; expected HOST:PORT, for instance {LOOPBACK}:4000")
    return host.strip("[]") or LOOPBACK, int(number)


def servers_of(urls: list[str]) -> Mapping[str, str]:
    """By scheme. Raises UsageError."""
    servers: dict[str, str] = {}
    for url in urls:
        scheme, _, rest = url.rstrip("/").partition("://")
        if scheme not in SCHEMES or not rest:
            raise UsageError(f"--server: {url!r}; expected an address that begins with {'://, '.join(SCHEMES)}://")
        if scheme in servers:
            raise UsageError(f"--server: {url} and {servers[scheme]} are both {scheme}; a board reaches one of each")
        servers[scheme] = url.rstrip("/")
    return servers


async def _share(spec: BoardSpec, desk: Path, host: str, number: int) -> None:
    async with held_board(spec, desk, "board bridge") as board:
        shared = SharedPort(spec.name, board.port, spec.baud, WallClock(), _told(spec))
        async with shared.listening(host, number) as address:
            tell(f"{spec.name} is at rfc2217://{address}; Ctrl-C ends it; all that is said: {board.log}")
            await shared.run()


async def _carry(spec: BoardSpec, desk: Path, servers: Mapping[str, str]) -> None:
    async with held_board(spec, desk, "board bridge") as board:
        tell(f"{spec.name} reaches {', '.join(servers.values())}; Ctrl-C ends it; all that is said: {board.log}")
        await _bridge(board, servers).run()


def _bridge(board: OpenedBoard, servers: Mapping[str, str]) -> Bridge:
    spec, tls = board.spec, ClientTls(True).of(None)
    again_after_s = max(1.0, FRAMES_PER_AGAIN * FRAME_BITS / spec.baud)
    return Bridge(
        spec.name,
        board.port,
        lambda: NetworkCarrier(servers, tls, spec.name),
        os.urandom,
        WallClock(),
        _told(spec),
        again_after_s,
    )


def _told(spec: BoardSpec) -> Trace:
    """Events as lines for whoever sits there."""
    trace, secrets = Trace(), Secrets()
    secrets.learn("password", spec.console.password)

    def told(event: TraceEvent) -> None:
        line = "" if event.envelope is None else event.envelope.line
        tell(secrets.hide(" ".join(filter(None, (f"{spec.name}:", event.name, event.reason, line)))))

    trace.listen(told)
    return trace
