"""`fleetrig serve`: the reference server as a program."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.line_writer import LineWriter
from fleetrig.harness.commands.live_trace import LiveTrace
from fleetrig.harness.commands.ready_file import ReadyFile, ready_document
from fleetrig.harness.commands.serve_banner import banner
from fleetrig.harness.commands.serve_console import RefusalLines
from fleetrig.harness.commands.serve_options import DEFAULT_CONTROL, ServeArgs, ServeConfig, parse
from fleetrig.harness.commands.serve_platform import servable
from fleetrig.harness.platforms import FIRST, PLATFORMS
from fleetrig.harness.run.collector import spared_collector
from fleetrig.harness.run.interrupts import run_until_stopped, stop_signals_in_loop
from fleetrig.harness.run.open_files import raise_soft_limit
from fleetrig.harness.servers.description import description_of
from fleetrig.harness.servers.serve_process import is_orphan
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace

FLUSH_EVERY_S: Final = 1.0


def _listener_help(listener: str) -> str:
    """Which platforms have such a listener, and where it is by default."""
    has = {name: description_of(name) for name in PLATFORMS if listener in description_of(name).listeners}
    places = [f"{name}: {about.defaults.get(listener, 'none')}" for name, about in has.items()]
    return f"Where to listen; port 0 is any free one.  [default: {', '.join(places)}]"


def _listener(name: str) -> Any:
    """The option of a listener; hidden as long as no platform has one."""
    is_hidden = all(name not in description_of(platform).listeners for platform in PLATFORMS)
    return typer.Option(f"--{name}", metavar="[P=]H:P", help=_listener_help(name), hidden=is_hidden)


CertificateFile = Annotated[
    Path | None, typer.Option(metavar="F", help="PEM certificate chain for TLS; a temporary CA if omitted.")
]
KeyFile = Annotated[Path | None, typer.Option(metavar="F", help="Its PEM key, if not in the same file.")]
Accounts = Annotated[
    list[str] | None, typer.Option(metavar="[P=]F.yaml", help="A file with more accounts for administration.")
]
ClientAuthorityFiles = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="F",
        help="PEM authorities: devices over TLS must show a certificate of one of them; repeatable, also for lists of "
        "revoked certificates (CRL).",
    ),
]


@examples(
    "fleetrig serve",
    f"fleetrig serve --platform {list(PLATFORMS)[1]}",
    "fleetrig serve --store sqlite:///fleet.db --control 127.0.0.1:8081",
    "fleetrig serve --https 127.0.0.1:8443 --client-ca plant/ca.pem",
)
def serve(
    platform: Annotated[
        list[str] | None,
        typer.Option(metavar="P", help=f"Platform to serve ({', '.join(PLATFORMS)}).  [default: {FIRST}]"),
    ] = None,
    profile: Annotated[
        list[str] | None, typer.Option(metavar="[P=]V", help="Server version to emulate.  [default: the newest]")
    ] = None,
    http: Annotated[list[str] | None, _listener("http")] = None,
    https: Annotated[list[str] | None, _listener("https")] = None,
    mqtt: Annotated[list[str] | None, _listener("mqtt")] = None,
    mqtts: Annotated[list[str] | None, _listener("mqtts")] = None,
    coap: Annotated[list[str] | None, _listener("coap")] = None,
    coaps: Annotated[list[str] | None, _listener("coaps")] = None,
    registry: Annotated[list[str] | None, _listener("registry")] = None,
    cert: CertificateFile = None,
    key: KeyFile = None,
    client_ca: ClientAuthorityFiles = None,
    control: Annotated[
        str, typer.Option(metavar="H:P|off", help="Address of the control interface (docs/control.md).")
    ] = DEFAULT_CONTROL,
    store: Annotated[str, typer.Option(metavar="URL", help="memory:, sqlite:///file or sqlite:////file.")] = "memory:",
    remove_leftovers: Annotated[
        bool, typer.Option("--remove-leftovers", help="Delete artifact files that the store does not name.")
    ] = False,
    accounts: Accounts = None,
    admin_password: Annotated[
        list[str] | None,
        typer.Option(metavar="[P=]env:NAME", help="The password of admin; required for non-loopback addresses."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="[P=]KEY=VALUE", help="A start-up property of the real server.")
    ] = None,
    trace: Annotated[Path | None, typer.Option(metavar="F", help="Write every event as a line of JSON.")] = None,
    ready_file: Annotated[Path | None, typer.Option(metavar="F", help="Written once all listeners are ready.")] = None,
) -> None:
    """Start the reference server. Ctrl-C stops it.

    Can serve several platforms at once; then prefix an option's value with the platform: --http PLATFORM=HOST:PORT.

    With --client-ca a TLS listener also plays the reverse proxy in front: it verifies certificates of devices and
    vouches for them to the platform, as the platform's own guide has it.

    The control interface is for tests in any language: HTTP with JSON, at an address of its own, which the banner and
    the ready file name. GET / describes the server; POST /faults makes it fail; POST /clock moves its time forward;
    GET /trace shows or follows what happens; GET /reasons says why devices were refused.
    """
    given = {"http": http, "https": https, "mqtt": mqtt, "mqtts": mqtts, "coap": coap, "coaps": coaps,
             "registry": registry}  # fmt: skip
    listeners = {name: values for name, values in given.items() if values}
    args = ServeArgs(platform or (FIRST,), listeners, profile or (), set_ or (), accounts or (), admin_password or (),
                     cert, key, client_ca or (), store, control, remove_leftovers)  # fmt: skip
    config = parse(args, {name: servable(name) for name in PLATFORMS})
    ready = ReadyFile(ready_file) if ready_file is not None else None
    secrets = Secrets()
    file = LiveTrace(trace, secrets) if trace is not None else None
    run_until_stopped(_serve(config, secrets, file, ready), notice="")
    if file is not None and file.complaint:
        raise BrokenBench(file.complaint)


async def _serve(config: ServeConfig, secrets: Secrets, file: LiveTrace | None, ready: ReadyFile | None) -> None:
    """Until a stop signal; a second one leaves out what is still to be closed, and the store is whole all the same."""
    stop, task = asyncio.Event(), asyncio.current_task()
    assert task is not None
    raise_soft_limit()
    trace = Trace()
    for platform in config.platforms.values():
        for kind, value in platform.secrets:
            secrets.learn(kind, value)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    async with AsyncExitStack() as stack:
        stack.enter_context(stop_signals_in_loop(stop.set, task.cancel))
        server = await stack.enter_async_context(ReferenceServer(config.options, trace, secrets))
        stack.enter_context(spared_collector())
        if file is not None:
            trace.listen(stack.enter_context(file).write)
        console = RefusalLines(secrets, server.received_lines(), colour=colour)
        writer = LineWriter(sys.stdout)
        stack.callback(writer.close)
        trace.listen(lambda event: writer.write(console.lines(event)), console.kinds)
        if ready is not None:
            stack.callback(ready.remove)
            ready.write(ready_document(server.addresses, server.control_address, server.ca))
        writer.write(banner(config, server.addresses, server.control_address, server.ca, server.leftovers))
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), FLUSH_EVERY_S)
            if is_orphan():
                stop.set()
            writer.write(console.flush(server.clock.now_us(), is_end=stop.is_set()))
            if file is not None:
                file.flush()
