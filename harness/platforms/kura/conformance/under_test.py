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
from fleetrig.harness.platforms.kura.conformance.kapua_api import SignIn
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

CONTROL: Final = {"Content-Type": "application/json"}
LISTENERS: Final = ("mqtt", "mqtts")
"""Those of devices; each is an option."""
PROVISION_ACCOUNT: Final = "ec-provisioning"
APP_ID: Final = "PROV-SIM1"
AGAIN_AFTER_S: Final = 0.2
SETTLES_WITHIN_S: Final = 10.0
"""A real server notes what devices send a little later than it has acknowledged it."""
OF_OUR_OWN: Final = {
    "clock": "this takes minutes of the server's time: only the clock of our own server can be moved "
             "(SERVER.yaml with its control interface, or leave --against away)",
    "audit": "refusals are told to people by our own server's control interface alone: leave --against away, or name "
             "it in a SERVER.yaml",
    "slow_store": "only our own server can be made slow: leave --against away",
}  # fmt: skip
"""What rows need the control interface for, and what to do about it."""
RESTART: Final = "only a server that this command has started can be started again: leave --against away"
PROVISIONING: Final = (
    "this server has no /v2/provisionRequests: open-source Kapua has none (§1.5), so only rows on the namespace run"
)


@dataclass(slots=True)
class ServerUnderTest:
    """What is the same for all rows: the REST API, where devices connect, and who administers it."""

    http: ExactClient
    addresses: Mapping[str, tuple[str, int]]
    """Listener -> host and port: `mqtt`, `mqtts`."""
    account: UserPassword
    profile: str = "open"
    """`kapua-lax`: a real Kapua's server lets pass what a better one refuses."""
    control: ExactClient | None = None
    """Of our own server, whose clock can be moved and which tells why it refused."""
    has_provisioning: bool = True
    """Whether there are provision requests at all."""
    provision_account: str = PROVISION_ACCOUNT
    app_id: str = APP_ID
    restart: Callable[[], None] | None = None
    """Ends the server and starts it again at the same places with what it has kept."""
    crowd: int = 1000
    """So many gateways, or keys, where a row takes many."""
    silence_s: float = 2.0
    """What a foreign server has not said by then it does not say; our own has said it before it answers a ping."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Listener -> why it is not among the addresses, and what to give."""
    prefix: str = field(default_factory=lambda: f"fleetrig-{secrets.token_hex(3)}")
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    sign_in: SignIn = field(init=False)
    """Of the administrator."""
    left_behind: list[str] = field(default_factory=list)
    """Sentences on what rows made and the server would not take back."""

    def __post_init__(self) -> None:
        self.sign_in = SignIn(self.account)

    @property
    def is_foreign(self) -> bool:
        return self.control is None

    @property
    def can(self) -> frozenset[str]:
        """What rows may need: the listeners that there are, and what this server lets us do."""
        found = {*self.addresses}
        found |= {"mqtt"} if "mqtts" in found else set()
        found |= {"provisioning"} if self.has_provisioning else set()
        found |= set(OF_OUR_OWN) if self.control else set()
        return frozenset(found | ({"restart"} if self.restart else set()))

    @property
    def remedies(self) -> Mapping[str, str]:
        """Why rows that need something else say nothing here, and what to give."""
        elsewhere = {
            "provisioning": PROVISIONING,
            "restart": RESTART,
            **{one: f"no {one.upper()} listener is known: give --{one} HOST:PORT" for one in LISTENERS},
            **OF_OUR_OWN,
            **self.missing,
        }
        return {word: why for word, why in elsewhere.items() if word not in self.can}

    def let_pass(self, for_s: float) -> None:
        """Moves the server's clock, or waits."""
        if self.control is None:
            time.sleep(for_s)
        else:
            self.controlled("POST", "/clock", {"skip_s": for_s})

    @property
    def soon_s(self) -> int:
        """After which something begins or ends: a foreign server's time cannot be moved, and may differ a little."""
        return 20 if self.is_foreign else 60

    def now_ms(self) -> int:
        """The server's time."""
        if self.control is None:
            return time.time_ns() // 1_000_000
        return int(self.controlled("GET", "/clock")["now_us"] // 1000)

    @contextlib.contextmanager
    def slow_store(self, hits: str, by_s: float) -> Iterator[None]:
        """The store of our own server takes so much longer for what such lines ask."""
        made = self.controlled("POST", "/faults", {"fault": "slow_store", "hits": hits, "delay": f"{by_s:g}s"})
        try:
            yield
        finally:
            self.controlled("DELETE", f"/faults/{made['id']}")

    def refusals(self, device: str) -> list[Mapping[str, Any]]:
        """Why our own server refused a device, the newest first; empty for a foreign one."""
        if self.control is None:
            return []
        return list(self.controlled("GET", f"/reasons?device={device}&limit=100")["reasons"])

    def until(self, check: Callable[[], None], within_s: float = SETTLES_WITHIN_S) -> None:
        """Asks again until the check agrees; our own server has noted everything before it answers."""
        ends_s = time.monotonic() + within_s
        while True:
            try:
                return check()
            except Mismatch:
                if not self.is_foreign or time.monotonic() >= ends_s:
                    raise
            time.sleep(AGAIN_AFTER_S)

    def controlled(self, method: str, path: str, document: Any = None) -> Any:
        """Raises BrokenBench."""
        assert self.control is not None, "rows that need it say so"
        body = None if document is None else json.dumps(document).encode()
        answer = self.control.call(method, path, CONTROL, body)
        if answer.status >= 300:
            raise BrokenBench(f"our own server's control interface answered {answer.status}: {answer.text[:200]}")
        return answer.json()
