"""`fleetrig serve`: the reference server as a program."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.line_writer import LineWriter
from fleetrig.harness.commands.ready_file import ReadyFile
from fleetrig.harness.commands.serve_console import RefusalLines, banner
from fleetrig.harness.commands.serve_options import DEFAULT_CONTROL, DEFAULT_HTTP, Serving, Words, understand
from fleetrig.harness.commands.serve_trace import ServeTrace
from fleetrig.harness.run.open_files import raise_limit
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace

LOOK_EVERY_S: Final = 1.0


def serve(
    platform: Annotated[list[str] | None, typer.Option(help="Platform to emulate; all by default.")] = None,
    profile: Annotated[list[str] | None, typer.Option(metavar="P=V", help="Generation, as in hawkbit=0.9.")] = None,
    http: Annotated[str, typer.Option(metavar="H:P", help="Where to listen; port 0 is any free one.")] = DEFAULT_HTTP,
    https: Annotated[str | None, typer.Option(metavar="H:P", help="TLS, with a throw-away CA if no --cert.")] = None,
    cert: Annotated[Path | None, typer.Option(metavar="F", help="PEM certificate chain for --https.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="F", help="Its PEM key, if not in the same file.")] = None,
    control: Annotated[
        str, typer.Option(metavar="H:P|off", help="Where faults, clock, trace and reasons are (docs/control.md).")
    ] = DEFAULT_CONTROL,
    store: Annotated[str, typer.Option(metavar="URL", help="memory:, sqlite:///file or sqlite:////file.")] = "memory:",
    accounts: Annotated[Path | None, typer.Option(metavar="F.yaml", help="More accounts for the Mgmt API.")] = None,
    admin_password: Annotated[
        str | None, typer.Option(metavar="env:NAME", help="Password of admin; a must beyond loopback.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A start-up property of the real server.")
    ] = None,
    trace: Annotated[Path | None, typer.Option(metavar="F", help="Write every event as a line of JSON.")] = None,
    ready_file: Annotated[Path | None, typer.Option(metavar="F", help="Written when all listeners accept.")] = None,
) -> None:
    """Start the reference server. Ctrl-C stops it.

    Beside what it emulates it has a control interface for tests in any language: HTTP with JSON, on an address of its
    own that the banner and the ready file name. GET / says what it is; POST /faults makes it fail; POST /clock moves
    its time forward; GET /trace shows or follows what happens; GET /reasons says why devices were refused.
    """
    words = Words(
        platform or (), profile or (), http, https, cert, key, store, accounts, admin_password, set_ or (), control
    )  # fmt: skip
    serving = understand(words)
    ready = ReadyFile(ready_file) if ready_file is not None else None
    secrets = Secrets()
    file = ServeTrace(trace, secrets) if trace is not None else None
    asyncio.run(_serve(serving, secrets, file, ready))


async def _serve(serving: Serving, secrets: Secrets, file: ServeTrace | None, ready: ReadyFile | None) -> None:
    stop = _stop_signal()
    raise_limit()
    trace = Trace()
    for account in serving.settings.accounts:
        pair = f"{account.user}:{account.password}".encode()
        secrets.learn("password", base64.b64encode(pair).decode("ascii"))  # as it stands in an Authorization header
    console = RefusalLines(secrets, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ReferenceServer(serving.options, trace, secrets))
        addresses = dict(server.addresses["hawkbit"])
        if server.control_address is not None:
            addresses["control"] = server.control_address
        if file is not None:
            trace.listen(stack.enter_context(file).write)
        writer = LineWriter(sys.stdout)
        stack.callback(writer.close)
        trace.listen(lambda event: writer.write(console.lines(event)), console.kinds)
        if ready is not None:
            stack.callback(ready.remove)
            ready.write(addresses, server.ca)
        writer.write(banner(serving, addresses, server.ca))
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            writer.write(console.flush(server.clock.now_us(), is_end=stop.is_set()))
            if file is not None:
                file.flush()


def _stop_signal() -> asyncio.Event:
    """Set by the first Ctrl-C or SIGTERM; the second one ends the process the hard way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    return stop
