"""A hawkBit device whose every answer a test gives: no driver, no server, no time."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fleetrig.simulator.agent import Agent, effect_name
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, TargetToken
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
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice

URL = "http://hawkbit.test:8080"
BASE = f"{URL}/DEFAULT/controller/v1/dev-1"
TOKEN = "0123456789abcdef0123456789abcdef"
IMAGE = b"firmware" * 128


class Played:
    """Stops at every effect that needs an answer; what the agent settles by itself is only noted in `log`."""

    def __init__(
        self,
        settings: HawkbitSettings | None = None,
        credential: Credential | None = TargetToken(TOKEN),  # noqa: B008 (frozen)
    ) -> None:
        self.agent = Agent(DeviceIdentity("dev-1"), HawkbitDevice(settings or HawkbitSettings(URL), credential))
        self.log: list[str] = []
        """Names of all effects so far."""
        self.effect: Effect | None = None
        self.power_on()

    @property
    def name(self) -> str:
        assert self.effect is not None
        return effect_name(self.effect)

    @property
    def stage(self) -> str:
        return self.agent.stage.value

    @property
    def request(self) -> HttpRequest:
        assert isinstance(self.effect, Ask | Download), self.effect
        assert isinstance(self.effect.request, HttpRequest), self.effect
        return self.effect.request

    @property
    def body(self) -> Any:
        assert isinstance(self.request.body, bytes)
        return json.loads(self.request.body)

    @property
    def pause(self) -> Pause:
        assert isinstance(self.effect, Pause), self.effect
        return self.effect

    def power_on(self) -> None:
        self._settle(self.agent.power_on())

    def power_cycle(self) -> None:
        self.agent.power_cut()
        self.power_on()

    def give(self, outcome: Outcome) -> None:
        self._settle(self.agent.resume(outcome))

    def reply(self, status: int = 200, document: object = None, headers: Headers = (), after_s: float = 0.01) -> None:
        body = document if isinstance(document, bytes) else b"" if document is None else json.dumps(document).encode()
        self.give(Reply(HttpResponse(status, headers, body), after_s))

    def no_reply(self, why: str = "refused") -> None:
        self.give(NoReply(why, 0.01))

    def done(self, after_s: float | None = None) -> None:
        """A pause or a slice of work is over, by default after the least time."""
        match self.effect:
            case Pause(at_least_s):
                self.give(Done(at_least_s if after_s is None else after_s))
            case Apply(_, slice_s):
                self.give(Done(slice_s))
            case other:
                raise AssertionError(f"{other!r} is not waited for")

    def downloaded(
        self,
        data: bytes = IMAGE,
        status: int = 200,
        *,
        cut: bool = False,
        received_bytes: int | None = None,
        headers: Headers = (),
    ) -> None:
        """`data` is what now lies in the device's storage."""
        hashes = {name: hashlib.new(name, data).hexdigest() for name in ("sha1", "md5", "sha256")}
        received = len(data) if received_bytes is None else received_bytes
        self.give(Downloaded(status, headers, received, len(data), hashes, cut, 0.01))

    def poll(self, document: object, after_s: float = 0.01) -> None:
        """Answers the poll that the device is at."""
        assert self.name == "poll", self.name
        self.reply(200, document, after_s=after_s)

    def until(self, name: str, *, limit: int = 50) -> None:
        """Answers everything with plain success until the device is at this effect."""
        for _ in range(limit):
            if self.name == name:
                return
            match self.effect:
                case Ask():
                    self.reply()
                case Download():
                    self.downloaded()
                case _:
                    self.done()
        raise AssertionError(f"{name} never came: {self.log[-limit:]}")

    def asked(self) -> list[str]:
        """What was sent so far, without the polls."""
        quiet = ("poll", "pause-", "remember-", "enter-", "apply")
        return [name for name in self.log if not name.startswith(quiet)]

    def _settle(self, effect: Effect | None) -> None:
        while effect is not None:
            self.log.append(effect_name(effect))
            if not isinstance(effect, Remember | Enter):
                break
            effect = self.agent.resume(self.agent.settle(effect))
        self.effect = effect


def polled(sleep: object = "00:00:05", **links: str) -> dict[str, Any]:
    """A poll document; links are given relative to the device's base or in full."""
    hrefs = {rel: {"href": href if "://" in href else f"{BASE}/{href}"} for rel, href in links.items()}
    return {"config": {"polling": {"sleep": sleep}}, "_links": hrefs}


def deployment(
    action_id: str = "12",
    image: bytes = IMAGE,
    *,
    download: str = "forced",
    update: str = "forced",
    window: str | None = None,
    files: int = 1,
) -> dict[str, Any]:
    """A `deploymentBase` document (§2.4)."""
    artifacts = [
        {
            "filename": f"fw-{n}.bin",
            "hashes": {name: hashlib.new(name, image).hexdigest() for name in ("sha1", "md5", "sha256")},
            "size": len(image),
            "_links": {"download-http": {"href": f"{BASE}/softwaremodules/7/artifacts/fw-{n}.bin"}},
        }
        for n in range(1, files + 1)
    ]
    plan: dict[str, Any] = {
        "download": download,
        "update": update,
        "chunks": [{"part": "os", "version": "1", "name": "fw", "artifacts": artifacts}],
    }
    if window is not None:
        plan["maintenanceWindow"] = window
    return {"id": action_id, "deployment": plan}


def cancel(action_id: str = "12") -> dict[str, Any]:
    """A `cancelAction` document (§2.6)."""
    return {"id": action_id, "cancelAction": {"stopId": action_id}}
