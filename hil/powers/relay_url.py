"""Power by a relay that is switched with a URL, as most network sockets are: GET, or POST with a body.

What follows `?`, and the user in front of the host, may be credentials and is never shown.
"""

from __future__ import annotations

import asyncio
import base64
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from fleetrig.simulator.contract.errors import BrokenBench, UsageError

WITHIN_S: Final = 10.0
ANSWER_LIMIT_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class RelayCall:
    """One switching: a URL, and a body if it is a POST."""

    url: str = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


SendRelayCall = Callable[[RelayCall, float], Awaitable[None]]
"""Sends it within so many seconds. Raises BrokenBench."""


async def send_relay_call(call: RelayCall, within_s: float) -> None:
    """Any status of 200 to 299 is a success. Raises BrokenBench, UsageError (no such URL)."""
    await asyncio.to_thread(_send, call, within_s)


@dataclass(frozen=True, slots=True)
class RelayUrlPower:
    """Without `reset_call` a reset is off and on after a pause; a relay on the board's reset line has one."""

    on_call: RelayCall
    off_call: RelayCall
    reset_call: RelayCall | None = None
    off_s: float = 2.0
    within_s: float = WITHIN_S
    send: SendRelayCall = send_relay_call

    @property
    def title(self) -> str:
        return f"relay {shown_url(self.on_call.url)}"

    async def on(self) -> None:
        await self.send(self.on_call, self.within_s)

    async def off(self) -> None:
        await self.send(self.off_call, self.within_s)

    async def reset(self) -> None:
        if self.reset_call is not None:
            await self.send(self.reset_call, self.within_s)
            return
        await self.off()
        await asyncio.sleep(self.off_s)
        await self.on()


def shown_url(url: str) -> str:
    """`http://…@relay/1?…`."""
    parts = urlsplit(url)
    _, found, host = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, ("…@" if found else "") + host, parts.path, "…" if parts.query else "", ""))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A relay that sends us elsewhere wants a login: it has not switched."""

    def redirect_request(self, *_: object) -> None:
        return None


def _send(call: RelayCall, within_s: float) -> None:
    shown = shown_url(call.url)
    # No proxy of the environment: a relay is on the desk.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(_request(call), timeout=within_s) as answer:
            answer.read(ANSWER_LIMIT_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            raise BrokenBench(f"relay {shown} answered {error.code} {error.reason}: it has not switched") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise BrokenBench(f"relay {shown} does not answer ({reason}): is it on, and is the address right?") from None


def _request(call: RelayCall) -> urllib.request.Request:
    parts = urlsplit(call.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{shown_url(call.url)} is no relay's address: expected http://HOST/… or https://HOST/…")
    pair, found, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=host)), call.body)
    if found:
        basic = base64.b64encode(unquote(pair).encode()).decode("ascii")
        request.add_header("Authorization", f"Basic {basic}")
    return request
