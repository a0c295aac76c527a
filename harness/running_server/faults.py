"""What goes wrong at a running server, because a test wants it to: `server.faults`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypedDict, Unpack

from fleetrig.harness.running_server.control_client import ControlClient
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.fault_json import FaultMistake, fault_from_json

__tracebackhide__ = True

FaultName = Literal[
    "outage", "overload", "capacity", "latency", "slow_store", "lost_reply", "truncated_body", "dripping", "framing",
    "moved", "rewrite", "connect_refused", "connect_unanswered", "drop_after_connack", "duplicate_delivery",
    "withheld_ack", "withheld_pingresp", "half_packet", "malformed_packet", "coap_reset", "lost_datagram",
    "duplicate_datagram", "northbound_down", "server_certificate",
]  # fmt: skip
"""docs/control.md says what each does."""


class FaultWords(TypedDict, total=False):
    """The words of a fault (docs/control.md). Times and sizes have units: `500ms`, `30s`, `4KiB`."""

    hits: str
    """Whom: a glob over the line of what came in, such as `POST */feedback` or `CONNECT gw-*`."""
    at: str
    """When it begins, from now on."""
    for_: str
    """How long it lasts."""
    share: float
    """The probability that it bites what it could."""
    times: int
    """It is over after so many bites."""
    shows_as: Literal["refused", "reset", "silence", "closed"]
    status: int
    retry_after: str
    requests_per_s: float
    waiting: str
    sheds_after: str
    delay: str
    code: int
    after: str
    copies: int
    certificate: Literal["expired", "not_yet_valid", "wrong_name", "stranger", "long_chain"]
    bytes_per_s: float
    framed: Literal["chunked", "close", "http10"]
    below: str
    headers: Mapping[str, str | None]
    set: Mapping[str, Any]
    body: str
    respelt: bool
    topic: str
    unseen: Sequence[str]


class FaultOnServer:
    """A fault that was added. What is asked of it is asked of the server; once removed, it says how it ended."""

    def __init__(self, client: ControlClient, view: Mapping[str, Any]) -> None:
        self._client = client
        self._view = view
        self._is_removed = False

    @property
    def id(self) -> int:
        return int(self._view["id"])

    @property
    def bites(self) -> int:
        """How often it has bitten so far. An outage that closes the port has none."""
        return int(self._now()["bites"])

    @property
    def state(self) -> Literal["waiting", "on", "over"]:
        found: Literal["waiting", "on", "over"] = self._now()["state"]
        return found

    def remove(self) -> None:
        """It has ended when this returns. A second call changes nothing."""
        if not self._is_removed:
            with suppress(UsageError):  # somebody else has removed it
                self.has_ended(self._client.document("DELETE", f"/faults/{self.id}"))
            self.has_ended(self._view)

    def has_ended(self, view: Mapping[str, Any]) -> None:
        """Somebody removed it, and this was said of it last."""
        self._view, self._is_removed = {**view, "state": "over"}, True

    def _now(self) -> Mapping[str, Any]:
        if not self._is_removed:
            self._view = self._client.document("GET", f"/faults/{self.id}")
        return self._view

    def __repr__(self) -> str:
        return f"<fault {self.id}: {self._view['fault']}>"


class Faults:
    """Of one server. Every change has taken place when a call returns: an outage has begun, a removed one has ended."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client
        self._added: list[FaultOnServer] = []

    def add(self, fault: FaultName, /, **words: Unpack[FaultWords]) -> FaultOnServer:
        """Adds one: `add("outage", for_="5s")`, `add("overload", status=429, hits="POST */feedback", times=1)`.

        It ends with the test. Raises UsageError for a mistake, before anything is sent.
        """
        added = FaultOnServer(self._client, self._client.document("POST", "/faults", fault_document(fault, words)))
        self._added.append(added)
        return added

    @contextmanager
    def on(self, fault: FaultName, /, **words: Unpack[FaultWords]) -> Iterator[FaultOnServer]:
        """A fault for the length of a `with` block; afterwards it still says how often it has bitten."""
        added = self.add(fault, **words)
        try:
            yield added
        finally:
            added.remove()

    def all(self) -> tuple[FaultOnServer, ...]:
        """Those that the server has, whoever added them; what is over counts until it is removed."""
        return tuple(FaultOnServer(self._client, view) for view in self._client.document("GET", "/faults")["faults"])

    def clear(self) -> None:
        """Removes all that the server has, whoever added them."""
        last = {view["id"]: view for view in self._client.document("DELETE", "/faults")["removed"]}
        for fault in self._added:
            if fault.id in last:
                fault.has_ended(last[fault.id])
        self._added.clear()

    def remove_own(self) -> None:
        """Removes what was added here; a server that is gone has none."""
        while self._added:
            with suppress(BrokenBench):
                self._added.pop().remove()


def fault_document(fault: str, words: Mapping[str, Any]) -> dict[str, Any]:
    """As the control interface takes it: `for_` is `for`. Raises UsageError for the first mistake."""
    document = {"fault": fault, **{"for" if word == "for_" else word: value for word, value in words.items()}}
    try:
        fault_from_json(document)
    except FaultMistake as wrong:
        got = f", got {document[wrong.field]!r}" if wrong.field in document else ""
        near = f"; did you mean {wrong.near}?" if wrong.near else ""
        raise UsageError(f"fault {fault!r}: {wrong.field}: {wrong.expected}{got}{near}") from None
    return document
