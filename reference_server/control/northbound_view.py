"""`/northbound` of the control interface: the messages that applications would get, and commands in their name."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fleetrig.reference_server.control.request_checks import RequestRefused, json_object, mistake, nearest, whole
from fleetrig.reference_server.northbound import (
    CommandRefused,
    NorthboundCommand,
    NorthboundMessage,
    NorthboundPlatform,
)
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets

MOST: Final = 10**18
MOST_MESSAGES: Final = 1_000
SHOWN_MESSAGES: Final = 100
MOST_TEXT_CHARS: Final = 1_000
MOST_NAME_BYTES: Final = 255
NO_PART_OF_TOPICS: Final = re.compile(r"[/+#\0]")
"""Names of devices and commands stand in topics and paths, as one level each."""

NORTHBOUND_PARAMETERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "tenant": str,
    "after": whole(0, MOST),
    "limit": whole(1, MOST_MESSAGES),
}
COMMAND_WORDS: Final = ("tenant", "device", "command", "payload", "content_type", "one_way")
NEEDED: Final = ("tenant", "device", "command")


class NorthboundView:
    """Of the platforms that hand messages on."""

    def __init__(self, platforms: Sequence[NorthboundPlatform], secrets: Secrets) -> None:
        self._platforms = platforms
        self._secrets = secrets

    def messages(self, asked: Mapping[str, Any]) -> dict[str, Json]:
        """The first messages above a number, in their order. `last`: ask for those after it next time."""
        tenant, after, limit = asked.get("tenant", ""), asked.get("after", 0), asked.get("limit", SHOWN_MESSAGES)
        found = [each for one in self._known() for each in one.northbound(tenant, after, limit)]
        shown = sorted(found, key=lambda message: message.number)[:limit]
        return {"messages": [self._shown(one) for one in shown], "last": shown[-1].number if shown else after}

    def send(self, request: HttpRequest, now_us: int) -> dict[str, Json]:
        command = _command_in(json_object(request))
        for one in self._known():
            try:
                return {"correlation_id": one.send_command(command, now_us)}
            except CommandRefused as refused:
                raise RequestRefused(409, str(refused)) from None
        raise AssertionError("nobody is known, which was refused before")

    def _known(self) -> Sequence[NorthboundPlatform]:
        if not self._platforms:
            raise RequestRefused(404, "no platform of this server hands messages on to applications")
        return self._platforms

    def _shown(self, message: NorthboundMessage) -> dict[str, Json]:
        hide = self._secrets.hide
        properties = {name: hide(value) if isinstance(value, str) else value
                      for name, value in message.properties.items()}  # fmt: skip
        return {
            "number": message.number,
            "at_us": message.at_us,
            "tenant": message.tenant,
            "topic": message.topic,
            "key": message.key,
            "properties": properties,
            "payload": _payload(message.payload, hide),
        }


def _payload(payload: bytes, hide: Callable[[str], str]) -> Json:
    """A text as it is; what is none as `{"base64": …}`."""
    try:
        return hide(payload.decode())
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode("ascii")}


def _command_in(document: Mapping[str, Any]) -> NorthboundCommand:
    """Raises RequestRefused(400) with the first mistake."""
    for word, value in document.items():
        if word not in COMMAND_WORDS:
            raise mistake(word, f"expected one of {', '.join(COMMAND_WORDS)}", value, nearest(word, COMMAND_WORDS))
    for word in NEEDED:
        if not isinstance(document.get(word), str) or not 0 < len(document[word]) <= MOST_TEXT_CHARS:
            raise mistake(word, "expected a text, which must be given", document.get(word))
    for word in ("device", "command"):
        _check_name(word, document[word])
    content_type, one_way = document.get("content_type", ""), document.get("one_way", False)
    if not isinstance(content_type, str) or len(content_type) > MOST_TEXT_CHARS or not content_type.isascii():
        raise mistake("content_type", "expected a media type such as application/json", content_type)
    if not isinstance(one_way, bool):
        raise mistake("one_way", "expected true or false", one_way)
    payload = document.get("payload", "")
    text = payload if isinstance(payload, str) else json.dumps(payload)
    content_type = content_type or ("" if isinstance(payload, str) else "application/json")
    return NorthboundCommand(
        document["tenant"], document["device"], document["command"], text.encode(errors="replace"), content_type,
        one_way,
    )  # fmt: skip


def _check_name(word: str, name: str) -> None:
    """Raises RequestRefused(400)."""
    if NO_PART_OF_TOPICS.search(name):
        raise mistake(word, "expected a name without /, +, # and NUL, since it becomes a part of topics", name)
    try:
        length_bytes = len(name.encode())
    except UnicodeEncodeError:
        raise mistake(word, "expected a text that can be written in UTF-8, without half a character", name) from None
    if length_bytes > MOST_NAME_BYTES:
        raise mistake(word, f"expected at most {MOST_NAME_BYTES} bytes", name)
