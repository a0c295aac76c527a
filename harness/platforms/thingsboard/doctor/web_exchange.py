"""One request over HTTP or CoAP as the device makes it; its answer as one line."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from time import monotonic
from typing import Final
from urllib.parse import quote

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.exact_coap import CoapAnswer, ExactCoap
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.platforms.thingsboard.doctor.facts import Heard, Said
from fleetrig.harness.platforms.thingsboard.doctor.replies import read_reply
from fleetrig.harness.platforms.thingsboard.doctor.way import Over, Way
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.dtls import open_dtls

ATTRIBUTES: Final = "attributes?clientKeys=fleetrig-doctor"
"""Asks for one attribute of the device's own, which it need not have: reads only."""
TOKEN_CHARS: Final = 200
"""More does not go into one option of the CoAP messages made here."""


def provision(way: Way, payload: bytes, tls: ssl.SSLContext | DeviceTls | None, within_s: float) -> Heard:
    """A provision request."""
    if way.over.plain == Over.HTTP:
        headers = {"Content-Type": way.content_type} if way.content_type else {}
        return _timed(lambda: _web(way, "POST", way.path, headers, payload, tls, within_s))
    return _timed(lambda: _coap(way, exact_coap.POST, way.path, payload, tls, within_s))


def read_attributes(way: Way, token: str, tls: ssl.SSLContext | DeviceTls | None, within_s: float) -> Heard:
    """What a device with a token may always ask; over CoAPS a certificate stands for the token."""
    path = f"/api/v1/{quote(token, safe='')}/{ATTRIBUTES}" if token else f"/api/v1/{ATTRIBUTES}"
    if way.over.plain == Over.HTTP:
        heard = _timed(lambda: _web(way, "GET", path, {"Accept": "application/json"}, None, tls, within_s))
        return replace(heard, lines=tuple(line.replace(path, "/api/v1/…") for line in heard.lines))
    if len(token) > TOKEN_CHARS:
        return Heard(Said.REFUSED, (f"a token of {len(token)} characters was not sent",))
    path = f"/api/v1/{token}/{ATTRIBUTES}" if token else path
    return _timed(lambda: _coap(way, exact_coap.GET, path, b"", tls, within_s))


def _timed(ask: Callable[[], Heard]) -> Heard:
    began_s = monotonic()
    try:
        heard = ask()
    except BrokenBench as error:
        is_silent = "no answer" in str(error) or "no whole answer" in str(error)
        heard = Heard(Said.SILENCE if is_silent else Said.CLOSED, (str(error),))
    except Mismatch as mismatch:
        said = Said.SILENCE if mismatch.finding.got == "nothing" else Said.NOT_UNDERSTOOD
        heard = Heard(said, (str(mismatch),))
    except (IndexError, ValueError):
        heard = Heard(Said.NOT_UNDERSTOOD, ("no message of CoAP",))
    return replace(heard, after_s=monotonic() - began_s)


def _web(
    way: Way, method: str, path: str, headers: dict[str, str], body: bytes | None,
    tls: ssl.SSLContext | DeviceTls | None, within_s: float,
) -> Heard:  # fmt: skip
    with closing(
        ExactClient(way.web_url, tls if isinstance(tls, ssl.SSLContext) else None, within_s=within_s)
    ) as client:
        answer = client.call(method, path, headers, body)
    reply = read_reply(answer.body)
    said = reply.said or _said_of_status(answer.status, has_body=bool(answer.body), asks=method == "GET")
    line = f"HTTP {answer.status}" + ("" if answer.body else ", an empty body")
    return Heard(said, (line,), document=reply.document)


def _said_of_status(status: int, *, has_body: bool, asks: bool) -> Said:
    """200 to whoever is let in; an empty 500 is the internal time-out, or a limit that is reached (spec 1.6, 5)."""
    match status:
        case 200 if asks:
            return Said.LET_IN
        case 500 if not has_body:
            return Said.NO_DECISION
        case 400 | 401 | 403 | 500:
            return Said.REFUSED
        case _:
            return Said.NOT_UNDERSTOOD


def _coap(
    way: Way, code: int, path: str, payload: bytes, tls: ssl.SSLContext | DeviceTls | None, within_s: float
) -> Heard:
    if isinstance(tls, DeviceTls):
        try:
            answer = asyncio.run(_over_dtls(way, code, path, payload, tls, within_s))
        except TimeoutError:
            raise BrokenBench(f"no answer over CoAPS within {within_s:g} s") from None
        except (OSError, EOFError) as error:
            return Heard(Said.CLOSED, (f"DTLS: {getattr(error, 'reason', None) or error}",))
    else:
        with closing(ExactCoap(way.host, way.port, within_s)) as endpoint:
            answer = endpoint.ask(code, path, payload)
    reply = read_reply(answer.payload)
    said = reply.said or _said_of_code(answer.code, asks=code == exact_coap.GET)
    return Heard(said, (f"CoAP {answer.code}",), document=reply.document)


async def _over_dtls(way: Way, code: int, path: str, payload: bytes, tls: DeviceTls, within_s: float) -> CoapAnswer:
    """The same message through an association; a separate answer is waited for."""
    with closing(ExactCoap(way.host, way.port, within_s)) as maker:
        request = maker.request(code, path, payload)
    async with asyncio.timeout(within_s):
        channel = await open_dtls(way.host, way.port, tls)
        try:
            channel.send(request)
            while True:
                answer = exact_coap.read(await channel.receive())
                if answer.token == request[4:8]:
                    return answer
        finally:
            channel.close()


def _said_of_code(code: str, *, asks: bool) -> Said:
    match code:
        case "2.05" | "4.04" if asks:  # 4.04: known, and has no such attribute (spec 3.4)
            return Said.LET_IN
        case "5.00":
            return Said.NO_DECISION
        case "4.00" | "4.01" | "4.03" | "4.04" | "4.05":
            return Said.REFUSED
        case _:
            return Said.NOT_UNDERSTOOD
