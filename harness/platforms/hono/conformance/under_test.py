"""What rows are run against."""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.platforms.hono.conformance.generations import GENERATIONS
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

CONTROL: Final = {"Content-Type": "application/json"}
LISTENERS: Final = ("http", "https", "mqtt", "mqtts", "coaps")
"""Those of adapters; each is an option."""
SETTLES_S: Final = 1.0
"""Adapters of a real Hono hear of a change from the registry: its recordings give them a second."""
AGAIN_AFTER_S: Final = 0.5
PATIENCE_S: Final = 15.0
"""For what a busy one has not heard of by then."""
OF_OUR_OWN: Final = {
    "events": "events of a real Hono go to its messaging network, which no row reads: only our own server is asked "
              "(SERVER.yaml with its control interface, or leave --against away)",
    "sink": "only the messaging of our own server can be made to fail: leave --against away",
}  # fmt: skip
"""What rows need the control interface for, and what to do about it."""


@dataclass(slots=True)
class ServerUnderTest:
    """What is the same for all rows: the registry, the adapters, and which generation is expected."""

    http: ExactClient
    """The registry's management API."""
    addresses: Mapping[str, tuple[str, int]]
    """Listener -> host and port of an adapter."""
    account: UserPassword | None = None
    """Of an operator; None for a registry that is open to everybody."""
    profile: str = "2"
    control: ExactClient | None = None
    """Of our own server: then its answers have to be those of the profile, and no others."""
    crowd: int = 1000
    """So many devices come in the row on many."""
    silence_s: float = 5.0
    """After that no answer to a DTLS handshake comes any more."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Listener -> why it is not among the addresses, and what to give."""
    prefix: str = field(default_factory=lambda: f"fleetrig-{secrets.token_hex(3)}")
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    left_behind: list[str] = field(default_factory=list)
    """Sentences on what rows made and the server would not take back."""

    @property
    def can(self) -> frozenset[str]:
        """What rows may need: adapters, what its generation has, and what only our own server lets us do.

        HTTP and MQTT without a certificate go over TLS where nothing else is open.
        """
        found = {*self.addresses}
        found |= {"http"} if "https" in found else set()
        found |= {"mqtt"} if "mqtts" in found else set()
        found |= {"current", "countable"} if GENERATIONS[self.profile].is_current else set()
        found |= {"countable"} if self.control else set()
        found |= set(OF_OUR_OWN) if self.control else set()
        return frozenset(found)

    @property
    def remedies(self) -> Mapping[str, str]:
        """Why rows that need something else say nothing here, and what to give."""
        elsewhere = {
            "current": f"profile {self.profile} does not have this, or no way to see it: it came later (§6)",
            "countable": f"profile {self.profile} has no search (§6), so what was provisioned there cannot be counted",
            **{one: f"no {one.upper()} adapter is known: give --{one} HOST:PORT" for one in LISTENERS},
            **OF_OUR_OWN,
            **self.missing,
        }
        return {word: why for word, why in elsewhere.items() if word not in self.can}

    @property
    def is_foreign(self) -> bool:
        return self.control is None

    def after_change(self, check: Callable[[], None]) -> None:
        """A check of what adapters do after a change in the registry: a real Hono's hear of it a little later."""
        if not self.is_foreign:
            check()
            return
        time.sleep(SETTLES_S)
        ends_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                check()
            except Mismatch:
                if time.monotonic() > ends_s:
                    raise
                time.sleep(AGAIN_AFTER_S)
            else:
                return

    def told(self, tenant: str) -> list[dict[str, Any]]:
        """What applications were told of a tenant, in order: `address`, `properties`, `payload`."""
        return list(self._control("GET", f"/northbound?tenant={tenant}&limit=1000")["messages"])

    @contextlib.contextmanager
    def failing_sink(self, tenant: str) -> Iterator[None]:
        """Events of a tenant reach nobody meanwhile."""
        made = self._control("POST", "/faults", {"fault": "northbound_down", "hits": f"*{tenant}*"})
        try:
            yield
        finally:
            self._control("DELETE", f"/faults/{made['id']}")

    def _control(self, method: str, path: str, document: Any = None) -> Any:
        """Raises BrokenBench."""
        assert self.control is not None, "rows that need it say so"
        body = None if document is None else json.dumps(document).encode()
        answer = self.control.call(method, path, CONTROL, body)
        if answer.status >= 300:
            raise BrokenBench(f"our own server's control interface answered {answer.status}: {answer.text[:200]}")
        return answer.json()
