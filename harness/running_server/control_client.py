"""The control interface of a running server (docs/control.md), asked from a test: no event loop, any thread."""

from __future__ import annotations

import http.client
import json
from collections.abc import Generator, Mapping
from contextlib import closing
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.servers.json_answer import NotJson, beginning, read_json
from fleetrig.simulator.contract.errors import BrokenBench, UsageError

__tracebackhide__ = True
"""What pytest shows of a mistake is the line of the test."""

WITHIN_S: Final = 10.0
SHOWN_BYTES: Final = 300


class ControlClient:
    """`url` as the banner of `fleetrig serve` names it. Each call has a connection of its own, so threads may share."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def document(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The object that it answers with. Raises UsageError for what it refuses, BrokenBench without an answer."""
        return self._object_in(self.answer(method, path, body))

    def answer(self, method: str, path: str, body: object = None) -> Answer:
        """Raises the same."""
        content = None if body is None else json.dumps(body).encode()
        client = ExactClient(self.url, within_s=WITHIN_S)
        try:
            answer = client.call(method, path, {"Content-Type": "application/json"} if content else {}, content)
        except BrokenBench as broken:
            raise broken.with_traceback(None) from None
        finally:
            client.close()
        if answer.status < 300:
            return answer
        raise UsageError(self._why(answer))

    def follow(self, parameters: Mapping[str, str], within_s: float) -> Generator[str, None, None]:
        """Lines of its trace as they come, until time is up or the server ends. Close it when you have seen enough."""
        place, until_s = urlsplit(self.url), monotonic() + within_s
        connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=within_s)
        try:
            connection.connect()
            socket = connection.sock
            connection.request("GET", f"{place.path}/trace?{urlencode({**parameters, 'follow': 'true'})}")
            with closing(connection.getresponse()) as response:
                while (left_s := until_s - monotonic()) > 0:
                    socket.settimeout(left_s)
                    if not (line := response.readline()):
                        return
                    yield line.decode()
        except TimeoutError:
            return
        except (OSError, http.client.HTTPException) as gone:
            raise BrokenBench(
                f"the control interface {self.url} cannot be used: {type(gone).__name__} {gone}"
            ) from None
        finally:
            connection.close()

    def _object_in(self, answer: Answer) -> dict[str, Any]:
        try:
            document = read_json(answer.body)
        except NotJson as wrong:
            raise BrokenBench(f"{self.url} is no control interface: it answered with {wrong}") from None
        if not isinstance(document, dict):
            raise BrokenBench(f"{self.url} is no control interface: it answered {answer.request} with no object")
        return document

    def _why(self, answer: Answer) -> str:
        """Its own sentence, if it gives one."""
        try:
            document = read_json(answer.body)
        except NotJson:
            document = None
        match document:
            case {"error": str(sentence)}:
                return sentence
            case _:
                return f"{answer.request} on {self.url} gave {answer.status}: {beginning(answer.body, SHOWN_BYTES)}"
