"""A server that gives answers again does the same as one that works all of them out: bytes, trace and records."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.fronts.http.response_head import head_bytes
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, STATUS_ENTRY
from fleetrig.reference_server.platforms.hawkbit.state.kept_answers import KeptAnswers
from fleetrig.reference_server.platforms.hawkbit.state.records import LAST_POLL, TARGET
from fleetrig.reference_server.platforms.hawkbit.state.settings import DosFilter, Settings
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.interface import Kind, Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent

ADMIN = "Basic " + base64.b64encode(b"admin:admin").decode()
HOME, ABROAD = "127.0.0.1", "203.0.113.7"
"""The DoS filter never counts the first."""
KEPT_KINDS: tuple[Kind[Any], ...] = (TARGET, LAST_POLL, ACTION, STATUS_ENTRY)
TYPED = {"name": "os", "version": "1", "type": "os"}
SETTINGS = Settings(dos=DosFilter(max_read=3), min_polling_time="00:00:01")


class Side:
    """One of two servers that are told the same."""

    def __init__(self, store: Store, *, keeps_answers: bool) -> None:
        self.store = store
        self.platform = HawkbitPlatform(store, MemoryBlobs(), SeededEntropy(1), SETTINGS, keeps_answers=keeps_answers)
        self.events: list[TraceEvent] = []
        self.faults = FaultPlan(Random(1).random)
        trace = Trace()
        trace.listen(self.events.append)
        self.server = Server(self.platform, store, self.faults, trace, Secrets())

    def ask(self, request: HttpRequest, peer: str, now_us: int) -> Delivery:
        return self.server.exchange(request, Session(peer, id=1), now_us)

    def records(self) -> list[object]:
        return [list(self.store.scan(kind, "DEFAULT")) for kind in KEPT_KINDS]


class Pair:
    """Everything is asked of both, and must be the same."""

    def __init__(self, store: Store | None = None) -> None:
        self.sides = (Side(store or MemoryStore(), keeps_answers=True), Side(MemoryStore(), keeps_answers=False))
        self.now_us = VIRTUAL_EPOCH_US
        self.operator("PUT", "/system/configs", {"authentication.targettoken.enabled": True})
        self.operator("PUT", "/system/configs", {"authentication.gatewaytoken.enabled": True})
        self.operator("PUT", "/system/configs", {"authentication.gatewaytoken.key": "key-0"})
        self.operator("POST", "/softwaremodules", [TYPED])
        for version in ("1", "2"):
            self.operator("POST", "/distributionsets", [{**TYPED, "version": version, "modules": [{"id": 1}]}])

    def both(self, request: HttpRequest, peer: str = HOME) -> Delivery:
        kept, plain = (side.ask(request, peer, self.now_us) for side in self.sides)
        assert kept == plain
        assert kept.response is None or wire(kept, self.now_us) == wire(plain, self.now_us)
        kept_side, plain_side = self.sides
        assert kept_side.events == plain_side.events
        assert kept_side.records() == plain_side.records()
        assert kept_side.server.next_due_us() == plain_side.server.next_due_us()
        for side in self.sides:
            side.events.clear()
        return kept

    def operator(self, method: str, path: str, body: object = None) -> Delivery:
        headers = (("Authorization", ADMIN), ("Content-Type", "application/json"))
        content = b"" if body is None else json.dumps(body).encode()
        return self.both(HttpRequest(method, "http://hb", "/rest/v1" + path, headers, content))

    def device(
        self, name: str, path: str = "", credential: str = "TargetToken t-0", peer: str = HOME, **more: str
    ) -> Any:
        headers = (
            ("Host", "hb"),
            ("Authorization", credential),
            *((key.replace("_", "-"), value) for key, value in more.items()),
        )
        return self.both(HttpRequest("GET", "http://hb", f"/DEFAULT/controller/v1/{name}{path}", headers), peer)

    def questions(self) -> None:
        """What devices ask again and again, each from one address; the one named `new` registers itself."""
        self.device("a")
        self.device("a", "/deploymentBase/1?c=7")
        self.device("far", credential="TargetToken t-far", peer=ABROAD)
        self.device("new", credential="GatewayToken key-0", X_Forwarded_For="198.51.100.1")

    def pass_time(self, seconds: float) -> None:
        self.now_us += to_us(seconds)
        kept, plain = (side.server.advance(self.now_us) for side in self.sides)
        assert kept == plain

    def add_fault(self, kind: FaultKind) -> None:
        for side in self.sides:
            side.faults.add(Fault(kind, times=1), self.now_us)


def wire(delivery: Delivery, now_us: int) -> bytes:
    assert delivery.response is not None
    assert isinstance(delivery.response.body, bytes)
    return head_bytes(delivery.response, "GET", ("", ""), now_us) + delivery.response.body


Step = Callable[[Pair], object]


def told(method: str, path: str, body: object = None) -> st.SearchStrategy[Step]:
    return st.just(lambda pair: pair.operator(method, path, body))


def configured(key: str, *values: object) -> st.SearchStrategy[Step]:
    return st.sampled_from(values).map(lambda value: lambda pair: pair.operator("PUT", "/system/configs", {key: value}))


def assigned(**how: object) -> st.SearchStrategy[Step]:
    return st.sampled_from((1, 2)).map(
        lambda number: (
            lambda pair: pair.operator("POST", f"/distributionsets/{number}/assignedTargets", [{"id": "a", **how}])
        )
    )


def _report(finished: str) -> Step:
    def report(pair: Pair) -> None:
        body = json.dumps({"status": {"execution": "closed", "result": {"finished": finished}}}).encode()
        headers = (("Authorization", "GatewayToken key-0"), ("Content-Type", "application/json"))
        for number in (1, 2):
            target = f"/DEFAULT/controller/v1/a/deploymentBase/{number}/feedback"
            pair.both(HttpRequest("POST", "http://hb", target, headers, body))

    return report


WINDOW = {"schedule": "0 0/30 * ? * *", "duration": "00:10:00", "timezone": "+00:00"}
SLEEPS = (
    "00:05:00", "00:07:00", "00:05:00~20%", "00:05:00, group == red -> 00:01:00", "00:05:00, name == b* -> 00:02:00",
    "00:05:00, attribute.x == 1 -> 00:03:00", "00:05:00, lastcontrollerrequestat > 1767225600000 -> 00:04:00",
)  # fmt: skip
STEPS: st.SearchStrategy[Step] = st.one_of(
    told("POST", "/targets", [{"controllerId": "a", "securityToken": "t-0"}]),
    told("POST", "/targets", [{"controllerId": "a", "securityToken": "t-1"}]),
    told("DELETE", "/targets/a"),
    st.sampled_from(
        ({"securityToken": "t-0"}, {"securityToken": "t-1"}, {"name": "b"}, {"group": "red"}, {"address": "http://x"},
         {"requestAttributes": True}, {"requestAttributes": False})
    ).map(lambda body: lambda pair: pair.operator("PUT", "/targets/a", body)),
    configured("authentication.targettoken.enabled", True, False),
    configured("authentication.gatewaytoken.key", "key-0", "key-1"),
    configured("pollingTime", *SLEEPS),
    configured("maintenanceWindowPollCount", 3, 5),
    configured("user.confirmation.flow.enabled", True, False),
    assigned(),
    assigned(type="soft"),
    assigned(type="timeforced", forcetime=VIRTUAL_EPOCH_US // 1000 + 1_800_000),
    assigned(maintenanceWindow=WINDOW),
    told("DELETE", "/targets/a/actions/1"),
    st.sampled_from((HOME, ABROAD)).map(lambda peer: lambda pair: pair.device("a", peer=peer)),
    st.just(lambda pair: pair.device("a", X_Forwarded_For="198.51.100.2")),
    configured("action.cleanup.auto.expiry", 3_600_000, -1),
    st.sampled_from(("success", "failure")).map(_report),
    st.sampled_from((FaultKind.OVERLOAD, FaultKind.LOST_REPLY)).map(lambda kind: lambda pair: pair.add_fault(kind)),
    st.sampled_from((0.4, 1.0, 900.0, 86_400.0)).map(lambda seconds: lambda pair: pair.pass_time(seconds)),
)  # fmt: skip


def _then_windows(pair: Pair) -> None:
    """Half an hour in which a maintenance window opens, closes and opens again."""
    pair.operator("POST", "/distributionsets/1/assignedTargets", [{"id": "a", "maintenanceWindow": WINDOW}])
    for _ in range(8):
        pair.pass_time(299)
        pair.questions()


def _then_forced(pair: Pair) -> None:
    at_ms = pair.now_us // 1000 + 1_000
    body = [{"id": "a", "type": "timeforced", "forcetime": at_ms}]
    pair.operator("POST", "/distributionsets/1/assignedTargets", body)
    for _ in range(6):
        pair.pass_time(0.4)
        pair.questions()


def _then_cleaned_up(pair: Pair) -> None:
    """A round of the clean-up that finds nothing: a device's next poll makes another one due."""
    pair.operator("PUT", "/system/configs", {"action.cleanup.auto.expiry": 3_600_000})
    pair.questions()
    pair.questions()
    pair.pass_time(90_000)


def _then(key: str, value: str) -> Step:
    return lambda pair: pair.operator("PUT", "/system/configs", {key: value})


def _then_polled_later(pair: Pair) -> None:
    """The poll itself makes the query of an override true."""
    pair.operator(
        "PUT", "/system/configs", {"pollingTime": "00:05:00, lastcontrollerrequestat > 1800000000000 -> 00:04:00"}
    )
    pair.questions()
    pair.pass_time(86_400 * 3_000)


@given(st.lists(STEPS, max_size=12))
@example([_then_windows])
@example([_then_forced])
@example([_then_cleaned_up])
@example([_then("pollingTime", SLEEPS[2])])
@example([_then_polled_later])
def test_nobody_can_tell_that_an_answer_was_given_again(steps: list[Step]) -> None:
    pair = Pair()
    pair.operator("POST", "/targets", [{"controllerId": "a", "securityToken": "t-0"}])
    pair.operator("POST", "/targets", [{"controllerId": "far", "securityToken": "t-far"}])
    pair.questions()
    for step in steps:
        step(pair)
        pair.questions()
        pair.questions()


def test_it_is_the_same_over_a_store_in_a_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "records.db", cached_records=4)
    pair = Pair(store)
    for token in ("t-0", "t-1", "t-0"):
        pair.operator("POST", "/targets", [{"controllerId": "a", "securityToken": token}])
        for _ in range(3):
            pair.questions()
        pair.operator("DELETE", "/targets/a")
        pair.questions()
    store.close()


@pytest.fixture
def given_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The targets of all requests that get an answer again."""
    found: list[str] = []
    find = KeptAnswers.find

    def noted(self: KeptAnswers, request: HttpRequest, peer: str) -> Any:
        kept = find(self, request, peer)
        found.extend([request.target] if kept is not None else [])
        return kept

    monkeypatch.setattr(KeptAnswers, "find", noted)
    return found


def test_what_devices_ask_again_is_given_again(given_again: list[str]) -> None:
    pair = Pair()
    pair.operator("POST", "/targets", [{"controllerId": "a", "securityToken": "t-0"}])
    for _ in range(4):
        pair.device("a")
    assert len(given_again) == 2, "the first registers it, the second is noted"
    pair.operator("POST", "/distributionsets/1/assignedTargets", [{"id": "a"}])
    for _ in range(4):
        pair.device("a", "/deploymentBase/1")
    assert given_again.count("/DEFAULT/controller/v1/a/deploymentBase/1") == 2
    for _ in range(3):
        pair.device("a")
    assert len(given_again) == 6


def test_what_time_or_chance_decide_is_not(given_again: list[str]) -> None:
    pair = Pair()
    pair.operator("POST", "/targets", [{"controllerId": "a", "securityToken": "t-0"}])
    pair.operator("PUT", "/system/configs", {"pollingTime": "00:05:00~20%"})
    for _ in range(4):
        pair.device("a")
    pair.operator("PUT", "/system/configs", {"pollingTime": "00:05:00"})
    pair.operator("POST", "/distributionsets/1/assignedTargets", [{"id": "a", "maintenanceWindow": WINDOW}])
    for _ in range(4):
        pair.device("a")
    assert given_again == []
