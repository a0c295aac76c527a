"""An external system on this machine that is told of messages by HTTP: in order, at least once, again after failures.

What it answers changes nothing for devices: they were answered before. It may be slow, and it may not be there; each
message is tried until it is taken (any 2xx) or refused for good (a 4xx but 408 and 429). What was told is kept with the
records, so that a restart goes on there.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.northbound import NorthboundMessage, NorthboundPlatform
from fleetrig.reference_server.stores.interface import Kind, Store, StoreFailed
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.trace import Lane, Trace

ANSWER_WITHIN_S: Final = 10.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
LOOKS_AGAIN_AFTER_S: Final = 0.1
AT_ONCE: Final = 100
"""Messages that are read together."""
HEAD_BYTES: Final = 64 * 1024
PASSING: Final = frozenset({408, 429})
"""Client errors that may be over soon."""
PLACE: Final = ""


@dataclass(frozen=True, slots=True)
class WebhookCursor:
    """How far the external system of a platform was told. `url`: another one is told anew."""

    platform: str
    url: str
    number: int


WEBHOOK_CURSOR: Final = Kind("northbound.webhook", WebhookCursor, lambda cursor: cursor.platform)


@dataclass(frozen=True, slots=True)
class WebhookUrl:
    address: Address
    target: str


def webhook_url(text: str) -> WebhookUrl:
    """Raises UsageError: messages go to this machine only, and without TLS."""
    try:
        parts = urlsplit(text)
        address = Address(parts.hostname or "", parts.port or 80)
    except ValueError as error:
        raise UsageError(f"the webhook {text!r}: {error}") from None
    if parts.scheme != "http" or not address.host:
        raise UsageError(f"the webhook {text!r}: expected a URL such as http://127.0.0.1:9000/devices")
    if not address.is_loopback:
        raise UsageError(f"the webhook {text!r} is not on this machine: expected 127.0.0.1, [::1] or localhost")
    return WebhookUrl(address, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


class Webhook:
    """Belongs to the event loop it is entered in. `sleep` is handed in."""

    def __init__(
        self,
        platform: NorthboundPlatform,
        store: Store,
        trace: Trace,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        """Raises UsageError for a URL that cannot be told. `on_failed` hears when the store fails: it goes on later."""
        self._platform, self._store, self._trace, self._clock = platform, store, trace, clock
        self._sleep, self._on_failed = sleep, on_failed
        self._url = webhook_url(platform.webhook)
        cursor = store.get(WEBHOOK_CURSOR, PLACE, platform.name)
        self._told = cursor.number if cursor is not None and cursor.url == platform.webhook else 0
        self._noted = self._told
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="webhook")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            try:
                self._note()
            except StoreFailed as failed:
                self._on_failed(failed)

    async def _run(self) -> None:
        while True:
            try:
                is_done = not await self._tell_some()
            except StoreFailed as failed:
                self._on_failed(failed)
                await self._sleep(FIRST_PAUSE_S)
            else:
                if is_done:
                    await self._sleep(LOOKS_AGAIN_AFTER_S)

    async def _tell_some(self) -> int:
        """How many there were. Raises StoreFailed."""
        messages = self._platform.for_webhook(self._told, AT_ONCE)
        for message in messages:
            await self._tell(message)
            self._told = message.number
        self._note()
        return len(messages)

    async def _tell(self, message: NorthboundMessage) -> None:
        """Until it is taken or refused for good."""
        pause_s = FIRST_PAUSE_S
        while not await self._is_settled(message):
            await self._sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _is_settled(self, message: NorthboundMessage) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                status = await _post(self._url, document_of(message))
        except TimeoutError:
            return self._say("handing_on_failed", message, f"it has not answered for {ANSWER_WITHIN_S:g} s")
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            return self._say("handing_on_failed", message, str(error) or type(error).__name__)
        if 200 <= status < 300:
            self._say("handed_on", message, f"it answers {status}")
            return True
        is_final = 400 <= status < 500 and status not in PASSING
        self._say("handing_on_failed", message, f"it answers {status}" + (", which is final" if is_final else ""))
        return is_final

    def _say(self, kind: str, message: NorthboundMessage, how: str) -> bool:
        """Into the network lane; False, for those who have failed."""
        reason = f"POST {self._url.target}: {how}"
        self._trace.emit(self._clock.now_us(), Lane.NETWORK, kind, message.key, reason=reason, name=message.topic)
        return False

    def _note(self) -> None:
        """Lazily: who is killed tells some once more."""
        if self._told != self._noted:
            cursor = WebhookCursor(self._platform.name, self._platform.webhook, self._told)
            self._store.put(WEBHOOK_CURSOR, PLACE, cursor, lazily=True)
            self._noted = self._told


def document_of(message: NorthboundMessage) -> bytes:
    """What is sent, as JSON: tenant, topic, key, properties, payload in Base64."""
    document = {
        "tenant": message.tenant,
        "topic": message.topic,
        "key": message.key,
        "properties": dict(message.properties),
        "payload": base64.b64encode(message.payload).decode("ascii"),
    }
    return json.dumps(document).encode()


async def _post(url: WebhookUrl, body: bytes) -> int:
    """The status of the answer. Raises OSError, ValueError and what the stream raises."""
    reader, writer = await asyncio.open_connection(url.address.host, url.address.port, limit=HEAD_BYTES)
    try:
        head = (
            f"POST {url.target} HTTP/1.1\r\nHost: {url.address}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode("ascii", "replace") + body)
        await writer.drain()
        line = (await reader.readline()).decode("latin-1")
    finally:
        writer.close()
    version, _, rest = line.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError(f"what answers is no HTTP: {line[:80]!r}")
    return int(rest[:3])
