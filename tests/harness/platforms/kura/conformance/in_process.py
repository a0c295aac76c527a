"""A reference server in this process, so that its modules can be changed while rows judge it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.platforms.kura.conformance.under_test import ServerUnderTest
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.platforms.kura.broker import broker
from fleetrig.reference_server.platforms.kura.platform import KuraPlatform
from fleetrig.reference_server.platforms.kura.state.settings import Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from tests.harness.conformance.code_changes import applied, being
from tests.reference_server.echo import ServerBench, running

LISTENERS = ("http", "mqtt")
CROWD = 20
KEPT = ("kura.audit", "kura.access_token")
WITHIN_S = 20.0
GIVES_UP_AFTER_US = 50_000
"""A store that is too slow need not be waited for as long as by real gateways."""


class ProcessServer:
    """One that can be started again, with the store that it had."""

    def __init__(self, bench: ServerBench, settings: Settings, store: str) -> None:
        self._bench, self._settings, self._store = bench, settings, store
        self.addresses: Mapping[str, Address] = dict.fromkeys((*LISTENERS, "control"), ANY_LOOPBACK_PORT)
        self.start()

    def start(self) -> None:
        def build(store: Store, blobs: Blobs, entropy: Entropy) -> KuraPlatform:
            return KuraPlatform(store, blobs, entropy, self._settings)

        platform = PlatformOptions("kura", build, {name: self.addresses[name] for name in LISTENERS})
        options = ServerOptions((platform,), control=self.addresses["control"], store=self._store)
        self.server = self._bench.run(ReferenceServer(options))
        assert self.server.control_url is not None
        host, _, port = self.server.control_url.removeprefix("http://").rpartition(":")
        self.addresses = {**self.server.addresses["kura"], "control": Address(host, int(port))}

    def start_again(self) -> None:
        self._bench.stop(self.server)
        self.start()


@contextlib.contextmanager
def reference(
    settings: Settings | None = None, folder: Path | None = None, *, has_bug: bool = False
) -> Iterator[ServerUnderTest]:
    """REST API and broker. With a folder it can be started again. Fails for bugs, unless there is one."""
    store = "memory:" if folder is None else f"sqlite:///{folder / 'kura.db'}"
    used = settings or Settings()
    with applied([(broker, "GIVES_UP_AFTER_US", being(GIVES_UP_AFTER_US))]), running() as bench:
        process = ProcessServer(bench, used, store)
        places = process.addresses
        with (
            contextlib.closing(ExactClient(f"http://{places['http']}", within_s=WITHIN_S)) as http,
            contextlib.closing(ExactClient(f"http://{places['control']}")) as control,
        ):
            yield ServerUnderTest(
                http, {"mqtt": (places["mqtt"].host, places["mqtt"].port)}, SERVER.account, str(used.profile), control,
                restart=None if folder is None else process.start_again, crowd=CROWD, silence_s=0.0,
            )  # fmt: skip
        assert has_bug or process.server.bugs == []


def records(server: ServerUnderTest) -> dict[str, int]:
    """How many of each kind the server keeps, also those that nobody can reach any more. What is told stays told."""
    assert server.control is not None
    found: dict[str, int] = server.control.call("GET", "/").json()["records"]
    return {kind: number for kind, number in found.items() if number and kind not in KEPT}
