"""A reference server in this process, in an event loop and a thread of its own, so that its modules can be changed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping

from fleetrig.harness.commands.serve_options import ServeArgs, parse
from fleetrig.harness.commands.serve_platform import servable
from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.platforms.hawkbit.conformance.suite import OWN_OPTIONS, RIGHTS
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ServerOptions
from fleetrig.simulator.contract.identity import UserPassword

LIMIT_S = 30.0
PASSWORD = "of-a-test"


@contextlib.contextmanager
def reference(profile: str = "1.1", properties: Mapping[str, str] | None = None) -> Iterator[TenantUnderTest]:
    """As `own_hawkbit`, with further start-up properties. Fails when the server had a bug."""
    args = ServeArgs(
        ["hawkbit"], {"http": ["127.0.0.1:0"]}, profiles=[profile],
        properties=[*own_properties(), *(f"{name}={value}" for name, value in (properties or {}).items())],
    )  # fmt: skip
    options = parse(args, {"hawkbit": servable("hawkbit")}).options
    accounts = {kind: UserPassword(kind, PASSWORD) for kind in RIGHTS}
    with _running(options) as url, contextlib.closing(ExactClient(url)) as client:
        yield TenantUnderTest(client, UserPassword("admin", "admin"), profile=profile, accounts=accounts)


def own_properties() -> Iterator[str]:
    """What `own_hawkbit` starts its server with, accounts included."""
    yield from (option.removeprefix("--set=") for option in OWN_OPTIONS)
    for user, rights in RIGHTS.items():
        yield f"hawkbit.security.user.{user}.password={PASSWORD}"
        yield f"hawkbit.security.user.{user}.permissions={','.join(rights)}"


@contextlib.contextmanager
def _running(options: ServerOptions) -> Iterator[str]:
    """The URL of a server that runs until this is left."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="reference server")
    thread.start()
    server = ReferenceServer(options)

    def wait_for(coroutine: object) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, loop).result(LIMIT_S)  # type: ignore[arg-type]

    try:
        wait_for(server.__aenter__())
        try:
            yield server.url("hawkbit")
        finally:
            wait_for(server.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT_S)
        loop.close()
    assert not server.bugs
