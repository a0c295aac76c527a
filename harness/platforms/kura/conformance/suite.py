"""The Kura suite: its rows, and our own server as they meet it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.row import Resource, Row, number_of
from fleetrig.harness.platforms.kura.conformance import (
    asking,
    attachment_rows,
    codec_rows,
    coupling,
    crowd,
    isolation,
    job_rows,
    keystore_rows,
    lifecycle,
    management_rows,
    operator_rows,
    request_rows,
    restart_rows,
    signed_rows,
    signing_in,
)
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient
from fleetrig.harness.platforms.kura.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.servers.address import place_of
from fleetrig.harness.servers.serve_process import Ready, ServeProcess

RESOURCES: Final[tuple[Resource[RowClient], ...]] = (
    signing_in.ROWS,
    asking.ROWS,
    job_rows.ROWS,
    restart_rows.ROWS,
    attachment_rows.ROWS,
    request_rows.ROWS,
    isolation.ROWS,
    lifecycle.ROWS,
    coupling.ROWS,
    management_rows.ROWS,
    keystore_rows.ROWS,
    signed_rows.ROWS,
    codec_rows.ROWS,
    operator_rows.ROWS,
    crowd.ROWS,
)
ROWS: Final[tuple[Row[RowClient], ...]] = tuple(sorted((row for one in RESOURCES for row in one.rows), key=number_of))
PLACES: Final = ("http", *LISTENERS, "control")
ANYWHERE: Final = dict.fromkeys(PLACES, "127.0.0.1:0")


class OwnKura:
    """Our reference server in a process of its own, with a store that a new start finds again."""

    def __init__(self, folder: Path, profile: str) -> None:
        self._folder, self._profile = folder, profile
        self._served: ServeProcess | None = None

    def start(self, places: Ready = ANYWHERE) -> Ready:
        """At these places; gives those at which it listens. Raises BrokenBench."""
        listeners = [f"--{name}={places[name]}" for name in PLACES]
        store = f"--store=sqlite:///{self._folder / 'kura.db'}"
        options = [f"--platform={SERVER_NAME}", f"--profile={self._profile}", store, *listeners]
        self._served = ServeProcess(self._folder, *options)
        return self._served.__enter__().ready

    def start_again(self) -> None:
        """Killed, and started at the same places."""
        assert self._served is not None, "it was started once"
        places = self._served.ready
        self._served.kill()
        self.start(places)

    def stop(self) -> None:
        if self._served is not None:
            self._served.stop()


SERVER_NAME: Final = "kura"


@contextlib.contextmanager
def own_kura(profile: str) -> Iterator[ServerUnderTest]:
    """Our reference server with every listener, a clock that can be moved, and what it keeps on disk."""
    with tempfile.TemporaryDirectory(prefix="fleetrig-") as name, contextlib.ExitStack() as stack:
        own = OwnKura(Path(name), profile)
        stack.callback(own.stop)
        ready = own.start()
        client = stack.enter_context(contextlib.closing(ExactClient(f"http://{ready['http']}")))
        control = stack.enter_context(contextlib.closing(ExactClient(f"http://{ready['control']}")))
        addresses = {one: place_of(ready[one]) for one in LISTENERS}
        yield ServerUnderTest(
            client, addresses, SERVER.account, profile, control, restart=own.start_again, silence_s=0.0
        )
