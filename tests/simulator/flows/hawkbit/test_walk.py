"""A generated walk: every answer at every effect, and power cut at every point, until no new situation turns up.

A situation is where the program stands (the chain of suspended generators), what the device remembers and what it
knows. Each is reached by replaying the choices that led there, which also shows that a flow is a function of its
outcomes. Whatever a server says in whatever order, the rules below must hold, and no move may be illegal: that would
be a ModelError, which nothing here catches.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, deque
from collections.abc import Iterator
from types import GeneratorType
from typing import Any

import pytest

from fleetrig.simulator.agent import Agent, effect_name
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity, TargetToken
from fleetrig.simulator.effects import (
    Apply,
    Ask,
    Done,
    Download,
    Downloaded,
    Effect,
    Enter,
    NoReply,
    Outcome,
    Pause,
    Remember,
    Reply,
)
from fleetrig.simulator.flows.hawkbit import download as hawkbit_download
from fleetrig.simulator.flows.hawkbit import feedback as hawkbit_feedback
from fleetrig.simulator.flows.hawkbit.confirmation_policy import ConfirmationPolicy
from fleetrig.simulator.flows.hawkbit.device import LONGEST_INTERVAL_S, Contact, HawkbitSettings, Progress
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from fleetrig.simulator.stages import Stage
from tests.simulator.flows.played import IMAGE, TOKEN, URL, cancel, deployment, polled

SETTINGS = HawkbitSettings(
    URL, attributes={"hw": "2"}, install_s=2.0, default_interval_s=2.0, confirmation=ConfirmationPolicy(after_s=1.0)
)
CUT = "power cut"
Choice = Outcome | str

RETRY_AFTER: Headers = (("Retry-After", "7"),)


def reply(status: int, document: object = None, headers: Headers = ()) -> Reply:
    body = b"" if document is None else json.dumps(document).encode()
    return Reply(HttpResponse(status, headers, body), 0.5)


def links(**hrefs: str) -> Reply:
    return reply(200, polled("00:00:02", **hrefs))


DEPLOY_12, DEPLOY_13 = "deploymentBase/12?c=1", "deploymentBase/13?c=1"
POLLS: list[Outcome] = [
    links(),
    links(configData="configData"),
    links(deploymentBase=DEPLOY_12),
    links(deploymentBase=DEPLOY_13),
    links(confirmationBase="confirmationBase/12?c=1"),
    links(cancelAction="cancelAction/12"),
    links(cancelAction="cancelAction/13"),
    reply(200, []),
    reply(304),
    reply(401),
    reply(429, headers=RETRY_AFTER),
    reply(503),
    reply(307),
    NoReply("timeout", 10.0),
]
REPORTS: list[Outcome] = [
    *[reply(status) for status in (200, 400, 401, 404, 409, 410, 500)],
    reply(429, headers=RETRY_AFTER),
    NoReply("closed", 0.1),
]
HASHES = {name: hashlib.new(name, IMAGE).hexdigest() for name in ("sha1", "md5", "sha256")}


def downloads(effect: Download) -> Iterator[Outcome]:
    left = len(IMAGE) - effect.from_byte
    whole = Downloaded(206 if effect.from_byte else 200, (), left, len(IMAGE), HASHES, cut=False, after_s=0.5)
    yield whole
    yield Downloaded(200, (), 100, 100, {}, cut=True, after_s=0.5)
    yield Downloaded(whole.status, (), left, len(IMAGE), {"sha1": "0" * 40}, cut=False, after_s=0.5)
    for status, headers in ((401, ()), (404, ()), (416, ()), (503, RETRY_AFTER)):
        yield Downloaded(status, headers, 0, 0, {}, cut=False, after_s=0.5)
    yield NoReply("reset", 0.1)


def deployments(action_id: str) -> Iterator[Outcome]:
    yield reply(404)
    if action_id == "13":
        return  # it is only there to take the place of the other
    yield reply(200, deployment(action_id))
    yield reply(200, deployment(action_id, update="skip"))
    yield reply(200, deployment(action_id, window="unavailable"))
    yield reply(200, deployment(action_id, download="skip"))
    yield reply(200, {"id": action_id})
    yield from (reply(503, headers=RETRY_AFTER), NoReply("malformed", 0.1))


def replies(name: str, path: str) -> Iterator[Outcome]:
    match name:
        case "poll":
            yield from POLLS
        case "deploymentBase":
            yield from deployments(path.rsplit("/", 1)[1])
        case "confirmationBase":
            plan = deployment("12")["deployment"]
            yield from (reply(200, {"id": "12", "confirmation": plan}), reply(404), NoReply("timeout", 10.0))
        case "cancelAction":
            yield from (reply(200, cancel("12")), reply(200, cancel("13")), reply(404), NoReply("timeout", 10.0))
        case "configData":
            yield from (reply(200), reply(401), reply(503, headers=RETRY_AFTER), NoReply("refused", 0.1))
        case _:
            yield from REPORTS


def answers(effect: Effect) -> Iterator[Outcome]:
    """Everything that can become of an effect, by kind."""
    match effect:
        case Ask(name, HttpRequest() as request):
            yield from replies(name, request.path)
        case Download():
            yield from downloads(effect)
        case Pause(at_least_s, at_most_s):
            yield Done(at_least_s)
            if at_most_s > at_least_s:
                yield Done(at_most_s)
        case Apply(_, slice_s):
            yield Done(slice_s)
        case Remember() | Enter():
            yield Done()


class Walk:
    """One device, taken along a path of choices."""

    def __init__(self, path: tuple[Choice, ...] = ()) -> None:
        self.agent = Agent(DeviceIdentity("dev-1"), HawkbitDevice(SETTINGS, TargetToken(TOKEN)))
        self.effect = self.agent.power_on()
        for choice in path:
            self.take(choice)

    def take(self, choice: Choice) -> None:
        if isinstance(choice, str):
            self.agent.power_cut()
            self.effect = self.agent.power_on()
        elif isinstance(self.effect, Remember | Enter):
            self.effect = self.agent.resume(self.agent.settle(self.effect))
        else:
            self.effect = self.agent.resume(choice)

    def situation(self) -> tuple[object, ...]:
        memory = self.agent.remembered
        word = str(memory.get("confirmation"))
        return (
            self.agent.stage,
            word,
            *(memory.get(key) for key in ("stage", "action", "progress")),
            *standing(self.agent),
        )


def standing(agent: Agent) -> Iterator[object]:
    """Where the program stands, and the plain values that decide how it goes on."""
    flow: Any = agent._flow
    while isinstance(flow, GeneratorType):
        frame = flow.gi_frame
        assert frame is not None
        yield frame.f_code.co_qualname, frame.f_lasti
        for name, value in sorted(frame.f_locals.items()):
            if isinstance(value, Contact):
                yield value.enrolled, value.stage, value.action_id, value.reached
                yield value.interval_s, bool(value.leave_alone_s), value.poll_is_due()
            elif isinstance(value, int | str | Progress | None):
                yield name, value
        flow = flow.gi_yieldfrom


ORDER = [None, "begun", "fetched", "announced", "failure", "success", "over"]


def check_memory(before: dict[str, Any], after: Any) -> None:
    """What was once written down of an action is not taken back."""
    assert before.get("stage") in (None, after.get("stage"))
    if before.get("action") == after.get("action"):
        assert ORDER.index(before.get("progress")) <= ORDER.index(after.get("progress"))


def check(effect: Effect, agent: Agent) -> None:
    """The rules that hold at every effect, whatever came before."""
    memory = agent.remembered
    match effect:
        case Pause(at_least_s, at_most_s, _, capped_at_s):
            assert 1.0 <= at_least_s <= at_most_s < math.inf, "never a spin"
            assert min(at_most_s, capped_at_s) <= LONGEST_INTERVAL_S, "never silence for good"
        case Ask(name, HttpRequest() as request) | Download(name, request):
            assert request.origin == URL
            assert request.header("Authorization") == f"TargetToken {TOKEN}"
            assert 0 < effect.within_s < math.inf
            check_report(name, request.path, request.body, memory)
        case Apply(image):
            assert agent.stage is Stage.UPDATING
            assert (memory["action"], memory["progress"]) in {(image, "fetched"), (image, "announced")}
        case Enter(Stage.ONLINE | Stage.UPDATING):
            assert memory["stage"] == "enrolled"
        case _:
            pass


def check_report(name: str, path: str, body: object, memory: Any) -> None:
    """What is said to be done was remembered first."""
    if name == "feedback-downloaded":
        assert memory["progress"] == "fetched"
    if name in ("feedback-confirmed", "feedback-denied"):
        assert memory["confirmation"] == [path.split("/")[-2], name.removeprefix("feedback-"), False]
    if name == "feedback-closed" and "/deploymentBase/" in path:
        assert isinstance(body, bytes)
        assert memory["action"] == path.split("/")[-2]
        assert memory["progress"] == json.loads(body)["status"]["result"]["finished"]


def asks_in_a_row(before: int, effect: Effect) -> int:
    """Requests since the device last let time pass."""
    match effect:
        case Pause() | Apply():
            return 0
        case Ask() | Download():
            return before + 1
        case _:
            return before


@pytest.mark.slow
def test_every_answer_everywhere_and_power_cuts_between_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    # The third and the fifth try are like the second, but for every try there is a world of situations.
    monkeypatch.setattr(hawkbit_feedback, "REPORT_TRIES", 2)
    monkeypatch.setattr(hawkbit_download, "DOWNLOAD_TRIES", 2)
    known = {Walk().situation()}
    todo: deque[tuple[tuple[Choice, ...], int]] = deque([((), 0)])
    seen: Counter[str] = Counter()
    while todo:
        path, asks = todo.popleft()
        here = Walk(path)
        assert here.effect is not None, "a device polls as long as it has power"
        seen[effect_name(here.effect)] += 1
        check(here.effect, here.agent)
        asks = asks_in_a_row(asks, here.effect)
        assert asks <= 12, path
        effect = here.effect
        for choice in [*answers(effect), CUT]:
            walk = here if choice is CUT else Walk(path)
            assert walk.effect == effect, "the same outcomes give the same effects"
            before = dict(walk.agent.remembered)
            walk.take(choice)
            check_memory(before, walk.agent.remembered)
            if (situation := walk.situation()) not in known:
                known.add(situation)
                todo.append(((*path, choice), 0 if choice is CUT else asks))
    assert len(known) > 1_000
    assert {"apply", "pause-asked-to-wait", "pause-download-retry", "pause-report-retry"} <= set(seen)
    assert {f"feedback-{word}" for word in ("proceeding", "downloaded", "closed", "rejected", "confirmed")} <= set(seen)
