"""What rows are run against."""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.platforms.thingsboard.conformance.generations import GENERATIONS
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import Login
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

T = TypeVar("T")
LOOK_EVERY_S: Final = 0.05
CONTROL: Final = {"Content-Type": "application/json"}
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
    login: Login = field(init=False)
    """Of the tenant's administrator."""
    left_behind: list[str] = field(default_factory=list)
    """Sentences on what rows made and the server would not take back."""

    def __post_init__(self) -> None:
        self.login = Login(self.account)

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
        self.move_clock(for_s)

    def move_clock(self, by_s: float) -> None:
        """That of our own server; others keep their time."""
        if self.control is not None:
            self.control.call("POST", "/clock", CONTROL, json.dumps({"skip_s": by_s}).encode())

    def waited_for(self, calls: Sequence[Callable[[], T]], *, by_clock: bool) -> list[T]:
        """What calls give that the server keeps waiting, all at once. `by_clock`: our own server waits by its clock."""
        with ThreadPoolExecutor(len(calls)) as pool:
            waiting = [pool.submit(call) for call in calls]
            while wait(waiting, LOOK_EVERY_S).not_done:
                self.move_clock(1 if by_clock else 0)
            return [one.result() for one in waiting]

    def slow_store(self, hits: str, by_s: float) -> AbstractContextManager[None]:
        """The store of our own server takes so much longer for what such lines ask."""
        return self._fault(fault="slow_store", hits=hits, delay=f"{by_s}s")

    @contextlib.contextmanager
    def _fault(self, **members: str) -> Iterator[None]:
        """Raises BrokenBench."""
        assert self.control is not None, "rows that need it say so"
        made = self.control.call("POST", "/faults", CONTROL, json.dumps(members).encode())
        if made.status != 201:
            raise BrokenBench(f"our own server's control interface answered {made.status}: {made.text}")
        try:
            yield
        finally:
            self.control.call("DELETE", f"/faults/{made.json()['id']}")

    def settle(self) -> None:
        """A real server needs a moment until it has noted what was just done."""
        if self.control is None:
            time.sleep(SETTLES_S)
