"""An external system is told of messages: also one that is slow, fails, or is not there for a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from fleetrig.reference_server.northbound import NorthboundMessage
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.reference_server.webhook import LOOKS_AGAIN_AFTER_S, Webhook, webhook_url
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.reference_server.test_northbound import Telling


class Standing:
    def now_us(self) -> int:
        return VIRTUAL_EPOCH_US


@dataclass
class External:
    """An external system: each request gets the next answer, `OK` when there are no more."""

    answers: list[bytes] = field(default_factory=list)
    heard: list[dict[str, object]] = field(default_factory=list)
    requests: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        self.requests += 1
        answer = self.answers.pop(0) if self.answers else b"HTTP/1.1 201 Created\r\n\r\n"
        if answer.startswith(b"HTTP/1.1 2"):
            self.heard.append(json.loads(body))
        writer.write(answer)
        writer.close()


def message(number: int, topic: str = "hono.event.t1") -> NorthboundMessage:
    return NorthboundMessage(number, VIRTUAL_EPOCH_US, "t1", topic, f"d{number}", {"qos": "1"}, b"\xff")


@dataclass
class Told:
    events: list[TraceEvent]
    paused_s: list[float]


async def tell(
    platform: Telling,
    store: MemoryStore,
    is_done: Callable[[list[TraceEvent]], bool],
    *,
    url: str = "",
    on_failed: Callable[[Exception], None] = lambda _: None,
) -> Told:
    """Runs a webhook until the trace says what is wanted. Pauses take no time."""
    events: list[TraceEvent] = []
    paused_s: list[float] = []
    done = asyncio.Event()
    trace = Trace()

    def listen(event: TraceEvent) -> None:
        events.append(event)
        if is_done(events):
            done.set()

    async def sleep(for_s: float) -> None:
        if for_s != LOOKS_AGAIN_AFTER_S:
            paused_s.append(for_s)
        await asyncio.sleep(0)

    trace.listen(listen)
    platform.webhook = url or platform.webhook
    async with Webhook(platform, store, trace, Standing(), sleep, on_failed):
        await done.wait()
        await asyncio.sleep(0)
    return Told(events, paused_s)


async def serving(external: External) -> tuple[asyncio.Server, str]:
    server = await asyncio.start_server(external, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, f"http://127.0.0.1:{port}/devices?site=7"


def handed_on(count: int) -> Callable[[list[TraceEvent]], bool]:
    return lambda events: sum(event.kind == "handed_on" for event in events) == count


def test_it_hears_of_messages_that_are_for_it() -> None:
    async def main() -> None:
        external, platform = External(), Telling(told=[message(1), message(2, "hono.telemetry.t1"), message(3)])
        server, url = await serving(external)
        async with server:
            told = await tell(platform, MemoryStore(), handed_on(2), url=url)
        assert [one["key"] for one in external.heard] == ["d1", "d3"]
        assert external.heard[0] == {
            "tenant": "t1", "topic": "hono.event.t1", "key": "d1", "properties": {"qos": "1"}, "payload": "/w==",
        }  # fmt: skip
        assert [(event.kind, event.device, event.reason) for event in told.events] == [
            ("handed_on", "d1", "POST /devices?site=7: it answers 201"),
            ("handed_on", "d3", "POST /devices?site=7: it answers 201"),
        ]

    asyncio.run(main())


def test_what_fails_is_told_again_after_longer_and_longer_pauses() -> None:
    async def main() -> None:
        failures = [b"HTTP/1.1 503 Busy\r\n\r\n", b"", b"garbage\r\n", b"HTTP/1.1 429 Slow\r\n\r\n"] * 2
        external, platform = External(failures), Telling(told=[message(1), message(2)])
        server, url = await serving(external)
        async with server:
            told = await tell(platform, MemoryStore(), handed_on(2), url=url)
        assert [one["key"] for one in external.heard] == ["d1", "d2"], "in their order"
        assert told.paused_s == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
        reasons = [event.reason.partition(": ")[2] for event in told.events[:4]]
        assert reasons == [
            "it answers 503", "what answers is no HTTP: ''", "what answers is no HTTP: 'garbage\\r\\n'",
            "it answers 429",
        ]  # fmt: skip

    asyncio.run(main())


def test_what_it_refuses_for_good_is_passed_over() -> None:
    async def main() -> None:
        external, platform = External([b"HTTP/1.1 400 Bad\r\n\r\n"]), Telling(told=[message(1), message(2)])
        server, url = await serving(external)
        async with server:
            told = await tell(platform, MemoryStore(), handed_on(1), url=url)
        assert [one["key"] for one in external.heard] == ["d2"]
        assert told.events[0].reason == "POST /devices?site=7: it answers 400, which is final"

    asyncio.run(main())


def test_a_system_that_is_not_there() -> None:
    async def main() -> None:
        server, url = await serving(External())
        server.close()
        await server.wait_closed()
        platform = Telling(told=[message(1)])
        told = await tell(platform, MemoryStore(), lambda events: len(events) == 3, url=url)
        assert {event.kind for event in told.events} == {"handing_on_failed"}

    asyncio.run(main())


def test_a_restart_goes_on_and_another_system_is_told_anew() -> None:
    async def main() -> None:
        external, store = External(), MemoryStore()
        platform = Telling(told=[message(1), message(2)])
        server, url = await serving(external)
        async with server:
            await tell(platform, store, handed_on(2), url=url)
            platform.told.append(message(3))
            await tell(platform, store, handed_on(1))
            assert [one["key"] for one in external.heard] == ["d1", "d2", "d3"]
            await tell(platform, store, handed_on(3), url=url.replace("site=7", "site=8"))
        assert external.requests == 6

    asyncio.run(main())


def test_a_store_that_fails_for_a_while() -> None:
    """It is told of, and what was to be told is told later."""
    failures: list[Exception] = []

    class Failing(Telling):
        def for_webhook(self, after: int, at_most: int) -> Sequence[NorthboundMessage]:
            if len(failures) < 2:
                raise StoreFailed("the disk is gone")
            return super().for_webhook(after, at_most)

    async def main() -> None:
        external = External()
        server, url = await serving(external)
        async with server:
            told = await tell(
                Failing(told=[message(1)]), MemoryStore(), handed_on(1), url=url, on_failed=failures.append
            )
        assert [one["key"] for one in external.heard] == ["d1"]
        assert told.paused_s == [0.5, 0.5]
        assert list(map(str, failures)) == ["the disk is gone"] * 2

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://192.0.2.1/a", "is not on this machine"),
        ("https://127.0.0.1/a", "expected a URL such as"),
        ("127.0.0.1:80", "expected a URL such as"),
        ("http://127.0.0.1:99999/", "Port out of range"),
    ],
)
def test_a_url_that_cannot_be_told(url: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        webhook_url(url)


def test_a_url_in_its_parts() -> None:
    assert str(webhook_url("http://[::1]:9000").address) == "[::1]:9000"
    assert webhook_url("http://localhost/a?b").target == "/a?b"
