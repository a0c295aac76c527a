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
from fleetrig.harness.platforms.thingsboard.conformance.generations import GENERATIONS
from fleetrig.simulator.contract.identity import UserPassword

SETTLES_S: Final = 0.5
"""A real server overlooks a change of a device within some 50 ms after its login (§2)."""
OF_OUR_OWN: Final = {
    "slow_store": "only our own server can be made slow: leave --against away",
    "sane_import": "a real ThingsBoard overwrites somebody's device here: only our own server is asked",
}
"""What nobody asks of a foreign server, and why."""
LISTENERS: Final = ("mqtt", "mqtts", "coap")
"""Those beside HTTP that rows use; each is an option."""
SYSADMIN: Final = "sysadmin"


@dataclass(slots=True)
class ServerUnderTest:
    """What is the same for all rows: where the server is, who administers the tenant, which generation is expected."""

    http: ExactClient
    addresses: Mapping[str, tuple[str, int]]
    """Listener -> host and port: `mqtt`, `mqtts`, `coap`."""
    account: UserPassword
    profile: str = "4.3"
    control: ExactClient | None = None
    """Of our own server, whose clock can be moved; None: what takes a minute takes a minute."""
    sysadmin: UserPassword | None = None
    """Who may make tenants."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Listener -> why it is not among the addresses, and what to give."""
    prefix: str = field(default_factory=lambda: f"fr{secrets.token_hex(3)}")
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    login: str = field(default="", repr=False)
    """The token of the tenant's administrator, once there is one."""
    left_behind: list[str] = field(default_factory=list)
    """Sentences on what rows made and the server would not take back."""

    @property
    def can(self) -> frozenset[str]:
        """What rows may need: the listeners that there are, accounts, and what its generation does (§1.7)."""
        generation = GENERATIONS[self.profile]
        found = {"http", *self.addresses, "answers_once" if generation.answers_once else "answers_again"}
        found |= {"certificate_chain"} if generation.has_chains else set()
        found |= set(OF_OUR_OWN) if self.control else set()
        return frozenset(found | ({SYSADMIN} if self.sysadmin else set()))

    @property
    def remedies(self) -> Mapping[str, str]:
        """Why rows that need something else say nothing here, and what to give."""
        elsewhere = {
            "answers_once": f"profile {self.profile} answers a listed device again and again: S40 looks at that",
            "answers_again": f"profile {self.profile} answers a listed device once: S39 looks at that",
            "certificate_chain": f"profile {self.profile} knows no certificate chains: 3.5 was the first",
            SYSADMIN: "this takes a tenant of its own: give a system administrator, --account sysadmin=USER:env:NAME",
            **{one: f"no {one.upper()} listener is known: give --{one} HOST:PORT" for one in LISTENERS},
            **OF_OUR_OWN,
            **self.missing,
        }
        return {word: why for word, why in elsewhere.items() if word not in self.can}

    def let_pass(self, for_s: float) -> None:
        """Moves the server's clock, or waits."""
        if self.control is None:
            time.sleep(for_s)
            return
        body = json.dumps({"skip_s": for_s}).encode()
        self.control.call("POST", "/clock", {"Content-Type": "application/json"}, body)

    def settle(self) -> None:
        """A real server needs a moment until it has noted what was just done."""
        if self.control is None:
            time.sleep(SETTLES_S)
