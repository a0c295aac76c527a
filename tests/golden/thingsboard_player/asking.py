"""One request and its answer, over HTTP and over CoAP."""

from __future__ import annotations

import json
from contextlib import suppress
from http.client import HTTPConnection
from itertools import count
from typing import Any

import aiocoap  # type: ignore[import-untyped]

from tests.coap.bench import ACK, CON, message
from tests.coap.peer import CoapPeer
from tests.golden.payloads import payload_bytes, payload_value

LIMIT_S = 20.0
EMPTY = 0
MESSAGE_IDS = count(1)


def ask_http(port: int, request: dict[str, Any]) -> dict[str, Any]:
    """A body that is a text is sent as it is, anything else as JSON."""
    headers, body = dict(request.get("headers") or {}), request.get("body")
    is_made = isinstance(body, str) or (isinstance(body, dict) and body.keys() == {"fill", "bytes"})
    content = payload_bytes(body) if is_made else b"" if body is None else json.dumps(body).encode()
    if body is not None:
        headers["Content-Length"] = str(len(content))
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    elif request["method"] in ("POST", "PUT"):
        headers["Content-Length"] = "0"
    headers.setdefault("Accept", "*/*")
    connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        connection.putrequest(request["method"], request["path"], skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        with suppress(ConnectionError):  # who is refused while still talking hears why
            connection.endheaders(content)
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    said = {name.lower(): value for name, value in response.getheaders()}
    return {"status": response.status, "headers": said, "body": payload_value(data), "text": data.decode()}


def ask_coap(port: int, request: dict[str, Any]) -> dict[str, Any]:
    """A confirmable request; its answer may come in the acknowledgement or later."""
    fields = {"payload": payload_bytes(request.get("payload"))}
    if request.get("content_format") is not None:
        fields["content_format"] = request["content_format"]
    method = getattr(aiocoap, request["method"])
    with CoapPeer(port) as peer:
        sent = message(CON, method, next(MESSAGE_IDS), uri=request["path"], **fields)
        answer = peer.read(sent)
        while answer.code == EMPTY:
            answer = aiocoap.Message.decode(peer.hear())
        if answer.mtype is CON:
            peer.say(message(ACK, EMPTY, answer.mid, token=b""))
    content_format = answer.opt.content_format
    return {
        "code": answer.code.dotted,
        "content_format": None if content_format is None else int(content_format),
        "payload": payload_value(answer.payload),
    }
