"""Plays a recording on our server, step by step, and says row by row whether it answers alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from tests.golden.served import Served
from tests.golden.thingsboard_player.asking import ask_coap, ask_http
from tests.golden.thingsboard_player.certificates import Certificates
from tests.golden.thingsboard_player.mqtt_steps import MqttSteps
from tests.golden.thingsboard_player.recording import Step
from tests.golden.thingsboard_player.values import Differs, Names, shown

AT_ONCE: Final = 20
NUMBER: Final = 10_000_000_019


@dataclass
class Played:
    """What came of one step, and what the names stood for before it was judged."""

    step: Step
    got: Any
    names: dict[str, Any]


@dataclass
class Player:
    """Of one recording. `verdicts`: row -> where it differs; empty for those that agree."""

    served: Served
    run: str = "r0000001"
    verdicts: dict[str, str] = field(default_factory=dict)
    played: list[Played] = field(default_factory=list)

    def __post_init__(self) -> None:
        account = {"user": "tenant@thingsboard.org", "password": "tenant"}
        self._names = Names({"run": self.run, "number": NUMBER, **account})
        self._certificates = Certificates()
        self._mqtt = MqttSteps(self.served, self._certificates)

    @property
    def names(self) -> dict[str, Any]:
        """What the names of the recording have come to stand for."""
        return self._names.values

    def play(self, steps: Sequence[Step]) -> None:
        """A row is over at its first difference, the next one begins."""
        try:
            for step in steps:
                if not self.verdicts.setdefault(step.row, ""):
                    self._play_one(step)
        finally:
            self._mqtt.close_all()

    def _play_one(self, step: Step) -> None:
        try:
            if step.number == 1:
                self._mqtt.close_all()
            got = self._perform(step)
            self.played.append(Played(step, got, deepcopy(self._names.values)))
            judge(step, got, self._names)
        except Differs as differs:
            self.verdicts[step.row] = f"{step.place}: {differs}"
        except (AssertionError, OSError, LookupError, ValueError) as failed:
            self.verdicts[step.row] = f"{step.place}: {type(failed).__name__}: {failed}"

    def _perform(self, step: Step) -> Any:
        arguments = self._names.fill(step.arguments or {})
        match step.over:
            case "http" if step.parallel:
                return self._at_once(step)
            case "http":
                return self._ask(self._names.fill(step.request))
            case "coap":
                return ask_coap(self.served.port("coap"), self._names.fill(step.request))
            case "pki":
                return self._make(arguments)
            case "wait":
                self.served.wait(arguments["for_s"])
                return {}
            case "mqtt" | "mqtts":
                return self._mqtt.perform(step, arguments)
            case _:
                raise Differs(f"nobody speaks {step.over}")

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.served.answered(lambda: ask_http(self.served.port("http"), request))

    def _at_once(self, step: Step) -> dict[str, Any]:
        requests = [Names(self._names.values | {"i": str(i)}).fill(step.request) for i in range(step.parallel)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda request: ask_http(self.served.port("http"), request), requests))
        bodies = [answer["body"] if isinstance(answer["body"], dict) else {} for answer in answers]
        tally = Counter(
            f"{answer['status']} {body.get('status')}" for answer, body in zip(answers, bodies, strict=True)
        )
        given = {json.dumps(body["credentialsValue"]) for body in bodies if body.get("status") == "SUCCESS"}
        return {"tally": dict(tally), "distinct_credentials": len(given)}

    def _make(self, arguments: dict[str, Any]) -> dict[str, Any]:
        name, days = arguments["name"], arguments.get("days", 30)
        pem = self._certificates.make(name, arguments["cn"], arguments.get("signer"), days, self.served.now_us)
        stripped = "".join(line for line in pem.splitlines() if not line.startswith("-----"))
        self._names.values |= {f"{name}.pem": pem, f"{name}.stripped": stripped}
        return {}


def judge(step: Step, got: Any, names: Names) -> None:
    """Raises Differs."""
    expected = step.expected
    if step.over == "http" and not step.parallel:
        names.compare(expected["status"], got["status"], f"status of {shown(got['body'])}")
        for name, template in (expected.get("headers") or {}).items():
            names.compare(template, got["headers"].get(name), f"header {name}")
        for part in ("body", "text"):
            if part in expected:
                names.compare(expected[part], got[part], part)
        return
    if "after_s" in expected and isinstance(got, dict) and "after_s" in got:
        slack_s = (step.arguments or {}).get("slack_s", 2)
        if abs(got["after_s"] - expected["after_s"]) > slack_s:
            raise Differs(f"closed after {got['after_s']} s, expected {expected['after_s']} ± {slack_s} s")
        expected = {key: value for key, value in expected.items() if key != "after_s"}
        got = {key: value for key, value in got.items() if key != "after_s"}
    names.compare(expected, got, "result")
