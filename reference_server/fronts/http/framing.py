"""Answers in the other forms that HTTP allows, and slow ones: chunked, closed by the server, HTTP/1.0, drop by drop.

Only faults ask for these. All other answers are made by `response_head` and `response_sending`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from fleetrig.reference_server.fronts.http.response_head import (
    BODILESS,
    OURS,
    STATUS_LINES,
    date_line,
    encoded,
    has_body,
)
from fleetrig.reference_server.fronts.http.response_sending import Drain
from fleetrig.simulator.contract.bodies import body_blocks
from fleetrig.simulator.contract.delivery import Delivery, Framing
from fleetrig.simulator.contract.http import Body, HttpResponse, body_length

CHUNKS_PER_BLOCK: Final = 3
DROPS_PER_S: Final = 10


def is_plain(delivery: Delivery) -> bool:
    """True when the delivery asks for nothing special."""
    return delivery.framing is Framing.LENGTH and delivery.bytes_per_s is None and not delivery.as_given


def suited(delivery: Delivery, *, is_http10: bool) -> Delivery:
    """The delivery in a form that the client understands: HTTP/1.0 has no chunks."""
    return delivery._replace(framing=Framing.HTTP10) if is_http10 and delivery.framing is Framing.CHUNKED else delivery


def keeps(delivery: Delivery) -> bool:
    """True when the connection can stay open: the client knows where the answer ends."""
    given = delivery.as_given & {"content-length", "connection", "transfer-encoding"}
    return delivery.framing in (Framing.LENGTH, Framing.CHUNKED) and not given


def framed_head(delivery: Delivery, response: HttpResponse, method: str, connection: str, now_us: int) -> bytes:
    """Status line and headers. `connection` is the value of that header, empty for none."""
    status = response.status
    line = STATUS_LINES.get(status) or f"HTTP/1.1 {status} "
    lines = [line.replace("HTTP/1.1", "HTTP/1.0", 1) if delivery.framing is Framing.HTTP10 else line]
    lines += [f"{name}: {value}" for name, value in response.headers
              if name.lower() not in OURS or name.lower() in delivery.as_given]  # fmt: skip
    own = {"Date": date_line(now_us), "Connection": connection, **_length(delivery, response, method)}
    lines += [f"{name}: {value}" for name, value in own.items() if value and name.lower() not in delivery.as_given]
    return encoded(lines)


def _length(delivery: Delivery, response: HttpResponse, method: str) -> dict[str, str]:
    if delivery.framing is Framing.CHUNKED and has_body(method, response.status):
        return {"Transfer-Encoding": "chunked"}
    if delivery.framing is Framing.HTTP10 or response.status in BODILESS:
        return {}
    given = response.header("Content-Length") if method == "HEAD" else None
    return {"Content-Length": given or str(body_length(response.body))}


async def send_slowly(transport: asyncio.Transport, drain: Drain, body: Body, delivery: Delivery) -> None:
    """A body as the delivery wants it. Raises ConnectionError when the client has left."""
    for part in framed(body, delivery):
        if transport.is_closing():
            raise ConnectionResetError("the client has left")
        transport.write(part)
        await drain()
        if delivery.bytes_per_s is not None:
            await asyncio.sleep(len(part) / delivery.bytes_per_s)


def framed(body: Body, delivery: Delivery) -> Iterator[bytes]:
    """The bytes of a body as they go on the wire, in pieces that are sent one after another."""
    chunked = delivery.framing is Framing.CHUNKED
    for block in body_blocks(body):
        most = len(block)
        if delivery.bytes_per_s is not None:
            most = max(1, int(delivery.bytes_per_s / DROPS_PER_S))
        elif chunked:
            most = -(-most // CHUNKS_PER_BLOCK)
        for start in range(0, len(block), most):
            piece = block[start : start + most]
            yield b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
    if chunked:
        yield b"0\r\n\r\n"
