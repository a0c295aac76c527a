"""What rows are run against."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.simulator.contract.identity import UserPassword

NO_CHAINS: Final = frozenset({"3.2"})
ANSWER_AGAIN: Final = frozenset({"4.2", "3.2"})
"""Generations in which a listed device is answered as often as it asks."""


@dataclass(slots=True)
class ServerUnderTest:
    """What is the same for all rows: where the server is, who administers the tenant, which generation is expected."""

    http: ExactClient
    addresses: Mapping[str, tuple[str, int]]
    """Listener -> host and port: `mqtt`, `mqtts`, `coap`, `coaps`."""
    account: UserPassword
    profile: str = "4.3"
    control: ExactClient | None = None
    """Of our own server, whose clock can be moved; None: what takes a minute takes a minute."""
    prefix: str = field(default_factory=lambda: f"fr{secrets.token_hex(3)}")
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    login: str = field(default="", repr=False)
    """The token of the tenant's administrator, once there is one."""
    left_behind: list[str] = field(default_factory=list)
    """Sentences on what rows made and the server would not take back."""

    @property
    def can(self) -> frozenset[str]:
        """What rows may need: the listeners that there are, and what its generation does (§1.7)."""
        asked_again = "answers_again" if self.profile in ANSWER_AGAIN else "answers_once"
        chains = () if self.profile in NO_CHAINS else ("certificate_chain",)
        own = ("sane_import",) if self.control else ()
        return frozenset({"http", *self.addresses, asked_again, *chains, *own})

    def let_pass(self, for_s: float) -> None:
        """Moves the server's clock, or waits."""
        if self.control is None:
            time.sleep(for_s)
            return
        body = json.dumps({"skip_s": for_s}).encode()
        self.control.call("POST", "/clock", {"Content-Type": "application/json"}, body)
