"""A trace event as one line of JSON, and back.

    {"at_us": 1767225600000000, "seq": 3, "lane": "server", "kind": "refused", "device": "dev-1", "reason": "…",
     "envelope": {"response": {"status": 401, "headers": [["Pragma", "no-cache"]], "body": "text"}}}

Fields that are empty are left out. A body is text when it is UTF-8, else `{"base64": …}`; what lay in a file is
`{"file_bytes": n}`, and a body in parts is a list of these. Secrets are masked by value; but for them, and the content
of files, nothing is lost.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from fleetrig.simulator.contract.http import Body, FileSlice, Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent

WORDS: Final = ("device", "stage", "fault", "reason", "cites", "name")


def to_line(event: TraceEvent, secrets: Secrets) -> str:
    """One line, ASCII only, without its line end."""
    fields: dict[str, Any] = {"at_us": event.at_us, "seq": event.seq, "lane": event.lane, "kind": event.kind}
    for word in WORDS:
        if value := getattr(event, word):
            fields[word] = secrets.hide(value)
    if event.took_us:
        fields["took_us"] = event.took_us
    match event.envelope:
        case HttpRequest() as request:
            fields["envelope"] = {"request": _request(request, secrets)}
        case HttpResponse() as response:
            fields["envelope"] = {"response": _response(response, secrets)}
    return json.dumps(fields, separators=(",", ":"))


def from_line(line: str) -> TraceEvent:
    """Raises ValueError for what is no such line."""
    try:
        fields = json.loads(line)
        words = {word: fields[word] for word in (*WORDS, "took_us") if word in fields}
        envelope = _envelope(fields["envelope"]) if "envelope" in fields else None
        words.setdefault("device", "")
        return TraceEvent(
            fields["at_us"], fields["seq"], lane=Lane(fields["lane"]), kind=fields["kind"], envelope=envelope, **words
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no line of a trace ({error}): {line[:100]!r}") from error


def _request(request: HttpRequest, secrets: Secrets) -> dict[str, Any]:
    return {
        "method": request.method,
        "origin": request.origin,
        "target": secrets.hide(request.target),
        **_message(request.headers, request.body, secrets),
    }


def _response(response: HttpResponse, secrets: Secrets) -> dict[str, Any]:
    return {"status": response.status, **_message(response.headers, response.body, secrets)}


def _message(headers: Headers, body: Body, secrets: Secrets) -> dict[str, Any]:
    message: dict[str, Any] = {}
    if headers:
        message["headers"] = [(name, secrets.hide(value)) for name, value in headers]
    if body:
        parts = [_part(part, secrets) for part in body] if isinstance(body, tuple) else _part(body, secrets)
        message["body"] = parts
    return message


def _part(part: bytes | FileSlice, secrets: Secrets) -> str | dict[str, Any]:
    if isinstance(part, FileSlice):
        return {"file_bytes": part.length_bytes}
    try:
        return secrets.hide(part.decode("utf-8"))
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(secrets.hide_bytes(part)).decode("ascii")}


def _envelope(found: dict[str, Any]) -> HttpRequest | HttpResponse:
    if "request" in found:
        request = found["request"]
        headers, body = _headers_and_body(request)
        return HttpRequest(request["method"], request["origin"], request["target"], headers, body)
    response = found["response"]
    return HttpResponse(response["status"], *_headers_and_body(response))


def _headers_and_body(message: dict[str, Any]) -> tuple[Headers, Body]:
    headers = tuple((name, value) for name, value in message.get("headers", ()))
    body = message.get("body", "")
    return headers, tuple(map(_bytes, body)) if isinstance(body, list) else _bytes(body)


def _bytes(part: str | dict[str, Any]) -> bytes | FileSlice:
    if isinstance(part, str):
        return part.encode("utf-8")
    if "base64" in part:
        return base64.b64decode(part["base64"], validate=True)
    return FileSlice("", 0, part["file_bytes"])
